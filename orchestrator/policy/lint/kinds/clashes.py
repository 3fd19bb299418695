"""What two policies that may come in either order disagree on, and the connections to ask them about."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from orchestrator.policy.evaluate.ruling import Ruling
from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.lint.findings import Finding, of_policy, softened
from orchestrator.policy.network.outside import sample
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import few

MOST_ASKED = 100_000  # connections in all; beyond that it is said that not all are asked
MOST_OF_PAIR = 10_000
MOST_NAMED = 3
Part = Mapping[str, Any]


def clashing(one: Iterable[Ruling], other: Iterable[Ruling]) -> int:
    """The ports on which the first rules that match have different actions."""
    ones, others = _by_action(one), _by_action(other)
    found = port_sets.NONE
    for action, mask in ones.items():
        for different, theirs in others.items():
            found |= mask & theirs if action != different else port_sets.NONE
    return found


def _by_action(rulings: Iterable[Ruling]) -> dict[str, int]:
    found: dict[str, int] = {}
    left = port_sets.ANY
    for action, mask, _ in rulings:
        found[action] = found.get(action, port_sets.NONE) | (mask & left)
        left &= ~mask
    return found


def distinct(fleet: Fleet) -> list[Pod]:
    """One of all pods that policies cannot tell apart, those of the host's network aside."""
    found: dict[object, Pod] = {}
    for workload in fleet.workloads:
        pod = workload.pod
        key = (
            pod.namespace,
            tuple(sorted(pod.labels.items())),
            pod.ports,
            pod.account,
            pod.ip,
            pod.other_ips,
        )
        if not pod.host_network:
            found.setdefault(key, pod)
    return list(found.values())


def outside(fleet: Fleet) -> list[End]:
    """An address of each range that policies tell apart."""
    return [sample(span) for span in ranges(fleet)]


class Budget:
    """How many connections may still be asked about, of a pair of policies and in all."""

    def __init__(self) -> None:
        self._left = MOST_ASKED
        self._of_pair: dict[object, int] = {}
        self._stopped: dict[object, tuple[Part, Part]] = {}

    def peers(self, one: Part, other: Part, side: Direction, ends: Iterable[End]) -> Iterator[End]:
        """The ends, as far as two policies may ask about them; they are done with where the caller takes no more."""
        pair = (title(one), title(other), side)
        for end in ends:
            used = self._of_pair[pair] = self._of_pair.get(pair, 0) + 1
            self._left -= 1
            if used > MOST_OF_PAIR or self._left < 0:
                self._stopped[pair] = (one, other)
                return
            yield end

    def unasked(self, fleet: Fleet, rule: str, told: Container[object] = ()) -> Iterator[Finding]:
        """An info for each policy of which more connections would have to be asked, but for the pairs that were told."""
        others: dict[str, tuple[Part, dict[str, None]]] = {}
        for pair, (one, other) in self._stopped.items():
            if pair not in told:
                others.setdefault(title(one), (one, {}))[1][bare(title(other))] = None
        for policy, names in others.values():
            whom = few([*names], MOST_NAMED, last=" or")
            text = f"whether it disagrees with {whom} was asked of some connections alone: there are too many"
            yield softened(of_policy(fleet, rule, policy, text), "info")


def named(end: End) -> str:
    """As a finding says it."""
    return f"{end.namespace}/{end.name}" if isinstance(end, Pod) else str(end)
