"""What `check` found, as Markdown for a pull request and as plain data: the verdict first, then the worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.policies import diff, replay
from orchestrator.cli.policies.diff import Difference, fitting
from orchestrator.harmless import code, one_line
from orchestrator.harmless import markdown as inert
from orchestrator.policy.author import intents
from orchestrator.policy.impact.change_verdict import Verdict
from orchestrator.policy.impact.risk import Risk
from orchestrator.policy.impact.weighing import Item
from orchestrator.policy.lint.linter import Finding
from orchestrator.policy.network import recordings
from orchestrator.wording import many

# Characters of a comment, which Git hosts limit to 65,536; the table and graph of connections have limits of their own.
MOST_BLOCKS = 5_000
MOST_REASONS = 1_500
MOST_FOUND = 4_000
MOST_RECORDED = 3_000
MOST_ACCEPTED = 3_000
MOST_VERDICT = 400
SAYS = {
    "internet": "newly open to the internet",
    "opened": "a connection is opened",
    "cut": "a connection is cut",
    "widened": "a connection is widened",
    "narrowed": "a connection is narrowed to the ports that are used",
    "isolated": "a workload is newly isolated",
    "dns": "DNS is lost",
    "scrape": "a metrics scrape is cut",
    "ownPath": "netpol-canary's own way is cut",
    "workloads": "a connection of a workload that comes or goes",
}
MAY_OPEN = "a rule may open or cut connections"
_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Checked:
    """`findings` and `items` that are accepted say so themselves; `void` are acceptances that do not count."""

    base: str
    risk: Risk
    items: list[Item]
    findings: list[Finding]
    intents: list[intents.Result]
    moved: Difference
    recorded: recordings.Replay | None
    void: list[str]
    unread: list[str]

    @property
    def blocks(self) -> list[str]:
        """What blocks the change whatever its risk is."""
        found = [said(f) for f in self.findings if f.rule.severity == "error" and not f.ignored]
        found += [f"{r.name}: {r.problems[0]}" for r in self.intents if r.problems and not r.unknown]
        if self.recorded is not None and self.recorded.cut:
            first = replay.seen(self.recorded.cut[0].flow)
            found.append(f"{many(len(self.recorded.cut), 'recorded connection')} would be cut: {first}")
        return found

    @property
    def uncompared(self) -> str:
        """What is said of workloads of which the change is not known."""
        return f"{many(self.moved.unknown, 'workload')} not compared, since something cannot be read or stands in copies that differ"

    @property
    def worst(self) -> list[Item]:
        """What is listed first of the change itself."""
        return [i for i in self.items if not i.accepted and (i.level == "high" or i.kind == "internet")]

    @property
    def accepted(self) -> list[str]:
        """What is accepted, and by whom."""
        found = [f"{i.kind}: {i.text}: {i.accepted}" for i in self.items if i.accepted]
        return [*found, *(f"{f.rule.id}: {f.subject}: {f.ignored}" for f in self.findings if f.ignored)]


def said(finding: Finding) -> str:
    """One line."""
    where = f" ({finding.where})" if finding.where else ""
    return f"{finding.rule.id} {finding.subject}: {finding.message}{where}"


def as_data(found: Checked, verdict: Verdict) -> dict[str, Any]:
    """Plain data for JSON and YAML, all of it."""
    data: dict[str, Any] = {
        "verdict": verdict.word,
        "exitCode": verdict.code,
        "passed": verdict.code == 0,
        "risk": {"level": found.risk.level, "reasons": list(found.risk.reasons)},
        "blocks": _blocks(found, verdict),
        "notCompared": found.moved.unknown,
        "items": [
            {
                "kind": i.kind,
                "level": i.level,
                "what": i.text,
                "because": list(i.because),
                "accepted": i.accepted,
            }
            for i in found.items
        ],
        "accepted": found.accepted,
        "notAccepted": found.void,
        "findings": [
            {"id": f.rule.id, "subject": f.subject, "message": f.message, "accepted": f.ignored}
            for f in found.findings
        ],
        "tests": [intents.as_data(r) for r in found.intents],
        **diff.as_data(found.moved),
    }
    if found.recorded is not None:
        data["recorded"] = {
            "allowed": found.recorded.allowed,
            "cut": len(found.recorded.cut),
            "cutBefore": len(found.recorded.standing),
        }
    return data


def _blocks(found: Checked, verdict: Verdict) -> list[str]:
    """With the risk, where that is what blocks the change or makes it wait."""
    reasons = f"the risk is {found.risk.level}: {'; '.join(found.risk.reasons)}"
    blocked = verdict.word == "blocked"
    by_risk = blocked and (
        found.risk.level in ("medium", "high") or not (found.blocks or found.moved.unknown)
    )
    unknown = [found.uncompared] if blocked and found.moved.unknown else []
    return [*found.blocks, *([reasons] if by_risk else []), *unknown]


def summary(found: Checked, verdict: Verdict) -> list[str]:
    """Markdown for a pull request; it reads well in a terminal, too."""
    risk = found.risk
    lines = [f"## Network policies against {code(found.base)}: {inert(verdict.text[:MOST_VERDICT])}", ""]
    blocks = [f"- **{inert(block)}**" for block in (*map(_worst, found.worst), *found.blocks)]
    shown = _some(blocks, MOST_BLOCKS)
    lines += shown + ([""] if blocks else [])
    lines.append(f"Risk: **{risk.level}**{_reasons(risk)}.")
    lines.append(_held(found))
    accepted = [*found.accepted, *found.void]
    if accepted:
        lines += ["", *_some([f"- {inert(text)}" for text in accepted], MOST_ACCEPTED)]
    above = found.worst if len(shown) == len(blocks) else found.worst[: len(shown) - 1]
    lines += ["", *diff.markdown(found.moved, frozenset((i.kind, i.named) for i in above))]
    left = sorted(
        (f for f in found.findings if not f.ignored), key=lambda f: _SEVERITIES.index(f.rule.severity)
    )
    if left:
        title = f"New findings: {len(left)}"
        lines += _details(title, _some([f"- {f.rule.severity} {inert(said(f))}" for f in left], MOST_FOUND))
    if found.recorded is not None:
        told = fitting((f"    {one_line(line)}" for line in replay.told(found.recorded)), MOST_RECORDED)
        lines += ["", f"Recorded flows: {replay.summary(found.recorded)}.", "", *told]
    return [*lines, *diff.not_analysed(found.unread)]


def closing(found: Checked, verdict: Verdict) -> list[str]:
    """What a terminal shows below the problems themselves."""
    accepted = [f"accepted: {text}" for text in found.accepted]
    return [*map(one_line, [*accepted, *found.void]), _held(found), one_line(f"{verdict.text}")]


def _held(found: Checked) -> str:
    held = sum(not r.problems for r in found.intents)
    return (
        f"Intents: {held} of {len(found.intents)} hold."
        if found.intents
        else "Intents: there is no PolicyTest."
    )


def _worst(item: Item) -> str:
    """The first line counts what the internet reaches: here it is only named."""
    return f"{item.text}, new" if item.kind == "internet" else f"{says(item)}: {item.text}"


def says(item: Item) -> str:
    """What it does, without its ends."""
    return MAY_OPEN if item.left_open else SAYS[item.kind]


def _reasons(risk: Risk) -> str:
    """Those that the first line does not say already as what the internet reaches."""
    said = risk.kinds[:1] == ("internet",)
    text = inert("; ".join(risk.reasons[said:])[:MOST_REASONS])
    return (f", also for {text}" if said else f" ({text})") if text else ""


def _details(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _some(lines: list[str], most: int) -> list[str]:
    """As many as a comment has room for; `-o json` has them all."""
    kept = fitting(lines, most)
    return kept if len(kept) == len(lines) else [*kept, f"- and {len(lines) - len(kept)} more"]
