"""The order of `get`: what waits for a person first; or that which --sort-by asks for."""

from collections.abc import Sequence
from typing import Any

from orchestrator.cli.objects.json_paths import JsonPath
from orchestrator.cli.objects.path_templates import text_of
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.model import BY_ITSELF
from orchestrator.rollout.resources.objects import age


def ordered(objects: Sequence[Manifest], by: JsonPath | None = None) -> list[Manifest]:
    """Rollouts that wait for a person, then what is oldest. With `by` numbers by size, texts by their letters, nothing first."""
    if by is None:
        return sorted(objects, key=lambda o: (not _waits(o), *age(o)))
    found = [(_size(by.values(obj)), n) for n, obj in enumerate(objects)]
    return [objects[n] for _, n in sorted(found)]


def _waits(obj: Manifest) -> bool:
    status = obj.get("status") or {}
    return status.get("phase") == "Paused" and status.get("pausedFor") not in BY_ITSELF


def _size(values: list[Any]) -> tuple[int, float, str]:
    """What is compared: nothing, then numbers, then texts."""
    first = values[0] if values else None
    if first is None:
        return 0, 0.0, ""
    if isinstance(first, int | float) and not isinstance(first, bool):
        return 1, float(first), ""
    return 2, 0.0, text_of(first)
