"""The columns of `get`: those of a kind as the CRD has them, or those that the person asks for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestrator.cli.objects.json_paths import JsonPath, relaxed
from orchestrator.cli.objects.path_templates import text_of
from orchestrator.errors import BadInput
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.timestamps import stamp

WIDTH = 48  # characters of a cell, but for -o wide
MOST_COLUMNS = 50
WHERE = "-o custom-columns"
ALL_SOURCES = ("RolloutFreeze", ".spec.sources")  # a freeze that names none is one of all
_CONDITION = re.compile(
    r"""\.status\.conditions\[\?\(@\.type=="(\w+)"\)\]\.status"""
)  # as printer columns have it
_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+")
_COLUMN = re.compile(
    r"""([^:,]+):((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|\\.|[^,"'\[\\])+)(?:,|$)"""
)


@dataclass(frozen=True)
class Columns:
    """Titles, and what stands below them for an object."""

    head: list[str]
    row: Callable[[Manifest], list[str]]


def of_kind(kind: str, wide: bool, everywhere: bool) -> Columns:
    """As kubectl prints them; with `everywhere` the namespace stands first."""
    columns = [c for c in KINDS[kind].columns if wide or c[3] == 0]

    def row(obj: Manifest) -> list[str]:
        meta = obj["metadata"]
        space = [str(meta.get("namespace") or "-")] if everywhere else []
        return [*space, meta["name"], *(_cell(obj, kind, c[1], c[2], wide) for c in columns)]

    return Columns([*["NAMESPACE"] * everywhere, "NAME", *(c[0].upper() for c in columns)], row)


def custom(text: str) -> Columns:
    """`NAME:.metadata.name,PHASE:.status.phase`. Raises BadInput."""
    columns: list[tuple[str, JsonPath]] = []
    at = 0
    while at < len(text):
        found = _COLUMN.match(text, at)
        if found is None:
            raise BadInput(
                f"{text[at : at + 40]!r} is no column", WHERE, "write TITLE:.path, with commas between them"
            )
        columns.append((found[1].strip(), relaxed(found[2].strip(), WHERE)))
        at = found.end()
    if len(columns) > MOST_COLUMNS:
        raise BadInput(f"there are more than {MOST_COLUMNS} columns", WHERE, "leave some out")

    def row(obj: Manifest) -> list[str]:
        return [",".join(map(text_of, path.values(obj))) or "<none>" for _, path in columns]

    return Columns([title for title, _ in columns], row)


def _cell(obj: Manifest, of: str, kind: str, path: str, wide: bool) -> str:
    value = _value(obj, path)
    if not value and (of, path) == ALL_SOURCES:
        return "all"
    if value is None or value in ("", [], {}):
        return "-"
    if kind == "date":
        return age(str(value))
    listed = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = _FRACTION.sub("", " ".join(listed.split()))
    if len(text) == 40 and not wide:
        return text[:10]
    return text if wide or len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _value(obj: Manifest, path: str) -> Any:
    if condition := _CONDITION.fullmatch(path):
        known = (obj.get("status") or {}).get("conditions") or []
        return next((c.get("status") for c in known if c.get("type") == condition[1]), None)
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def age(text: str) -> str:
    """As kubectl writes it: 42s, 7m, 3h, 12d."""
    made = stamp(text)
    if made is None:
        return "-"
    seconds = int((datetime.now(UTC) - made).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"
