"""Where a finding is from the repository's root, as code scanning and annotations want it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from orchestrator.policy.files.field_places import Place, Places
from orchestrator.policy.lint.findings import Finding


class Spot(NamedTuple):
    """A file and a place in it, as `Place` has it."""

    file: str
    line: int
    column: int
    end: int = 0
    field: str = ""


def spots(found: Iterable[Finding], places: Places) -> list[tuple[Finding, Spot]]:
    """Each finding with its spot; one without a place is at the first file's beginning, since code scanning takes no directory."""
    placed = []
    for f in found:
        file = f.where.rpartition(":")[0] or places.first
        at = places.of(f.where, f.subject, f.message, f.rule.id) if f.where else Place(1, 1)
        placed.append((f, Spot(file, *at)))
    return placed


def relative(directory: Path, placed: Iterable[tuple[Finding, Spot]]) -> list[tuple[Finding, Spot]]:
    """With no absolute path, which code scanning does not take: from the working directory, or else from the directory itself."""
    roots = (Path.cwd(), directory.absolute())
    found = []
    for f, spot in placed:
        root = next((r for r in roots if Path(spot.file).is_relative_to(r)), None)
        found.append((f, spot._replace(file=str(Path(spot.file).relative_to(root))) if root else spot))
    return found
