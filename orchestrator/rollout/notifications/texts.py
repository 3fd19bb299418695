"""Text for people outside: short, plain, and nothing in it that a chat or a Git host takes for a command."""

import math
from datetime import timedelta

from orchestrator.harmless import APART, one_line
from orchestrator.rollout.notifications.connection_words import listed, of_wave
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import cut
from orchestrator.rollout.resources.resource import Rollout
from orchestrator.wording import few

MOST_LINES = 8
MOST_EDGES = 5
MOST_LINE = 400  # characters
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
    "ApprovalsUnproven": "paused, approvals cannot be trusted",
    "BreakGlass": "approved by breaking the glass",
}
_PHASES = {
    "Paused": "paused",
    "RollingBack": "rolling back",
    "RolledBack": "rolled back",
    "Failed": "FAILED, a person is needed",
    "Succeeded": "promoted everywhere",
    "Superseded": "superseded",
}


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
    found.append("It waits without end until enough people approve, or one rejects it or aborts the rollout.")
    return [cut(harmless(one), MOST_LINE) for one in found]


def text(rollout: Rollout, entry: m.Outgoing, base: str) -> tuple[str, str]:
    """Title and body of one message, with a link and the id by which a receiver knows it again."""
    spec = rollout.spec
    what = _WHAT.get(entry.reason) or _PHASES.get(entry.phase) or entry.reason
    title = harmless(f"netpol-canary: {spec.source}: {what}")
    took = ""
    if entry.phase == "RolledBack" and rollout.status.restored_seconds is not None:
        took = f", restored within {since(rollout.status.restored_seconds)}"
    names = [n for w in spec.waves[entry.wave : entry.wave + 1] for n in w.namespace_names]
    people = ", ".join(p.removeprefix("user:") for p in spec.authors[:5]) or "unknown"
    subject = f": {spec.subject[:MOST_LINE]}" if spec.subject else ""
    body = [
        *(harmless(line) for line in (entry.message or what).splitlines()[:MOST_LINES]),
        "",
        f"Rollout {rollout.name}, wave {entry.wave} ({few(names, 5)}){took}.",
        harmless(f"Commit {spec.revision[:10]} by {people}{subject}; risk {spec.risk}."),
        *_to_decide(spec, entry),
        f"{entry.time:%Y-%m-%d %H:%M:%S} UTC, id {entry.id}",
    ]
    link = page(base, rollout.name, entry.phase, entry.reason)
    return title[:200], "\n".join([*body, *([link] if link else [])])
