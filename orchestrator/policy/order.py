"""The order of writes that keeps a namespace safe after each single one of them.

A single changed object is one atomic write. With several: pods isolated at one end only are covered by
temporary allow-all policies, then everything that widens is written, then what narrows, then the
temporary policies go. Per direction this allows nothing that neither end allows and denies nothing that
both allow; `exact` says whether that also holds for pairs with both ends in this namespace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.policy.selector import complement, conjunction

Policy = dict[str, Any]
BRIDGE_LABEL = "netpol-canary.dev/bridge"
SIDES = (("Ingress", "ingress"), ("Egress", "egress"))
MOST_TEMPORARY = 64


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


def directions(policy: Mapping[str, Any]) -> set[str]:
    """policyTypes, defaulted as the API does."""
    spec = policy["spec"]
    types = spec.get("policyTypes")
    if types:
        return set(types)
    return {"Ingress", "Egress"} if spec.get("egress") else {"Ingress"}


def _name(policy: Mapping[str, Any]) -> str:
    return str(policy["metadata"]["name"])


def _rules(policy: Mapping[str, Any]) -> dict[str, list[str]]:
    spec, mine = policy["spec"], directions(policy)
    return {
        side: [json.dumps(r, sort_keys=True) for r in spec.get(part) or []] if side in mine else []
        for side, part in SIDES
    }


def _selector(policy: Mapping[str, Any]) -> dict[str, Any]:
    return dict(policy["spec"].get("podSelector") or {})


def _within(small: Policy, large: Policy) -> bool:
    """Same pods, same directions, and every rule of the one is in the other."""
    if _selector(small) != _selector(large) or directions(small) != directions(large):
        return False
    inner, outer = _rules(small), _rules(large)
    return all(set(inner[side]) <= set(outer[side]) for side, _ in SIDES)


def _union(before: Policy, after: Policy) -> Policy:
    spec: dict[str, Any] = {"podSelector": _selector(after)}
    types = directions(before) | directions(after)
    spec["policyTypes"] = [side for side, _ in SIDES if side in types]
    old, new = _rules(before), _rules(after)
    for side, part in SIDES:
        rules = [*new[side], *(r for r in old[side] if r not in new[side])]
        if rules:
            spec[part] = [json.loads(r) for r in rules]
    return {**after, "spec": spec}


def _temporary(namespace: str, tag: str, number: int, spec: dict[str, Any]) -> Policy:
    metadata = {
        "name": f"netpol-canary-bridge-{tag}-{number}",
        "namespace": namespace,
        "labels": {BRIDGE_LABEL: tag},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": spec,
    }


def _only(selecting: Sequence[Policy], others: Sequence[Policy], side: str) -> list[dict[str, Any]]:
    """Selectors for the pods that the first isolate in a direction and the others do not."""
    found: list[dict[str, Any]] = []
    for policy in selecting:
        if side not in directions(policy):
            continue
        parts = [_selector(policy)]
        for other in others:
            if side not in directions(other):
                continue
            negated = complement(_selector(other))
            parts = [c for p in parts for n in negated if (c := conjunction(p, n)) is not None]
            if len(parts) > MOST_TEMPORARY:
                parts = parts[:MOST_TEMPORARY]
        found += [p for p in parts if p not in found]
    return found[:MOST_TEMPORARY]


def _bridges(
    namespace: str, before: Sequence[Policy], after: Sequence[Policy], unchanged: Sequence[Policy], tag: str
) -> list[Policy]:
    found: list[Policy] = []
    for side, part in SIDES:
        selectors = _only(before, [*after, *unchanged], side) + _only(after, [*before, *unchanged], side)
        for selector in selectors:
            spec = {"podSelector": selector, "policyTypes": [side], part: [{}]}
            found.append(_temporary(namespace, tag, len(found), spec))
    return found


def steps(
    namespace: str,
    before: Sequence[Policy],
    after: Sequence[Policy],
    unchanged: Sequence[Policy],
    tag: str,
) -> Order:
    """The writes from `before` to `after`, which hold only the NetworkPolicies that differ."""
    old, new = {_name(p): p for p in before}, {_name(p): p for p in after}
    names = sorted({*old, *new})
    if len(names) == 1:
        return Order(tuple(_direct(old, new, names[0])))
    temporary = _bridges(namespace, before, after, unchanged, tag)
    widen: list[Write] = []
    narrow: list[Write] = []
    for name in names:
        if name not in old or (name in new and _within(old[name], new[name])):
            widen += _direct(old, new, name)
        elif name not in new or _within(new[name], old[name]):
            narrow += _direct(old, new, name)
        elif _selector(old[name]) == _selector(new[name]):
            widen.append(Write("replace", _union(old[name], new[name])))
            narrow.append(Write("replace", new[name]))
        else:
            copy = _temporary(namespace, tag, len(temporary), dict(new[name]["spec"]))
            temporary.append(copy)
            narrow.append(Write("replace", new[name]))
    writes = [Write("create", t) for t in temporary] + widen + narrow
    writes += [Write("delete", t) for t in reversed(temporary)]
    touched = {side for policy in [*before, *after] for side in directions(policy)}
    exact = len(touched) < 2 or not widen or not narrow
    note = "" if exact else "connections within the namespace may open briefly while both directions change"
    return Order(tuple(writes), exact, note)


def _direct(old: Mapping[str, Policy], new: Mapping[str, Policy], name: str) -> list[Write]:
    if name not in new:
        return [Write("delete", old[name])]
    return [Write("replace" if name in old else "create", new[name])]
