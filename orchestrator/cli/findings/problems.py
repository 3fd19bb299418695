"""Findings as CI systems and Git hosts take them: SARIF, GitHub's annotations, JUnit, GitLab's code quality."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.cli.edge import annotate
from orchestrator.cli.findings.junit import Case, suite
from orchestrator.cli.findings.sarif import fingerprint, sarif
from orchestrator.cli.findings.spots import Spot, relative, spots
from orchestrator.cli.findings.within_diff import Changed, within
from orchestrator.cli.printing import printed
from orchestrator.harmless import one_line
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.lint.findings import RULES, Finding
from orchestrator.policy.lint.rules.rule import Rule

FORMATS = ("sarif", "github", "junit", "gitlab")
_GITHUB = {"error": "error", "warning": "warning", "info": "notice"}
_GITLAB = {"error": "major", "warning": "minor", "info": "info"}
_ORDER = tuple(_GITHUB)


def show(
    directory: Path,
    found: Sequence[Finding],
    output: str,
    places: Places,
    rules: Mapping[str, Rule] = RULES,
    changed: Changed | None = None,
) -> None:
    """Print them, the worst first: a Git host shows about ten annotations a step, where `changed` says what it shows at all."""
    order = sorted(found, key=lambda f: _ORDER.index(f.rule.severity))
    placed = relative(directory, spots(order, places))
    left = [(f, spot) for f, spot in placed if not f.ignored]
    if output == "sarif":
        printed(sarif(placed, rules), "json")
    elif output == "gitlab":
        printed([_quality(f, spot) for f, spot in left], "json")
    elif output == "junit":
        print(_junit(left))
    else:
        for f, spot in within(left, changed or {}):
            line, column = (str(spot.line), str(spot.column)) if f.where else ("", "")
            text = f"{f.subject}: {f.message}"
            annotate(_GITHUB[f.rule.severity], f.rule.id, text, spot.file if f.where else "", line, column)


def _quality(f: Finding, spot: Spot) -> dict[str, object]:
    """GitLab's "Code Quality report format"."""
    begin = {"line": spot.line, "column": spot.column}
    return {
        "description": one_line(f"{f.subject}: {f.message}"),
        "check_name": f.rule.id,
        "fingerprint": fingerprint(f, spot.file),
        "severity": _GITLAB[f.rule.severity],
        "location": {"path": spot.file, "lines": {"begin": spot.line}, "positions": {"begin": begin}},
    }


def _junit(found: Sequence[tuple[Finding, Spot]]) -> str:
    cases = []
    for f, spot in found:
        place = f"{spot.file}:{spot.line}:{spot.column}" if f.where else f.subject
        cases.append(Case(f"{f.rule.id} {f.subject}", place, "failure", (f.message,)))
    return suite(cases)
