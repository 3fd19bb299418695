"""The order of writes that keeps a namespace safe after each single one of them.

A single changed object is one atomic write. With several, no state on the way allows what neither end
allows, nor denies what both allow. While one direction changes: pods isolated at one end only are covered
by temporary allow-all policies, then everything that widens is written, then what narrows. While both
directions change the way leads through what both ends allow, written as temporary policies.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.policy.objects.directions import INGRESS, Direction, directions
from orchestrator.policy.objects.selector import conjunction
from orchestrator.policy.writes import intersect
from orchestrator.policy.writes.bridges import BRIDGE_LABEL as BRIDGE_LABEL
from orchestrator.policy.writes.bridges import bridge_name
from orchestrator.policy.writes.intersect import Inexact
from orchestrator.policy.writes.overlapping import Overlapping
from orchestrator.policy.writes.unions import (
    MOST_TEMPORARY,
    only,
    rules_by_side,
    subject,
    union,
    within,
    without,
)

Policy = dict[str, Any]
BRIEFLY = "connections may open or break briefly while its policies are written"
# Selects no pod: the object keeps its name and uid while temporary policies stand for it.
_NOBODY = [{"key": "netpol-canary.dev/nobody", "operator": o} for o in ("Exists", "DoesNotExist")]
INERT: dict[str, Any] = {"podSelector": {"matchExpressions": _NOBODY}, "policyTypes": [INGRESS.value]}


@dataclass(frozen=True)
class Write:
    """One write; for `delete`, `obj` is what goes."""

    action: Literal["create", "replace", "delete"]
    obj: Policy


@dataclass(frozen=True)
class Order:
    """The writes in order; where not `exact`, `note` says what may show in between."""

    writes: tuple[Write, ...]
    exact: bool = True
    note: str = ""


def _name(policy: Mapping[str, Any]) -> str:
    return str(policy["metadata"]["name"])


def _temporary(namespace: str, tag: str, number: int, spec: dict[str, Any]) -> Policy:
    metadata = {
        "name": bridge_name(tag, number),
        "namespace": namespace,
        "labels": {BRIDGE_LABEL: tag},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": spec,
    }


class _Temporary:
    """The policies that stand only while others are written."""

    def __init__(self, namespace: str, tag: str, first: int = 0) -> None:
        self._namespace, self._tag, self._first, self._made = namespace, tag, first, 0

    def make(self, spec: dict[str, Any]) -> Policy:
        if self._made >= MOST_TEMPORARY:
            raise Inexact("too many temporary policies")
        found = _temporary(self._namespace, self._tag, self._first + self._made, spec)
        self._made += 1
        return found

    def open(self, selecting: Sequence[Policy], others: Sequence[Policy]) -> list[Policy]:
        """Allow-all for the pods that the first isolate and the others do not, each direction by itself."""
        return [
            self.make({"podSelector": selector, "policyTypes": [side.value], side.part: [{}]})
            for side in Direction
            for selector in only(selecting, others, side)
        ]


def steps(
    namespace: str,
    before: Sequence[Policy],
    after: Sequence[Policy],
    unchanged: Sequence[Policy],
    tag: str,
    number: int = 0,
) -> Order:
    """The writes from `before` to `after`, which hold only the NetworkPolicies that differ.

    Temporary policies are called by the tag and a number, from `number` on.
    """
    old, new = {_name(p): p for p in before}, {_name(p): p for p in after}
    if len({*old, *new}) <= 1:
        return Order(tuple(_direct(old, new, name) for name in {*old, *new}))
    made = _Temporary(namespace, tag, number)
    nothing_at_one_end = not unchanged and (not before or not after)
    try:
        if nothing_at_one_end or len(_touched(before, after)) < 2:
            return Order(tuple(_through_union(made, old, new, unchanged)))
        return Order(tuple(_through_both(namespace, made, old, new, unchanged)))
    except Inexact as error:
        writes = [_direct(old, new, n) for n in sorted({*old, *new}, key=lambda n: (n not in new, n))]
        note = f"{namespace}: {BRIEFLY} ({error})"
        return Order(tuple(writes), False, note)


def _touched(before: Sequence[Policy], after: Sequence[Policy]) -> set[Direction]:
    """The directions in which anything differs at all."""

    def seen(policies: Sequence[Policy], side: Direction) -> list[str]:
        mine = [p for p in policies if side.in_force(p)]
        return sorted(json.dumps([subject(p), sorted(rules_by_side(p)[side])], sort_keys=True) for p in mine)

    return {side for side in Direction if seen(before, side) != seen(after, side)}


def _through_union(
    made: _Temporary, old: Mapping[str, Policy], new: Mapping[str, Policy], unchanged: Sequence[Policy]
) -> list[Write]:
    """What widens first, then what narrows: exact while one direction changes, or one end has no policy."""
    before, after = list(old.values()), list(new.values())
    temporary = made.open(before, [*after, *unchanged]) + made.open(after, [*before, *unchanged])
    widen: list[Write] = []
    narrow: list[Write] = []
    for name in sorted({*old, *new}):
        if name not in old or (name in new and within(old[name], new[name])):
            widen.append(_direct(old, new, name))
        elif name not in new or within(new[name], old[name]):
            narrow.append(_direct(old, new, name))
        elif subject(old[name]) == subject(new[name]) and directions(old[name]) == directions(new[name]):
            widen.append(Write("replace", union(old[name], new[name])))
            narrow.append(Write("replace", new[name]))
        else:
            temporary.append(made.make(dict(new[name]["spec"])))
            narrow.append(Write("replace", new[name]))
    writes = [Write("create", t) for t in temporary] + widen + narrow
    return writes + [Write("delete", t) for t in reversed(temporary)]


def _through_both(
    namespace: str,
    made: _Temporary,
    old: Mapping[str, Policy],
    new: Mapping[str, Policy],
    unchanged: Sequence[Policy],
) -> list[Write]:
    """Down to what both ends allow, as temporary policies, and up again: exact for both directions.

    Through the union a connection within the namespace could pass by one end's old and the other end's new
    rules, which neither state allows.
    """
    before, after = list(old.values()), list(new.values())
    opening = made.open(after, [*before, *unchanged])
    shared = _shared(namespace, made, before, after, unchanged)
    closing = made.open(before, [*after, *unchanged])
    down: list[Write] = []
    up: list[Write] = []
    for name in sorted({*old, *new}):
        if name not in new or (name in old and within(new[name], old[name])):
            down.append(_direct(old, new, name))
        elif name not in old or within(old[name], new[name]):
            up.append(_direct(old, new, name))
        else:
            down.append(Write("replace", {**old[name], "spec": INERT}))
            up.append(_direct(old, new, name))
    return [
        *(Write("create", t) for t in [*opening, *shared]),
        *(Write("delete", t) for t in opening),
        *down,
        *up,
        *(Write("create", t) for t in closing),
        *(Write("delete", t) for t in [*shared, *closing]),
    ]


def _shared(
    namespace: str,
    made: _Temporary,
    before: Sequence[Policy],
    after: Sequence[Policy],
    unchanged: Sequence[Policy],
) -> list[Policy]:
    """Policies that allow what both ends allow; where only one end isolates a pod, what that end allows."""
    found: list[Policy] = []
    for side in Direction:
        merged: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}

        def add(selector: dict[str, Any], rules: Sequence[Mapping[str, Any]], into: Any = merged) -> None:
            _, kept = into.setdefault(json.dumps(selector, sort_keys=True), (selector, []))
            kept += [dict(r) for r in rules if r not in kept]

        mine, theirs = ([p for p in ps if side.in_force(p)] for ps in (before, after))
        beside = Overlapping(theirs)
        for one in mine:
            for other in beside.near(subject(one)):
                selector = conjunction(subject(one), subject(other))
                if selector is not None:
                    add(selector, intersect.rules(side.rules(one), side.rules(other), side, namespace))
            if len(merged) > MOST_TEMPORARY:
                raise Inexact("too many temporary policies")
        for some, others in ((mine, after), (theirs, before)):
            beside = Overlapping([p for p in (*others, *unchanged) if side.in_force(p)])
            for policy in some:
                for selector in without(policy, beside):
                    add(selector, side.rules(policy))
        for selector, rules in merged.values():
            spec = {"podSelector": selector, "policyTypes": [side.value]}
            found.append(made.make({**spec, side.part: rules} if rules else spec))
    return found


def _direct(old: Mapping[str, Policy], new: Mapping[str, Policy], name: str) -> Write:
    if name not in new:
        return Write("delete", old[name])
    return Write("replace" if name in old else "create", new[name])
