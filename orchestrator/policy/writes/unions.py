"""Which pods NetworkPolicies isolate beyond others, and what two of them allow together. Source: NetworkPolicy API, v1."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.directions import Direction, directions
from orchestrator.policy.objects.selector import complement, conjunction
from orchestrator.policy.writes.intersect import Inexact
from orchestrator.policy.writes.overlapping import Overlapping

Policy = dict[str, Any]
MOST_TEMPORARY = 64
MOST_NAME = 220  # characters of a name that another one is made of


def rules_by_side(policy: Mapping[str, Any]) -> dict[Direction, list[str]]:
    """Its rules by direction, as texts; none of one in which it is not in force."""
    return {
        side: [json.dumps(r, sort_keys=True) for r in side.rules(policy)] if side.in_force(policy) else []
        for side in Direction
    }


def subject(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Its podSelector."""
    return dict(policy["spec"].get("podSelector") or {})


def within(small: Policy, large: Policy) -> bool:
    """Same pods, same directions, and every rule of the one is in the other."""
    if subject(small) != subject(large) or directions(small) != directions(large):
        return False
    inner, outer = rules_by_side(small), rules_by_side(large)
    return all(set(inner[side]) <= set(outer[side]) for side in Direction)


def union(before: Policy, after: Policy) -> Policy:
    """What allows what either does; both select the same pods in the same directions."""
    spec: dict[str, Any] = {"podSelector": subject(after)}
    ends = before, after
    spec["policyTypes"] = [side.value for side in Direction if any(map(side.in_force, ends))]
    old, new = rules_by_side(before), rules_by_side(after)
    for side in Direction:
        rules = [*new[side], *(r for r in old[side] if r not in new[side])]
        if rules:
            spec[side.part] = [json.loads(r) for r in rules]
    return {**after, "spec": spec}


def only(selecting: Sequence[Policy], others: Sequence[Policy], side: Direction) -> list[dict[str, Any]]:
    """Selectors for the pods that the first isolate in a direction and the others do not."""
    found: dict[str, dict[str, Any]] = {}
    beside = Overlapping([p for p in others if side.in_force(p)])
    for policy in selecting:
        if side.in_force(policy):
            found |= {json.dumps(p, sort_keys=True): p for p in without(policy, beside)}
    return list(found.values())


def without(policy: Policy, others: Overlapping) -> list[dict[str, Any]]:
    """Selectors for the pods of a policy that none of the others isolates. Raises Inexact past the bound."""
    mine = subject(policy)
    near = {json.dumps(subject(o), sort_keys=True): subject(o) for o in others.near(mine)}
    if json.dumps(mine, sort_keys=True) in near:
        return []
    parts = [mine]
    for other in near.values():
        negated = complement(other)
        joined = [c for p in parts for n in negated if (c := conjunction(p, n)) is not None]
        parts = list({json.dumps(c, sort_keys=True): c for c in joined}.values())
        if len(parts) > MOST_TEMPORARY:
            raise Inexact("too many selectors")
        if not parts:
            break
    return parts


def both(before: Sequence[Policy], after: Sequence[Policy], unchanged: Sequence[Policy]) -> list[Policy]:
    """Policies by which each pod may do what it may at either end, in each direction. Raises Inexact past the bound.

    The first two hold only the NetworkPolicies that differ, of one namespace. What one end alone isolates is not isolated, which
    takes policies of their own, `netpol-canary-open-N`.
    """
    old, new = ({str(p["metadata"]["name"]): p for p in some} for some in (before, after))
    found: list[Policy] = []
    taken = {*old, *new, *(str(p["metadata"]["name"]) for p in unchanged)}
    for name in sorted({*old, *new}):
        one, other = old.get(name), new.get(name)
        if one is None or other is None:
            found += [p for p in (one, other) if p is not None]
        elif subject(one) == subject(other) and directions(one) == directions(other):
            found.append(union(one, other))
        else:
            found += [one, _named(other, _free(f"{_cut(name)}--new", taken))]
    open_ones = [
        (side, selector)
        for side in Direction
        for some, others in ((before, [*after, *unchanged]), (after, [*before, *unchanged]))
        for selector in only(some, others, side)
    ]
    if len(open_ones) > MOST_TEMPORARY:
        raise Inexact("too many selectors")
    for number, (side, selector) in enumerate(open_ones, 1):
        spec = {"podSelector": selector, "policyTypes": [side.value], side.part: [{}]}
        name = _free(f"netpol-canary-open-{number}", taken)
        found.append({**_named([*before, *after][0], name), "spec": spec})
    return found


def _cut(name: str) -> str:
    """A name with room for more behind it."""
    return (
        name
        if len(name) <= MOST_NAME
        else f"{name[:MOST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    )


def _free(name: str, taken: set[str]) -> str:
    """It, or one like it that nobody has; taken from now on."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found)
    return found


def _named(policy: Policy, name: str) -> Policy:
    """One of another name, of the same owner."""
    metadata = {k: v for k, v in policy["metadata"].items() if k in ("namespace", "labels")}
    return {**policy, "metadata": {**metadata, "name": name}}
