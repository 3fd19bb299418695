"""Findings as people read them: one line each, or with the line of the file, a caret below it, and one fix."""

import sys
from collections.abc import Iterable

from orchestrator.cli.findings.spots import Spot
from orchestrator.cli.mistakes.frames import frame, picture, wanted
from orchestrator.errors import BadInput
from orchestrator.harmless import one_line
from orchestrator.policy.files.field_places import Place, Places
from orchestrator.policy.files.remedies import remedy
from orchestrator.policy.lint.findings import Finding

LISTED = ("full", "concise")


def drawn(output: str) -> bool:
    """Whether lines of files are shown: as `-o` says, else on a terminal, or as NETPOL_CANARY_FRAMES says."""
    return output == "full" or (output != "concise" and wanted(sys.stdout))


def listed(found: Iterable[tuple[Finding, Spot]], places: Places, output: str) -> None:
    """Print them; `output` is one of LISTED, or empty."""
    full = drawn(output)
    for f, spot in found:
        print("\n".join([*_full(f, spot, places), ""]) if full else _concise(f, spot))


def _concise(f: Finding, spot: Spot) -> str:
    place = f"{spot.file}:{spot.line}: " if f.where else ""
    return one_line(f"{place}{f.rule.severity} {f.rule.id} {f.subject}: {f.message}")


def _full(f: Finding, spot: Spot, places: Places) -> list[str]:
    wrong, fix = remedy(f.message, f.fix or f.rule.fix)
    title = one_line(f"{f.rule.severity} {f.rule.id} {f.subject}: {wrong}")
    if f.cited is not None:
        return [title, *frame(BadInput(wrong, f.where, fix, f.cited))]
    if not f.where:
        return [title, f"  = help: {one_line(fix)}"]
    place = Place(spot.line, spot.column, spot.end)
    field = "" if spot.field in wrong else spot.field
    return [title, *picture(places.text(spot.file), spot.file, place, fix, field)]
