"""Where a finding is from the repository's root, as code scanning and annotations want it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from orchestrator.policy.findings import Finding
from orchestrator.policy.places import Places


class Spot(NamedTuple):
    """A file, a line and a column, which count from 1."""

    file: str
    line: int
    column: int


def from_root(directory: Path, where: str) -> tuple[str, int]:
    """The path from the repository's root, and the line, of a `file:line` below the directory or the working directory.

    Outside of a repository it is from the working directory, or else from the directory itself.
    """
    file, _, line = where.rpartition(":")
    inside, elsewhere = directory / file, Path(file)
    # A name that is no text is shown escaped and cannot be found: it is below the directory all the same.
    path = (elsewhere if elsewhere.exists() and not inside.exists() else inside).resolve()
    roots = [p for p in path.parents if (p / ".git").exists()][:1] or [Path.cwd(), directory]
    root = next((r.resolve() for r in roots if path.is_relative_to(r.resolve())), None)
    return str(path.relative_to(root)) if root else str(path), int(line) if line.isdigit() else 1


def spots(directory: Path, found: Iterable[Finding], places: Places) -> list[tuple[Finding, Spot]]:
    """Each finding with its spot; one without a place is at the first file's beginning, since code scanning takes no directory."""
    placed = []
    for f in found:
        file, _ = from_root(directory, f.where or f"{places.first or '.'}:1")
        line, column = places.of(f.where, f.subject, f.message, f.rule.id) if f.where else (1, 1)
        placed.append((f, Spot(file, line, column)))
    return placed
