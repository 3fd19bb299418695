"""`check`: a pull request in one go: findings, intents, connections and risk; one exit code, one summary."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.adapters.directory import Directory
from orchestrator.adapters.revision import commits_of, files_at, merge_base
from orchestrator.cli import sources
from orchestrator.cli.difference import Difference, as_data, compare, fitting, markdown
from orchestrator.cli.lint import severities
from orchestrator.cli.network import elsewhere, fleet_of
from orchestrator.cli.recorded import NONE_MATCHED, matched, recorded, say_unknown
from orchestrator.cli.replay import summary, told
from orchestrator.cli.report import formatted, printed
from orchestrator.errors import BadInput
from orchestrator.harmless import code, one_line
from orchestrator.harmless import markdown as inert
from orchestrator.policy import flows as recordings
from orchestrator.policy import intents
from orchestrator.policy.lint import Finding, lint
from orchestrator.policy.manifest import parse
from orchestrator.policy.reading import profile
from orchestrator.policy.risk import LEVELS, Risk, RiskRules, risk

# Characters of a comment, which Git hosts limit to 65,536; the table and graph of connections have limits of their own.
MOST_BLOCKS = 5_000
MOST_REASONS = 1_500
MOST_FOUND = 4_000
MOST_RECORDED = 3_000


def check(
    path: Path,
    base: str,
    max_risk: str,
    source: str,
    flows: Path | None,
    workloads: Path | None,
    cni: str,
    output: str,
) -> int:
    """0 where nothing blocks the change, else 1."""
    formatted(output, "markdown")
    if max_risk not in LEVELS:
        raise BadInput(f"{max_risk} is not a level of risk", "--max-risk", f"take {', '.join(LEVELS)}")
    rules = sources.from_file(source).spec.strategy.risk if source else RiskRules()
    directory, settled = Directory(path), profile(cni)
    files = directory.files(directory.resolve())
    more = elsewhere(workloads)
    began = _began(path, base)
    before, after = (
        fleet_of(files_at(path, began), f"{path} at {base}", True, keep_invalid=True, more=more),
        fleet_of(files, str(path), keep_invalid=True, more=more),
    )
    tests = intents.tests_of(d for name, content in files.items() for d in parse(content, name))
    levels = severities(path, None)
    known = {(f.rule.id, f.subject, f.message) for f in lint(before, levels)}
    found = [
        f for f in lint(after, levels) if not f.ignored and (f.rule.id, f.subject, f.message) not in known
    ]
    results = intents.run(after, tests, settled)
    moved = compare(before, after, settled, commits_of(path, began, "HEAD"))
    level = risk(moved.changes, moved.impact, rules)
    blocks = [_said(f) for f in found if f.rule.severity == "error"]
    blocks += [f"{r.name}: {r.problems[0]}" for r in results if r.problems]
    replayed = recordings.replay(after, recorded(flows), settled) if flows is not None else None
    if replayed is not None:
        say_unknown(after, replayed.unknown)
        if not matched(replayed):
            raise BadInput(NONE_MATCHED, str(flows), "give flows of these workloads, or --workloads DIR")
    if replayed is not None and replayed.cut:
        blocks.append(f"{len(replayed.cut)} recorded connections would be cut, {told(replayed)[0]}")
    if LEVELS.index(level.level) > LEVELS.index(max_risk):
        blocks.append(f"the risk is {level.level}, at most {max_risk} is allowed: {'; '.join(level.reasons)}")
    if output in ("json", "yaml"):
        data = {
            "passed": not blocks,
            "risk": {"level": level.level, "reasons": list(level.reasons)},
            "blocks": blocks,
            "findings": [{"id": f.rule.id, "subject": f.subject, "message": f.message} for f in found],
            "tests": [intents.as_data(r) for r in results],
            **as_data(moved),
        }
        if replayed is not None:
            data["recorded"] = {"allowed": replayed.allowed, "cut": len(replayed.cut)}
        printed(data, output)
    else:
        lines = _summary(blocks, level, found, results, moved, base)
        if replayed is not None:
            lines += [
                "",
                f"Recorded flows: {summary(replayed)}.",
                "",
                *fitting((f"    {one_line(line)}" for line in told(replayed)), MOST_RECORDED),
            ]
        print("\n".join(lines))
    return 1 if blocks else 0


def _began(path: Path, base: str) -> str:
    """The commit at which the branch began: what the base got since then is none of its changes."""
    found = merge_base(path, base, "HEAD")
    if not found:
        print(
            f"netpol-canary: no common commit of {one_line(base)} and HEAD is here (a shallow clone?): compared with"
            f" {one_line(base)} as it is",
            file=sys.stderr,
        )
    return found or base


def _said(finding: Finding) -> str:
    where = f" ({finding.where})" if finding.where else ""
    return f"{finding.rule.id} {finding.subject}: {finding.message}{where}"


def _summary(
    blocks: list[str],
    level: Risk,
    found: list[Finding],
    results: list[intents.Result],
    moved: Difference,
    base: str,
) -> list[str]:
    """Markdown for a pull request; it reads well in a terminal, too."""
    word = "❌ blocked" if blocks else "✅ fine"
    lines = [f"## Network policies against {code(base)}: {word}", ""]
    lines += _some([f"- **{inert(block)}**" for block in blocks], MOST_BLOCKS) + ([""] if blocks else [])
    lines.append(f"Risk: **{level.level}** ({inert('; '.join(level.reasons)[:MOST_REASONS])}).")
    held = sum(not r.problems for r in results)
    lines.append(
        f"Intents: {held} of {len(results)} hold." if results else "Intents: there is no PolicyTest."
    )
    lines += ["", *markdown(moved)]
    if found:
        lines += ["", "New findings:", ""]
        lines += _some([f"- {f.rule.severity} {inert(_said(f))}" for f in found], MOST_FOUND)
    return lines


def _some(lines: list[str], most: int) -> list[str]:
    """As many as a comment has room for; `-o json` has them all."""
    kept = fitting(lines, most)
    return kept if len(kept) == len(lines) else [*kept, f"- and {len(lines) - len(kept)} more"]
