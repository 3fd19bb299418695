"""Label selectors: matching, conjunction, complement, and reading them from text.

Source: Kubernetes API, LabelSelector. `{}` matches everything, None matches nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

NAME_LABEL = "kubernetes.io/metadata.name"  # the API server gives it to every namespace
Selector = dict[str, Any]
Requirement = tuple[str, str, frozenset[str]]
_HOLDS: dict[str, Callable[[str | None, frozenset[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}
_OPPOSITE = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}


def requirements(selector: Mapping[str, Any]) -> list[Requirement]:
    """The selector as (key, operator, values), all of which must hold."""
    found = [(k, "In", frozenset([v])) for k, v in sorted((selector.get("matchLabels") or {}).items())]
    for entry in selector.get("matchExpressions") or []:
        found.append((entry["key"], entry["operator"], frozenset(entry.get("values") or [])))
    return found


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector; NotIn also matches where the key is absent."""
    return selector is not None and satisfied(requirements(selector), labels)


def satisfied(wanted: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether labels fulfil each of a selector's requirements."""
    return all(_HOLDS[operator](labels.get(key), values) for key, operator, values in wanted)


def build(parts: list[Requirement]) -> Selector:
    """A selector from requirements; the opposite of `requirements`."""
    if not parts:
        return {}
    found = []
    for key, operator, values in sorted(set(parts), key=lambda p: (p[0], p[1], sorted(p[2]))):
        entry: dict[str, Any] = {"key": key, "operator": operator}
        if values:
            entry["values"] = sorted(values)
        found.append(entry)
    return {"matchExpressions": found}


def merged(parts: Iterable[Requirement]) -> list[Requirement] | None:
    """The same in fewest requirements, one a key and operator, sorted; None where plainly nothing fulfils all of them.

    Two that mean the same labels come out the same.
    """
    by_key: dict[str, dict[str, frozenset[str]]] = {}
    for key, operator, values in parts:
        mine = by_key.setdefault(key, {})
        if operator not in mine:
            mine[operator] = values
        else:
            mine[operator] = mine[operator] & values if operator == "In" else mine[operator] | values
    found = []
    for key, mine in sorted(by_key.items()):
        if "DoesNotExist" in mine and mine.keys() & {"In", "Exists"}:
            return None
        if "In" in mine:  # what is in, exists and is not what it is not
            mine = {"In": mine["In"] - mine.get("NotIn", frozenset())}
            if not mine["In"]:
                return None
        elif "DoesNotExist" in mine:
            mine = {"DoesNotExist": frozenset()}
        elif not mine.get("NotIn", True):  # not in nothing says nothing
            del mine["NotIn"]
        found += [(key, operator, values) for operator, values in sorted(mine.items())]
    return found


def conjunction(left: Mapping[str, Any], right: Mapping[str, Any]) -> Selector | None:
    """What both select, one requirement a key and operator; None where that is plainly nothing."""
    parts = merged([*requirements(left), *requirements(right)])
    return None if parts is None else build(parts)


def opposite(part: Requirement) -> Requirement:
    """What holds of exactly the labels of which a requirement does not."""
    key, operator, values = part
    return key, _OPPOSITE[operator], values


def complement(selector: Mapping[str, Any]) -> list[Selector]:
    """Selectors that together select exactly what this one does not; none for `{}`."""
    return [build([opposite(part)]) for part in requirements(selector)]


_PART = re.compile(
    r"\s*(?:(!)\s*)?([^\s!=,()]+)\s*(?:(==|=|!=)\s*([^\s,()]*)|(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)"
)


def parse(text: str) -> Selector:
    """A selector as kubectl takes it: `a=b,c!=d,e in (x,y),!f,g`. Raises ValueError."""
    parts, at = [], 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise ValueError(f"not a label selector: {text}")
        absent, key, sign, value, word, inner = match.groups()
        values = frozenset(v.strip() for v in (inner or "").split(","))
        if absent:
            parts.append((key, "DoesNotExist", frozenset[str]()))
        elif sign:
            parts.append((key, "NotIn" if sign == "!=" else "In", frozenset([value])))
        elif word:
            parts.append((key, "In" if word == "in" else "NotIn", values))
        else:
            parts.append((key, "Exists", frozenset[str]()))
        at = match.end()
    return build(parts)
