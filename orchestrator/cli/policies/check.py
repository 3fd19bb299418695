"""`check`: a pull request in one go: findings, intents, connections and risk; one exit code, one summary."""

from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.git.rule_history import History
from orchestrator.adapters.git.worktree import authors_of, files_at
from orchestrator.cli.findings.problems import FORMATS, show
from orchestrator.cli.policies.acceptances import acceptances
from orchestrator.cli.policies.check_problems import CHECKED, problems
from orchestrator.cli.policies.check_summary import Checked, as_data, summary
from orchestrator.cli.policies.diff import compare
from orchestrator.cli.policies.fleets import elsewhere, files_of, fleet_of, say_unread, unread
from orchestrator.cli.policies.lint import CONFIG, added, parted, severities
from orchestrator.cli.policies.recorded import NONE_MATCHED, matched, recorded, say_unknown
from orchestrator.cli.printing import formatted, printed
from orchestrator.cli.rollouts import sources
from orchestrator.errors import BadInput
from orchestrator.policy.author import intents
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import parse_all
from orchestrator.policy.impact.change_verdict import decide
from orchestrator.policy.impact.risk import LEVELS, RiskRules
from orchestrator.policy.impact.weighing import Item, items, weighed
from orchestrator.policy.lint.accepting import Accepted, current, of_finding, of_item
from orchestrator.policy.lint.linter import Finding, lint
from orchestrator.policy.network import recordings
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.policy.workloads.fleet import Fleet


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
    """0 where the change is fine, 3 where a person has to review it, 1 where it is blocked."""
    formatted(output, "markdown", *FORMATS)
    most = next((level for level in LEVELS if level == max_risk), None)
    if max_risk and most is None:
        raise BadInput(f"{max_risk} is not a level of risk", "--max-risk", f"take {', '.join(LEVELS)}")
    rules = sources.from_file(source).spec.strategy.risk if source else RiskRules()
    files, settled = files_of(path), profile(cni)
    more = elsewhere(workloads, path)
    began, told = parted(path, base)
    before, after = (
        fleet_of(files_at(path, began), f"{path} at {base}", True, keep_invalid=True, more=more),
        fleet_of(files, str(path), keep_invalid=True, more=more),
    )
    say_unread(before, after)
    tests = intents.tests_of(parse_all(files))
    authors = authors_of(path, began, "HEAD", CONFIG) if rules.accepted_by_others else None
    given = current(acceptances(path / CONFIG, authors), SystemClock().now().date())
    seen = recorded(flows) if flows is not None else []
    moved = compare(before, after, settled, History(path, began, "HEAD", working=True), flows=seen)
    found = [_accepted(f, given) for f in _new(path, before, after)]
    weights = [_lowered(i, given) for i in items(moved.changes, moved.impact, rules)]
    result = Checked(
        base=base,
        risk=weighed(weights, rules),
        items=weights,
        findings=found,
        intents=intents.run(after, tests, settled),
        moved=moved,
        recorded=_replayed(before, after, flows, seen, settled),
        void=_void(found, weights, given),
        unread=[*told, *unread(before, after)],
    )
    verdict = decide(result.risk, most, result.blocks, len(result.worst), moved.unknown)
    if output in ("json", "yaml"):
        printed({**as_data(result, verdict), "notRead": result.unread}, output)
    elif output in FORMATS:
        show(path, problems(result, before, after), output, files, CHECKED)
    else:
        print("\n".join(summary(result, verdict)))
    return verdict.code


def _new(path: Path, before: Fleet, after: Fleet) -> list[Finding]:
    """What lint finds afterwards alone, the worst first."""
    levels = severities(path, None)
    return [f for f in added(lint(after, levels), lint(before, levels)) if not f.ignored]


def _accepted(finding: Finding, given: list[Accepted]) -> Finding:
    said = next((a.said for a in of_finding(finding, given) if not a.void), "")
    return replace(finding, ignored=said) if said else finding


def _lowered(item: Item, given: list[Accepted]) -> Item:
    said = next((a.said for a in of_item(item, given) if not a.void), "")
    return replace(item, accepted=said) if said else item


def _void(found: list[Finding], weights: list[Item], given: list[Accepted]) -> list[str]:
    """Acceptances of what the change does that do not count, and why not."""
    meant = [a for f in found if not f.ignored for a in of_finding(f, given)]
    meant += [a for i in weights if not i.accepted for a in of_item(i, given)]
    return list(
        dict.fromkeys(
            f"the acceptance of {a.acceptance.finding} ({a.where}) does not count: {a.void}" for a in meant
        )
    )


def _replayed(
    before: Fleet, after: Fleet, flows: Path | None, seen: list[recordings.Flow], settled: dict[str, bool]
) -> recordings.Replay | None:
    if flows is None:
        return None
    before, after = known_alone(before, after)
    found = recordings.replay(after, seen, settled)
    say_unknown(after, found.unknown)
    if not matched(found):
        raise BadInput(NONE_MATCHED, str(flows), "give flows of these workloads, or --workloads DIR")
    return found.since(recordings.replay(before, seen, settled))
