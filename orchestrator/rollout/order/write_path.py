"""The states that a namespace, or the cluster, goes through from one set of policies to another, one after each write."""

import hashlib
from collections.abc import Sequence

from orchestrator.policy.writes import write_order
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Key, Manifest

Objects = dict[Key, Manifest]
NETWORK_POLICY = ("networking.k8s.io/v1", "NetworkPolicy")


def tag(rollout: str) -> str:
    """A short name for a rollout, fit for a label value."""
    return hashlib.sha256(rollout.encode()).hexdigest()[:10]


def path(
    namespace: str, before: Objects, after: Objects, others: Objects, name: str, number: int = 0
) -> list[Objects]:
    """The states from `before` to `after`, one after each write, both ends included.

    `name` is the rollout's; its bridges are counted from `number`.
    """
    states = [dict(before)]

    def move(key: Key, obj: Manifest | None) -> None:
        state = dict(states[-1])
        if obj is None:
            state.pop(key, None)
        else:
            state[key] = obj
        states.append(state)

    def policies(some: Objects) -> list[Manifest]:
        return [o for k, o in sorted(some.items()) if k[:2] == NETWORK_POLICY]

    def write(some: Sequence[Key]) -> None:
        for key in some:
            if not objects.same(before.get(key), after.get(key)):
                move(key, after.get(key))

    # A rule that moves between kinds stands in both meanwhile; backwards as well, where the order is the reverse.
    other_kinds = sorted(
        (k for k in {*before, *after} if k[:2] != NETWORK_POLICY), key=lambda k: (k in before, k)
    )
    write([k for k in other_kinds if k in after])
    ends = policies(before), policies(after), policies(others)
    found = write_order.steps(namespace, *ends, tag(name), number)
    for step in found.writes:
        move(objects.key(step.obj), None if step.action == "delete" else step.obj)
    write([k for k in other_kinds if k not in after])
    return states
