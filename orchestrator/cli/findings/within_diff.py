"""Findings at lines that a pull request shows: a Git host leaves out an annotation of any other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.adapters.git.changed_lines import Hunk
from orchestrator.cli.findings.spots import Spot
from orchestrator.policy.lint.findings import Finding

Changed = Mapping[str, Sequence[Hunk]]


def within(placed: Sequence[tuple[Finding, Spot]], changed: Changed) -> list[tuple[Finding, Spot]]:
    """Each as it is where its line is shown; else it says where it stands, at what was written that has to do with it."""
    return [_shown(finding, spot, changed) for finding, spot in placed] if changed else list(placed)


def _shown(finding: Finding, spot: Spot, changed: Changed) -> tuple[Finding, Spot]:
    stands = f"{spot.file}:{spot.line}" if finding.where else ""
    if stands and any(h.shows(spot.line) for h in changed.get(spot.file, ())):
        return finding, spot
    near = _named(stands, changed) or _named(finding.message, changed)
    file, line = near or next((name, hunks[0].first) for name, hunks in changed.items())
    said = f"{finding.message} ({stands})" if stands else finding.message
    return replace(finding, message=said, where=f"{file}:{line}"), Spot(file, line, 1)


def _named(text: str, changed: Changed) -> tuple[str, int] | None:
    """The first changed file that a text names with a line, and the line closest to that which was written."""
    for file, hunks in changed.items():
        if found := re.search(rf"(?<![\w/.-]){re.escape(file)}:(\d{{1,9}})", text):
            line = int(found[1])
            return file, min((h.nearest(line) for h in hunks), key=lambda at: abs(at - line))
    return None
