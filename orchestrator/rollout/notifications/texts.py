"""Text for people outside: short, plain, and nothing in it that a chat or a Git host takes for a command."""

import math
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.harmless import APART, one_line
from orchestrator.rollout.notifications.connection_words import listed, of_wave
from orchestrator.rollout.outbox import NOT_ITS_FAULT, turned_back
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import cut
from orchestrator.rollout.resources.resource import Rollout
from orchestrator.wording import few, numbered

MOST_LINES = 8
MOST_EDGES = 5
MOST_LINE = 300  # characters
MOST_TITLE, MOST_BODY = 140, 2800  # characters: what Slack takes of a header and a section
_LABELS = {"approve": "Review and decide", "why": "Why, and what to do next"}
_OVER = ("Succeeded", "Superseded")
_WHAT = {
    "Planned": "planned",
    "WaveStarted": "a wave begins",
    "ApprovalRequired": "waits for approval",
    "Promoted": "a wave is promoted",
    "Inconclusive": "paused, the evidence is unclear",
    "Undecided": "rolling back, nobody decided in time",
    "Drift": "paused, the cluster has drifted",
    "PausedByUser": "paused by a person",
    "WindowClosed": "waits for its window",
    "Queued": "waits for its turn",
    "AwaitingWorkload": "waits for a canary deployment",
    "WorkloadAborted": "rolling back, the canary deployment was given up",
    "ApprovalsUnproven": "paused, approvals cannot be trusted",
    "BreakGlass": "approved by breaking the glass",
    "Emergency": "EMERGENCY declared",
}
_PHASES = {
    "Paused": "paused",
    "RollingBack": "rolling back",
    "RolledBack": "rolled back",
    "Failed": "FAILED, a person is needed",
    "Succeeded": "promoted everywhere",
    "Superseded": "superseded",
}


@dataclass(frozen=True)
class Told:
    """`body` is paragraphs with an empty line between; `small` is the time, and the id by which a receiver knows it again."""

    title: str
    body: str
    small: str
    link: str
    label: str


def harmless(text: str) -> str:
    """For chats and mail: one line that calls nobody and holds no tags."""
    return one_line(text).replace("@", f"@{APART}").replace("<", "‹").replace(">", "›")


def since(seconds: float | None) -> str:
    """Seconds for people, within which it was: 42 s, 3 min 5 s; never 0 s, which says nothing."""
    whole = max(1, math.ceil(seconds or 0))
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def page(base: str, rollout: str, phase: str, reason: str = "") -> str:
    """The page that fits: where to approve, why it was rolled back, or the rollout; empty without a base."""
    if not base:
        return ""
    end = (
        "/approve"
        if reason == "ApprovalRequired"
        else "/why"
        if phase in ("RollingBack", "RolledBack", "Failed")
        else ""
    )
    return f"{base.rstrip('/')}/rollouts/{rollout}{end}"


def text(rollout: Rollout, entry: m.Outgoing, base: str) -> Told:
    """One message: what, where, since when, what stands, whose commit, and what to do."""
    spec = rollout.spec
    what = _WHAT.get(entry.reason) or _PHASES.get(entry.phase) or entry.reason
    title = harmless(f"netpol-canary: {spec.source}: {what}")
    happened = [harmless(line) for line in (entry.message or what).splitlines()[:MOST_LINES]]
    known = [*_facts(rollout, entry), *_to_decide(spec, entry)]
    to_do = f"To do: {_to_do(rollout, entry)}"
    text = "\n\n".join("\n".join(cut(line, MOST_LINE) for line in lines) for lines in (happened, known))
    body = f"{cut(text, MOST_BODY - len(to_do) - 2)}\n\n{to_do}"
    small = f"{entry.time:%Y-%m-%d %H:%M:%S} UTC, id {entry.id}"
    link = page(base, rollout.name, entry.phase, entry.reason)
    label = _LABELS.get(link.rpartition("/")[2], "Open the rollout")
    return Told(cut(title, MOST_TITLE), body, small, link, label)


def _facts(rollout: Rollout, entry: m.Outgoing) -> list[str]:
    """Where, since when and what stands of it, and whose commit."""
    spec = rollout.spec
    names = [n for w in spec.waves[entry.current.start : entry.current.stop] for n in w.namespace_names]
    people = ", ".join(p.removeprefix("user:") for p in spec.authors[:5]) or "unknown"
    subject = f": {spec.subject}" if spec.subject else ""
    return [
        f"Rollout {rollout.name}, {numbered('wave', entry.current)} ({few(names, 5)}){_since(rollout, entry)}.",
        f"{_standing(rollout, entry)}.",
        harmless(f"Commit {spec.revision[:10]} by {people}{subject}; risk {spec.risk}."),
    ]


