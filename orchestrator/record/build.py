"""From the resources of a rollout to what people read of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from orchestrator.analysis.cause import TITLES, Why, why
from orchestrator.record.timeline import folded, moments
from orchestrator.record.view import RolloutView
from orchestrator.record.wave_views import ALARMING, left_out, wave
from orchestrator.rollout.gates.approval_proof import condition
from orchestrator.rollout.gates.approvals import gateway
from orchestrator.rollout.gates.emergency import declared_text
from orchestrator.rollout.next import State, decide_by
from orchestrator.rollout.resources.conditions import of_type
from orchestrator.rollout.resources.model import TERMINAL, PolicyRolloutStatus
from orchestrator.rollout.state import ignored

WAITS = {
    "inconclusive": "a person: the evidence allows no verdict; resume measures again, abort rolls everything back",
    "drift": "a person: what stands in the cluster is not what the plan began with",
    "error": "a person: netpol-canary met a fault of its own; resume tries again, abort rolls everything back",
    "user": "whoever paused it to resume it",
}
CAUSES = {
    "namespaces": "new namespaces",
    "drift": "drift from the current revision",
    "orphans": "namespaces that left the selection",
}


def view(state: State, now: datetime, diffs: bool = True) -> RolloutView:
    """Everything at once; `now` decides which approvals still count.

    Without `diffs` the YAML diffs are empty: of thousands of objects they take seconds.
    """
    state = state.own()
    spec, status = state.rollout.spec, state.rollout.status
    number = telling(state)
    found = why(state, number) if number is not None else None
    verified = of_type(status.conditions, "RollbackVerified")
    said: Literal["", "True", "False", "Unknown"] = verified.status if verified else ""
    return RolloutView(
        name=state.rollout.name,
        source=spec.source,
        revision=spec.revision,
        previous_revision=spec.previous_revision,
        plan_digest=spec.plan_digest,
        phase=status.phase,
        paused_for=status.paused_for,
        reason=status.said,
        waits_for=waits_for(state, now),
        authors=tuple(p.removeprefix("user:") for p in spec.authors),
        risk=spec.risk,
        risk_reasons=tuple(spec.risk_reasons),
        boundaries=tuple(spec.boundaries),
        waves=tuple(wave(state, n, diffs) for n in range(len(spec.waves))),
        moments=tuple(folded(moments(state))),
        explained=tuple(_explained(state, number, found)),
        confidence=found.confidence if found is not None and _went_wrong(state, number) else "",
        started_at=status.started_at,
        detected_at=status.detected_at,
        restored_at=status.restored_at,
        restored_seconds=status.restored_seconds,
        verified=said,
        verified_message=verified.message if verified else "",
        commits=commits(state),
        committed_at=spec.committed_at,
        cause=CAUSES.get(spec.cause, ""),
        ended_at=ended_at(status),
        engine=engine(state),
        ignored=ignored(state),
        truncated=left_out(status),
        subject=spec.subject,
        emergency=declared_text(state.rollout),
    )


def engine(state: State) -> str:
    """Who works on the waves, and by which workflow; empty where the controller does it all."""
    if state.rollout.spec.strategy.engine == "embedded":
        return ""
    known = state.rollout.status.workflow
    return f"Argo Workflows, wave {known.wave} by {known.name}" if known.name else "Argo Workflows"


def ended_at(status: PolicyRolloutStatus) -> datetime | None:
    """When a terminal phase was reached the last time; None while it runs."""
    if status.phase not in TERMINAL:
        return None
    return next((t.time for t in reversed(status.transitions) if t.phase in TERMINAL), None)


def telling(state: State) -> int | None:
    """The latest wave that went wrong, else the latest that was watched; None where none was."""
    analyses = sorted(state.analyses.values(), key=lambda a: a.spec.wave)
    wrong = [a for a in analyses if a.status.phase in ALARMING]
    return int((wrong or analyses)[-1].spec.wave) if analyses else None


def waits_for(state: State, now: datetime) -> str:
    """Whom or what it waits for; empty where it goes on by itself, or has ended."""
    status = state.rollout.status
    if status.phase != "Paused":
        return ""
    if status.paused_for == "approval":
        found = condition(state.rollout)
        if found is not None and found.status == "False":
            return found.message
        return gateway(state.rollout, status.wave, state.approvals, now).message
    end = decide_by(state)
    until = f"; it is rolled back at {end:%Y-%m-%d %H:%M:%S} UTC where nobody decides" if end else ""
    return WAITS.get(status.paused_for, status.reason) + until


def commits(state: State) -> tuple[str, ...]:
    """The commits behind the changed objects, as `id author: subject`, in the order of waves."""
    items = state.known(state.rollout.spec.places)
    return tuple(dict.fromkeys(c.commit for i in items for c in i.spec.changes if c.commit))


def _went_wrong(state: State, number: int | None) -> bool:
    return number is not None and state.analyses[number].status.phase == "Failed"


def _explained(state: State, number: int | None, found: Why | None) -> Iterator[tuple[str, str]]:
    """The five lines of a regression; what was seen of an unclear wave; the reason of whatever else stopped it."""
    status = state.rollout.status
    if number is not None and found is not None and _went_wrong(state, number):
        yield from zip(TITLES, found.lines, strict=True)
    elif status.phase in ("Paused", "RollingBack", "RolledBack", "Failed", "Superseded"):
        seen = found.lines[0] if found is not None else ""
        if status.reason and status.said != seen:
            yield "reason", status.said
        if seen:
            yield "measured", seen
