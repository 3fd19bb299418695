"""Which policies may select the pods that a selector selects, without trying each of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.selector import requirements


class Overlapping:
    """Policies by a label that their pods must have."""

    def __init__(self, policies: Sequence[Mapping[str, Any]]) -> None:
        self._anywhere: list[tuple[int, Mapping[str, Any]]] = []
        self._by_label: dict[str, dict[str, list[tuple[int, Mapping[str, Any]]]]] = {}
        for entry in enumerate(policies):
            wanted = _values(entry[1]["spec"].get("podSelector") or {})
            if not wanted:
                self._anywhere.append(entry)
                continue
            key = min(wanted)
            for value in wanted[key]:
                self._by_label.setdefault(key, {}).setdefault(value, []).append(entry)

    def near(self, selector: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """All that may select a pod of the selector, in the order in which they were given."""
        wanted = _values(selector)
        found = dict(self._anywhere)
        for key, by_value in self._by_label.items():
            for value in wanted.get(key, by_value):
                found.update(by_value.get(value, ()))
        return [found[number] for number in sorted(found)]


def _values(selector: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The values that a pod's labels may have, of the labels that it must have."""
    found: dict[str, frozenset[str]] = {}
    for key, operator, values in requirements(selector):
        if operator == "In":
            found[key] = found[key] & values if key in found else values
    return found
