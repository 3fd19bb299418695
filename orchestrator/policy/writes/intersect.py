"""What two rules, or two policies, both allow, again as rules. Source: NetworkPolicy API, v1.

`Inexact` is raised where no rule says that: a named port against another name or a number.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import NAME_LABEL, conjunction

Rule = dict[str, Any]
Part = Mapping[str, Any]


class Inexact(Exception):
    """No rule allows exactly what both allow."""


def rules(left: Sequence[Part], right: Sequence[Part], side: Direction, namespace: str) -> list[Rule]:
    """The rules that together allow what both lists allow."""
    found: list[Rule] = []
    for one in left:
        for other in right:
            both = _rule(one, other, side, namespace)
            if both is not None and both not in found:
                found.append(both)
    return found


def _rule(left: Part, right: Part, side: Direction, namespace: str) -> Rule | None:
    found: Rule = {}
    for part, both in ((side.peers, _peers(namespace)), ("ports", _port)):
        mine, theirs = left.get(part) or [], right.get(part) or []
        if not mine or not theirs:
            either = mine or theirs
            if either:
                found[part] = list(either)
            continue
        shared = [b for m in mine for t in theirs if (b := both(m, t)) is not None]
        if not shared:
            return None
        found[part] = [s for i, s in enumerate(shared) if s not in shared[:i]]
    return found


def _port(left: Part, right: Part) -> dict[str, Any] | None:
    if left.get("protocol", "TCP") != right.get("protocol", "TCP"):
        return None
    a, b = left.get("port"), right.get("port")
    if a is None or b is None or left == right:
        return dict(right if a is None else left)
    if isinstance(a, str) or isinstance(b, str):
        if a == b:
            return dict(left)
        raise Inexact(f"ports {a} and {b}")
    low = max(a, b)
    high = min(left.get("endPort", a), right.get("endPort", b))
    if low > high:
        return None
    more = {"endPort": high} if high > low else {}
    return {"protocol": left.get("protocol", "TCP"), "port": low, **more}


def _peers(namespace: str) -> Any:
    def both(left: Part, right: Part) -> dict[str, Any] | None:
        if "ipBlock" in left or "ipBlock" in right:
            if "ipBlock" in left and "ipBlock" in right:
                return _block(left["ipBlock"], right["ipBlock"])
            return None
        found: dict[str, Any] = {}
        spaces = [p["namespaceSelector"] for p in (left, right) if p.get("namespaceSelector") is not None]
        if len(spaces) == 1:
            spaces.append({"matchLabels": {NAME_LABEL: namespace}})
        for name, selectors in (
            ("namespaceSelector", spaces),
            ("podSelector", [p["podSelector"] for p in (left, right) if p.get("podSelector") is not None]),
        ):
            if selectors:
                joined = conjunction(selectors[0], selectors[1] if len(selectors) > 1 else {})
                if joined is None:
                    return None
                found[name] = joined
        return found

    return both


def _block(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any] | None:
    a, b = (ipaddress.ip_network(x["cidr"], strict=False) for x in (left, right))
    if a.version != b.version or not a.overlaps(b):
        return None
    small = a if a.prefixlen >= b.prefixlen else b
    excepted = []
    for text in [*(left.get("except") or []), *(right.get("except") or [])]:
        cut = ipaddress.ip_network(text, strict=False)
        if cut.version != small.version or not cut.overlaps(small):
            continue
        if cut.prefixlen <= small.prefixlen:
            return None
        excepted.append(text)
    block: dict[str, Any] = {"cidr": str(small)}
    if excepted:
        block["except"] = list(dict.fromkeys(excepted))
    return {"ipBlock": block}
