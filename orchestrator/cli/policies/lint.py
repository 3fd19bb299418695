"""`lint`: findings as text, as data, or as CI systems and Git hosts take them."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.adapters.git.directory import Directory
from orchestrator.adapters.git.worktree import files_at, merge_base
from orchestrator.adapters.kube.schemas import findings
from orchestrator.cli.findings.framed_findings import LISTED, drawn, listed
from orchestrator.cli.findings.problems import FORMATS, show
from orchestrator.cli.findings.sarif import LEVELS
from orchestrator.cli.findings.spots import Spot, spots
from orchestrator.cli.mistakes.frames import show as show_frame
from orchestrator.cli.policies.acceptances import configured
from orchestrator.cli.policies.fleets import elsewhere
from orchestrator.cli.printing import formatted, note, printed
from orchestrator.errors import BadInput
from orchestrator.harmless import one_line
from orchestrator.policy.evaluate.cni_profiles import GENERIC, profile
from orchestrator.policy.files.field_places import Places, located
from orchestrator.policy.files.manifest import Document, below, parse_sound
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.policy.files.shape import shown
from orchestrator.policy.lint.linter import RULES, Finding, lint, malformed
from orchestrator.policy.workloads.fleet import Fleet, hidden
from orchestrator.policy.workloads.fleet import fleet as read
from orchestrator.wording import many

CONFIG = ".netpol-canary.yaml"
MACHINE = ("json", "yaml", *FORMATS)
SECTIONS = frozenset({"lint", "accepted"})  # of that file
TAKEN = (*LEVELS, "off")  # for a rule


def explain(rule: str) -> int:
    """What a rule looks for, and why."""
    if rule not in RULES:
        raise BadInput(
            f"there is no rule {rule}",
            "--explain",
            did_you_mean(rule, RULES, f"take one of {', '.join(RULES)}"),
        )
    found = RULES[rule]
    print(f"{found.id} ({found.severity}): {found.title}\n\n{found.text}\n\nFix: {found.fix}.")
    return 0


def check(
    path: Path,
    fail_on: str,
    config: Path | None,
    version: str,
    workloads: Path | None,
    output: str,
    base: str = "",
    cni: str = GENERIC,
) -> int:
    """0, or 1 where a finding is at least as severe as `fail_on`; with `base`, one that is not there, too."""
    formatted(output, *LISTED, *FORMATS)
    order = ("info", "warning", "error")
    if fail_on not in (*order, "never"):
        raise BadInput(f"{fail_on} is not a severity", "--fail-on", "take info, warning, error or never")
    profile(cni)
    levels = severities(path, config)
    files = Directory(path).files("") if path.is_dir() else {}
    given, wrong = _sound(files)
    more = elsewhere(workloads, path)
    fleet, not_read = _fleet(path, [*given, *more], cni)
    if not fleet.workloads:
        text = "no workload is known: what needs them is left out; give --workloads DIR"
        note(text)
    everything = _all(fleet, given, wrong, levels, version)
    if base:
        then, unread = _sound(files_at(path, parted(path, base)[0]))
        old = _all(read([*then, *more], keep_invalid=True).under(cni), then, unread, levels, version)
        everything = added(everything, old, lambda f: (*same(f), bool(f.ignored)))  # no more ignored is new
    found = [f for f in everything if not f.ignored]
    places = Places(files)
    if output in FORMATS:
        show(path, everything, output, places)
    elif output in MACHINE:
        rows = [_data(*placed) for placed in spots(everything, places)]
        printed({"findings": rows, "notRead": not_read}, output)
    else:
        listed(spots(found, places), places, output)
        ignored = len(everything) - len(found)
        print(many(len(found), "finding") + (f", {ignored} ignored" if ignored else ""))
    lost = spots([*map(_unread, wrong), *malformed(fleet)], places)
    if lost:
        first, spot = lost[0]
        said = BadInput(first.message, f"{spot.file}:{spot.line}", wrong[0].hint if wrong else "")
        more_ = f" (and {len(lost) - 1} more of NPC026)" if len(lost) > 1 else ""
        note(f"{said}{more_}")
        if wrong and (output in MACHINE or not drawn(output)):
            show_frame(wrong[0])
        return 2
    worst = max((order.index(f.rule.severity) for f in found), default=-1)
    return 1 if fail_on != "never" and worst >= order.index(fail_on) else 0


def _sound(files: Mapping[str, bytes]) -> tuple[list[Document], list[BadInput]]:
    parsed = [parse_sound(text, name, below(files)) for name, text in files.items()]
    return [d for documents, _ in parsed for d in documents], [e for _, errors in parsed for e in errors]


def _all(
    fleet: Fleet,
    given: Sequence[Document],
    wrong: Sequence[BadInput],
    levels: Mapping[str, str],
    version: str,
) -> list[Finding]:
    return lint(fleet, levels, [*findings(given, version), *(_unread(e) for e in wrong)], version)


def same(finding: Finding) -> tuple[str, str, str]:
    """What makes a finding the same, wherever its object stands."""
    return finding.rule.id, finding.subject, finding.message


def added(
    found: Sequence[Finding], before: Sequence[Finding], key: Callable[[Finding], Hashable] = same
) -> list[Finding]:
    """Those that were not found before; of an object that stands once more than before, the last ones of a file that has more of them."""
    count, known = Counter(map(key, found)), Counter(map(key, before))
    left = Counter((key(f), _place(f)[0]) for f in before)
    new = set()
    for f in sorted(found, key=_place):
        left[key(f), _place(f)[0]] -= 1
        if not known[key(f)] or (count[key(f)] > known[key(f)] and left[key(f), _place(f)[0]] < 0):
            new.add(id(f))
    return [f for f in found if id(f) in new]


def _place(finding: Finding) -> tuple[str, int]:
    file, _, line = finding.where.rpartition(":")
    return file, int(line) if line.isdigit() else 0


def parted(path: Path, base: str) -> tuple[str, list[str]]:
    """The commit at which the branch began, for what the base got since is none of its changes; what is to be said of it."""
    found = merge_base(path, base, "HEAD")
    if found:
        return found, []
    name = one_line(base)
    told = f"no common commit of {name} and HEAD is here: compared with {name} as it is"
    note(told)
    return base, [told]


def _fleet(path: Path, documents: Sequence[Document], cni: str) -> tuple[Fleet, list[str]]:
    """What can be read, with the rest beside it; says what was not analysed and is no finding."""
    Directory(path).resolve()
    found = read(documents, keep_invalid=True).under(cni)
    findings_too = {hidden(document, wrong) for document, wrong in found.malformed}
    not_read = [what for what in found.skipped if what not in findings_too]
    for what in not_read:
        note(f"not analysed: {what}")
    return found, not_read


def _unread(error: BadInput) -> Finding:
    file, _, line = error.where.rpartition(":")
    place = (file, error.where) if line.isdigit() and file else (error.where, f"{error.where}:1")
    return Finding(RULES["NPC026"], place[0], error.message, place[1], fix=error.hint, cited=error.cited)


def severities(path: Path, config: Path | None) -> dict[str, str]:
    """Severities by rule, from a file, or from `.netpol-canary.yaml` in the directory. Raises BadInput."""
    file = config or path / CONFIG
    if config is None and not file.exists():
        return {}
    text, data = configured(file)
    rules = data.get("lint", {}) if isinstance(data, dict) and data else None
    strange = next((str(key) for key in data if key not in SECTIONS), "") if isinstance(data, dict) else ""
    if strange:
        fix = did_you_mean(strange, SECTIONS, f"take {' or '.join(sorted(SECTIONS))}")
        where, cited = located(text.encode(), str(file), strange)
        raise BadInput(f"{shown(strange)}: unknown field", where, fix, cited)
    if not isinstance(rules, dict):
        where, cited = located(text.encode(), str(file), "lint")
        fix = "such as lint: {NPC004: warning, NPC007: off}"
        raise BadInput("a mapping with `lint` is wanted", where, fix, cited)
    found = {str(rule): "off" if level is False else str(level) for rule, level in rules.items()}
    for rule, level in found.items():
        if rule not in RULES or level not in TAKEN:
            levels = f"take {', '.join(LEVELS)} or off, and a known rule"
            given, known = (level, [*TAKEN]) if rule in RULES else (rule, [*RULES])
            fix = did_you_mean(given, known, levels)
            where, cited = located(text.encode(), str(file), f"lint.{rule}")
            raise BadInput(f"lint.{rule}: {level}", where, fix, cited)
    return found


def _data(f: Finding, spot: Spot) -> dict[str, Any]:
    return {
        "id": f.rule.id,
        "severity": f.rule.severity,
        "subject": f.subject,
        "message": f.message,
        "where": f"{spot.file}:{spot.line}" if f.where else "",
        "line": spot.line,
        "column": spot.column,
        "ignored": f.ignored,
    }