def _since(rollout: Rollout, entry: m.Outgoing) -> str:
    """When the wave was opened, where it was."""
    moved = (t for t in reversed(rollout.status.transitions) if t.time <= entry.time)
    opened = next((t.time for t in moved if t.reason == "WaveStarted"), None) if entry.wave_is_open else None
    return f", opened at {opened:%H:%M:%S} UTC" if opened is not None else ""


def _standing(rollout: Rollout, entry: m.Outgoing) -> str:
    """What of the change stands in the cluster."""
    if entry.phase == "RolledBack":
        seconds = rollout.status.restored_seconds
        took = f" within {since(seconds)}" if seconds is not None else ""
        return f"Everything is restored{took}" if entry.waves_started else "Nothing had been written"
    if entry.phase == "Failed":
        return "NOT everything is restored"
    if entry.phase == "RollingBack":
        return (
            "Not restored yet; a message follows once it is"
            if entry.waves_started
            else "Nothing had been written"
        )
    if entry.phase == "Succeeded":
        return "The change stands everywhere"
    if entry.wave_is_open:
        return f"What wave {entry.wave} has written stands, and is watched"
    return (
        f"Nothing of wave {entry.wave} is written yet; what was promoted before stands"
        if entry.wave
        else "Nothing is written yet"
    )


def _to_do(rollout: Rollout, entry: m.Outgoing) -> str:
    """What whoever reads it should do, with the command."""
    name, source = rollout.name, rollout.spec.source
    back = f"`netpol-canary abort {name}` rolls everything back"
    by_reason = {
        "ApprovalRequired": f"approve or reject it on the page, or with `netpol-canary approve {name} -m WHY`.",
        "ApprovalsUnproven": "`kubectl apply -k config/admission` sets up the policy that proves approvals; then approve again.",
        "Inconclusive": f"`netpol-canary explain {name}` says what is missing; `netpol-canary resume {name}` measures again, {back}.",
        "Drift": f"`netpol-canary drift {source}` says what differs, and who wrote it; then `netpol-canary resume {name}`, or {back}.",
        "PausedByUser": f"nothing, or ask who paused it; `netpol-canary resume {name}` goes on, {back}.",
        "InternalError": f"`netpol-canary resume {name}` tries again, {back}; the controller's log has the fault.",
        "BreakGlass": f"check who opened the gate alone, and why; {back}.",
        "Emergency": f"check who declared it, and why; `netpol-canary pause {name}` holds it, {back}.",
    }
    by_phase = {
        "RollingBack": f"nothing yet; `netpol-canary explain {name}` says why.",
        "RolledBack": f"fix the commit and merge, or `netpol-canary retry {source}` where the change was not at fault.",
        "Failed": f"`netpol-canary describe {name}` says what stands in the way; remove that, then `netpol-canary rollback {name}`.",
    }
    if entry.phase == "RolledBack" and turned_back(rollout.status) in NOT_ITS_FAULT:
        return "nothing; the change was not at fault."
    rest = "nothing." if entry.phase in _OVER else "nothing, it goes on by itself."
    return by_phase.get(entry.phase) or by_reason.get(entry.reason) or rest


def _to_decide(spec: m.PolicyRolloutSpec, entry: m.Outgoing) -> list[str]:
    """What somebody has to know who is to decide: why it is risky, which connections change, until when it waits."""
    if entry.reason == "Inconclusive" and entry.wave_is_open:
        end = entry.time + timedelta(seconds=spec.strategy.analysis.inconclusive_seconds)
        return [f"It waits until {end:%Y-%m-%d %H:%M:%S} UTC, and is rolled back then where nobody decides."]
    if entry.reason != "ApprovalRequired":
        return []
    edges, total = of_wave(spec, entry.wave)
    found = [f"Why it is {spec.risk} risk: {'; '.join(spec.risk_reasons)}."] if spec.risk_reasons else []
    if total:
        found.append(f"Connections that wave {entry.wave} changes: {total}")
        found += listed(edges, total, MOST_EDGES)
    found.append("It waits without end until enough people approve, or one rejects it.")
    return [harmless(one) for one in found]
