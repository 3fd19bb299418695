"""`check`: a pull request in one go: findings, intents, connections and risk; one exit code, one summary."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.git.changed_lines import changed_lines
from orchestrator.adapters.git.rule_history import History
from orchestrator.adapters.git.worktree import authors_of, files_at
from orchestrator.cli.edge import annotate
from orchestrator.cli.findings.framed_findings import LISTED, drawn, listed
from orchestrator.cli.findings.problems import FORMATS, show
from orchestrator.cli.findings.spots import spots
from orchestrator.cli.policies.acceptances import acceptances
from orchestrator.cli.policies.check_problems import CHECKED, problems
from orchestrator.cli.policies.check_summary import Checked, as_data, closing, summary
from orchestrator.cli.policies.diff import compare
from orchestrator.cli.policies.fleets import elsewhere, files_of, fleet_of, say_unread, unread
from orchestrator.cli.policies.lint import CONFIG, added, parted, severities
from orchestrator.cli.policies.recorded import NONE_MATCHED, matched, recorded, say_unknown
from orchestrator.cli.printing import formatted, printed
from orchestrator.cli.reviews.ci_job import ci_job
from orchestrator.cli.reviews.handed_on import destinations, into
from orchestrator.cli.reviews.kept_comment import keep
from orchestrator.cli.rollouts import sources
from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.harmless import markdown
from orchestrator.policy.author import intents
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.files.manifest import Known, parse_all
from orchestrator.policy.impact.change_verdict import Verdict, decide
from orchestrator.policy.impact.risk import LEVELS, RiskRules
from orchestrator.policy.impact.weighing import Item, items, weighed
from orchestrator.policy.lint.accepting import Accepted, current, of_finding, of_item
from orchestrator.policy.lint.linter import Finding, lint
from orchestrator.policy.network import recordings
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.policy.workloads.fleet import Fleet


@dataclass(frozen=True)
class Asked:
    """What is checked, against what, and what is taken as risky; `max_risk`, `source` and `cni` as they are typed."""

    path: Path
    base: str
    max_risk: str = ""
    source: str = ""
    flows: Path | None = None
    workloads: Path | None = None
    cni: str = "generic"


def check(asked: Asked, output: str, write: Sequence[str] = (), comment: bool = False) -> int:
    """0 where the change is fine, 3 where a person has to review it, 1 where it is blocked.

    `write` is further formats with their files; with `comment` the pull request that CI checks has it as its one comment.
    """
    formatted(output, "markdown", *LISTED, *FORMATS)
    files = destinations(write, ("markdown", "json", "yaml", *FORMATS))
    clock = SystemClock()
    job = ci_job(os.environ, clock) if comment else None
    try:
        found = _answer(asked)
    except Exception as error:  # whatever it is: an older answer must not stand for this change
        why = str(error) if isinstance(error, NetpolCanaryError) else "a fault of netpol-canary itself"
        text = f"## Network policies: ❌ could not be checked\n\n{markdown(why)}"
        if output == "github":
            file, _, line = getattr(error, "where", "").rpartition(":")
            annotate("error", "not checked", why, file if line.isdigit() else "", line)
        for _, file in (f for f in files if f[0] == "markdown"):
            with into(file):
                print(text)
        if job is not None:
            keep(job, asked.path, text, clock)
        raise
    for form, file in files:
        with into(file):
            found.show(form)
    found.show(output)
    if job is not None:
        keep(job, asked.path, found.text, clock)
    return found.verdict.code


@dataclass(frozen=True)
class _Answer:
    """What was found, and what it takes to say it in each format."""

    asked: Asked
    result: Checked
    verdict: Verdict
    before: Fleet
    after: Fleet
    places: Places
    began: str

    @property
    def text(self) -> str:
        return "\n".join(summary(self.result, self.verdict))

    def show(self, output: str) -> None:
        """On standard output."""
        if output in ("json", "yaml"):
            printed({**as_data(self.result, self.verdict), "notRead": self.result.unread}, output)
        elif output in FORMATS:
            lines = changed_lines(self.asked.path, self.began) if output == "github" else None
            found = problems(self.result, self.before, self.after)
            show(self.asked.path, found, output, self.places, CHECKED, lines)
        elif output in LISTED or (not output and drawn(output)):
            left = [f for f in problems(self.result, self.before, self.after) if not f.ignored]
            listed(spots(left, self.places), self.places, output)
            print("\n".join(closing(self.result, self.verdict)))
        else:
            print(self.text)


def _answer(asked: Asked) -> _Answer:
    path, base = asked.path, asked.base
    most = next((level for level in LEVELS if level == asked.max_risk), None)
    if asked.max_risk and most is None:
        raise BadInput(f"{asked.max_risk} is not a level of risk", "--max-risk", f"take {', '.join(LEVELS)}")
    rules = sources.from_file(asked.source).spec.strategy.risk if asked.source else RiskRules()
    files, settled = files_of(path), profile(asked.cni)
    more = elsewhere(asked.workloads, path)
    began, told = parted(path, base)
    known = Known()
    before, after = (
        fleet_of(files_at(path, began), f"{path} at {base}", True, True, more, asked.cni, known),
        fleet_of(files, str(path), False, True, more, asked.cni, known),
    )
    say_unread(before, after)
    tests = intents.tests_of(parse_all(files, known))
    authors = authors_of(path, began, "HEAD", CONFIG) if rules.accepted_by_others else None
    given = current(acceptances(path / CONFIG, authors), SystemClock().now().date())
    seen = recorded(asked.flows) if asked.flows is not None else []
    moved = compare(before, after, settled, History(path, began, "HEAD", working=True), flows=seen)
    found = [_accepted(f, given) for f in _new(path, before, after)]
    weights = [_lowered(i, given) for i in items(moved.changes, moved.impact, rules, moved.left_open)]
    result = Checked(
        base=base,
        risk=weighed(weights, rules),
        items=weights,
        findings=found,
        intents=intents.run(after, tests, settled),
        moved=moved,
        recorded=_replayed(before, after, asked.flows, seen, settled),
        void=_void(found, weights, given),
        unread=[*told, *unread(before, after)],
    )
    verdict = decide(result.risk, most, result.blocks, len(result.worst), moved.unknown)
    return _Answer(asked, result, verdict, before, after, Places(files), began)


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
