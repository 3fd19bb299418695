"""Whether one rule of a NetworkPolicy opens all that another one opens, as far as their words show."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import Requirement, requirements

Part = Mapping[str, Any]


def covers(outer: Part, inner: Part, side: Direction) -> bool:
    """Whether every connection of `inner` is one of `outer`; both stand in one namespace."""
    for part, within in (("ports", _port), (side.peers, _peer)):
        wide, narrow = outer.get(part) or [], inner.get(part) or []
        if wide and (not narrow or not all(any(within(w, n) for w in wide) for n in narrow)):
            return False
    return True


def _port(outer: Part, inner: Part) -> bool:
    if outer.get("protocol", "TCP") != inner.get("protocol", "TCP"):
        return False
    first, asked = outer.get("port"), inner.get("port")
    if not isinstance(first, int) or not isinstance(asked, int):
        return first is None or bool(first == asked)
    return first <= asked and inner.get("endPort", asked) <= outer.get("endPort", first)


def _peer(outer: Part, inner: Part) -> bool:
    if "ipBlock" in outer or "ipBlock" in inner:
        return "ipBlock" in outer and "ipBlock" in inner and _block(outer["ipBlock"], inner["ipBlock"])
    spaces, asked = outer.get("namespaceSelector"), inner.get("namespaceSelector")
    # Without a namespaceSelector the policy's own namespace is meant, which {} holds as well.
    own = asked is None and (spaces is None or not requirements(spaces))
    if not own and (spaces is None or asked is None or not _selector(spaces, asked)):
        return False
    return _selector(outer.get("podSelector") or {}, inner.get("podSelector") or {})


def _selector(outer: Part, inner: Part) -> bool:
    """Whether what the narrower one asks for holds all that the wider one asks for."""
    asked = requirements(inner)
    return all(any(_implies(a, wanted) for a in asked) for wanted in requirements(outer))


def _implies(given: Requirement, wanted: Requirement) -> bool:
    (key, operator, values), (other, asked, theirs) = given, wanted
    if key != other:
        return False
    if operator == "In":
        fits = {"In": values <= theirs, "NotIn": not values & theirs, "Exists": True}
        return fits.get(asked, False)
    if operator == "DoesNotExist":
        return asked in ("DoesNotExist", "NotIn")
    return operator == asked and (operator == "Exists" or theirs <= values)


def _block(outer: Part, inner: Part) -> bool:
    wide, narrow = (ipaddress.ip_network(b["cidr"], strict=False) for b in (outer, inner))
    if wide.version != narrow.version or not narrow.subnet_of(wide):  # type: ignore[arg-type]
        return False
    left = [ipaddress.ip_network(e, strict=False) for e in inner.get("except") or []]
    holes = [ipaddress.ip_network(e, strict=False) for e in outer.get("except") or []]
    return all(
        not hole.overlaps(narrow) or any(hole.subnet_of(mine) for mine in left)  # type: ignore[arg-type]
        for hole in holes
    )
