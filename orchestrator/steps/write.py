"""Bring a namespace's objects from `before` to `after` or back, in the safe order, from where they stand.

The order is a list of states, one after each write. Where a crash left the namespace in one of them, the
walk goes on from there, forwards or backwards: every state on the way is a safe one in both directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

from orchestrator.errors import NotFound, RetryLater
from orchestrator.policy import order
from orchestrator.policy.schema import with_defaults
from orchestrator.ports import Kind
from orchestrator.rollout import objects
from orchestrator.rollout.objects import Key, Manifest
from orchestrator.steps.context import POLICY, Context

BRIDGE_LABEL = "netpol-canary.dev/bridge"
Objects = dict[Key, Manifest]


class Drift(RetryLater):
    """What stands in the namespace is neither the frozen `before` nor on the way to `after`."""


def tag(rollout: str) -> str:
    """A short name for a rollout, fit for a label value."""
    return hashlib.sha256(rollout.encode()).hexdigest()[:10]


def _plain(obj: Manifest) -> str:
    return objects.canonical(with_defaults(obj) if obj["kind"] == POLICY.kind else obj)


def _equal(left: Mapping[Key, Manifest], right: Mapping[Key, Manifest]) -> bool:
    return left.keys() == right.keys() and all(_plain(left[k]) == _plain(right[k]) for k in left)


def standing(ctx: Context, namespace: str, kinds: Sequence[Kind]) -> Objects:
    """The live objects of some kinds in a namespace."""
    found: Objects = {}
    for kind in kinds:
        for obj in ctx.cluster.list(kind, namespace):
            full = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
            found[objects.key(full)] = full
    return found


def path(namespace: str, before: Objects, after: Objects, others: Objects, name: str) -> list[Objects]:
    """The states from `before` to `after`, one after each write, both ends included."""
    states = [dict(before)]

    def move(key: Key, obj: Manifest | None) -> None:
        state = dict(states[-1])
        if obj is None:
            state.pop(key, None)
        else:
            state[key] = obj
        states.append(state)

    def policies(some: Objects) -> list[Manifest]:
        return [o for k, o in sorted(some.items()) if k[:2] == tuple(POLICY)]

    for write in order.steps(
        namespace, policies(before), policies(after), policies(others), tag(name)
    ).writes:
        move(objects.key(write.obj), None if write.action == "delete" else write.obj)
    other_kinds = sorted(k for k in {*before, *after} if k[:2] != tuple(POLICY))
    for key in other_kinds:
        if key in after and not objects.same(before.get(key), after[key]):
            move(key, after[key])
    for key in other_kinds:
        if key not in after:
            move(key, None)
    return states


def _put(
    ctx: Context, live: Manifest | None, wanted: Manifest | None, key: Key, namespace: str
) -> Manifest | None:
    """One write; returns the object as it stands after it."""
    ctx.fence()
    if wanted is None:
        if live is not None:
            meta = live["metadata"]
            uid, version = meta["uid"], meta["resourceVersion"]
            ctx.cluster.delete(Kind(key[0], key[1]), key[2], namespace, uid=uid, resource_version=version)
        return None
    body = objects.bare(wanted)
    body["metadata"]["namespace"] = namespace
    if live is None:
        return ctx.cluster.create(body)
    body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    return ctx.cluster.replace(body)


def _walk(ctx: Context, namespace: str, live: Objects, states: Sequence[Objects]) -> None:
    """Write from state to state; `live` holds the objects as read, with their resourceVersions."""
    for previous, state in pairwise(states):
        for key in sorted({*previous, *state}):
            if previous.get(key) is state.get(key):
                continue
            written = _put(ctx, live.pop(key, None), state.get(key), key, namespace)
            if written is not None:
                live[key] = written


def converge(
    ctx: Context,
    namespace: str,
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    rollout: str,
    *,
    forward: bool,
) -> int:
    """Bring the namespace to `after`, or back to `before`; returns the number of states walked.

    Raises Drift (forward only) where something else stands there. Backwards nothing stops it: what
    was changed by others on these very objects in the meantime goes back to `before` as well.
    """
    first, last = objects.by_key(before), objects.by_key(after)
    kinds = sorted({POLICY, *(Kind(k[0], k[1]) for k in {*first, *last})})
    everything = standing(ctx, namespace, kinds)
    bridge = tag(rollout)

    def ours(key: Key, obj: Manifest) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return key in first or key in last or labels.get(BRIDGE_LABEL) == bridge

    live = {k: o for k, o in everything.items() if ours(k, o)}
    others = {k: o for k, o in everything.items() if k not in live}
    states = path(namespace, first, last, others, rollout)
    found = next((i for i, state in enumerate(states) if _equal(live, state)), None)
    if found is None and forward:
        raise Drift(f"{namespace}: the policies differ from what the plan was made from", 0)
    if found is not None:
        walk = states[found:] if forward else states[: found + 1][::-1]
    else:
        leftover = {k: o for k, o in live.items() if k not in first and k not in last}
        changed = {k: o for k, o in live.items() if k not in leftover}
        walk = path(namespace, changed, first, {**others, **leftover}, rollout + "-back")
        walk = [{**s, **leftover} for s in walk] + [walk[-1]]
    try:
        _walk(ctx, namespace, live, walk)
    except NotFound:
        raise RetryLater(f"{namespace}: an object went away while it was written", 0) from None
    return len(walk) - 1
