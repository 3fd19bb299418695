"""What comes next in a rollout: `next_action(state, now)`, the only authority on it.

Pure. Every step asks it and refuses to run when the answer is another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from orchestrator.rollout.approvals import Gateway, gateway
from orchestrator.rollout.model import TERMINAL, PauseReason
from orchestrator.rollout.outbox import UNSENT
from orchestrator.rollout.resource import Approval, NamespaceRollout, Rollout, WaveAnalysis
from orchestrator.rollout.vouching import condition, proven

REQUEST = "netpol-canary.dev/request"
ITSELF = "netpol-canary"  # the actor where no person is

Verb = Literal[
    "snapshot",
    "pause",
    "vouch",
    "continue",
    "open",
    "baseline",
    "apply",
    "analyze",
    "watch",
    "promote",
    "succeed",
    "rollback",
    "restore",
    "verify",
    "finish",
    "release",
    "handle",
    "wait",
    "wait-for-person",
    "done",
]


@dataclass(frozen=True)
class Action:
    """One step to take; `reason` and `message` say why, for people.

    `until` is set for `wait`, and for `wait-for-person` where something has to be looked at meanwhile.
    """

    verb: Verb
    wave: int = 0
    reason: str = ""
    message: str = ""
    until: datetime | None = None
    paused_for: PauseReason = ""
    actor: str = ITSELF


@dataclass(frozen=True)
class Request:
    """What a person asked for: `verb/id/user`, in an annotation of the rollout."""

    verb: str
    id: str
    user: str

    @staticmethod
    def parse(text: str) -> Request | None:
        parts = text.split("/", 2)
        return Request(parts[0], parts[1], parts[2]) if len(parts) == 3 else None


@dataclass(frozen=True)
class State:
    """All that decides what comes next."""

    rollout: Rollout
    namespaces: Mapping[str, NamespaceRollout] = field(default_factory=dict)
    analyses: Mapping[int, WaveAnalysis] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()

    def wave_names(self, wave: int) -> list[str]:
        return [n.name for n in self.rollout.spec.waves[wave].namespaces]

    def touched(self) -> list[str]:
        """Namespaces of every wave that was opened."""
        return [n for w in range(self.rollout.status.opened) for n in self.wave_names(w)]

    def request(self) -> Request | None:
        """The person's request that was not carried out yet."""
        text = (self.rollout.manifest["metadata"].get("annotations") or {}).get(REQUEST, "")
        request = Request.parse(text)
        return None if request is None or request.id == self.rollout.status.handled_request else request


def next_action(state: State, now: datetime) -> Action:
    """The one thing to do now."""
    status = state.rollout.status
    request = state.request()
    if status.phase in TERMINAL:
        if request is not None and request.verb == "rollback" and status.phase in ("Succeeded", "Failed"):
            return Action(
                "rollback", reason="Requested", message=f"rollback by {request.user}", actor=request.user
            )
        return Action("release") if _finalized(state) else Action("done")
    if status.phase == "RollingBack":
        return _restoring(state)
    if state.rollout.deleting:
        return Action(
            "rollback", reason="Deleted", message="the PolicyRollout was deleted while it was running"
        )
    if request is not None:
        return _requested(state, request)
    if status.phase == "Pending":
        return Action("snapshot")
    if status.phase == "Paused":
        return _paused(state, now)
    return _forward(state, now)


def _finalized(state: State) -> bool:
    """An outbox that is not empty holds the object, not the rollout: what follows does not wait for it."""
    return bool(set(state.rollout.manifest["metadata"].get("finalizers") or []) - {UNSENT})


def _requested(state: State, request: Request) -> Action:
    status = state.rollout.status
    if request.verb == "supersede":
        message = f"superseded by {request.user}"
        return Action("rollback", reason="Superseded", message=message, actor=request.user)
    if request.verb in ("abort", "rollback"):
        return Action(
            "rollback", reason="Aborted", message=f"{request.verb} by {request.user}", actor=request.user
        )
    if request.verb == "pause" and status.phase != "Paused":
        message = f"paused by {request.user}; `netpol-canary resume` goes on"
        return Action("pause", status.wave, "Operator", message, paused_for="operator", actor=request.user)
    if request.verb == "resume" and status.phase == "Paused":
        return Action("continue", status.wave, "Resumed", f"resumed by {request.user}", actor=request.user)
    return Action(
        "handle", reason="Ignored", message=f"{request.verb} changes nothing now", actor=request.user
    )


def _restoring(state: State) -> Action:
    status = state.rollout.status
    for name in state.touched():
        found = state.namespaces.get(name)
        if found is not None and found.status.phase not in ("Restored", "Gone"):
            return Action("restore")
    verified = any(c.type == "Verified" for c in status.conditions)
    return Action("finish") if verified else Action("verify")


def _gate(state: State, now: datetime) -> tuple[Gateway, Action | None]:
    """The gates before the wave that comes, and what has to be done first where people's word decides there."""
    rollout, wave = state.rollout, state.rollout.status.wave
    gate = gateway(rollout, wave, state.approvals, now)
    known, found = proven(rollout, now), condition(rollout)
    doubted = found is not None and found.status == "False"
    if not gate.relies and not doubted:
        return gate, None
    if known is None or found is None:
        return gate, Action("vouch", wave)
    if not known:
        return replace(gate, open=False, rejected_by="", message=found.message, relies=True), None
    if gate.rejected_by:
        return gate, Action("rollback", wave, "Rejected", gate.message, actor=gate.rejected_by)
    return gate, None


def _paused(state: State, now: datetime) -> Action:
    status = state.rollout.status
    if status.paused_for not in ("approval", "window"):
        return Action("wait-for-person", status.wave, status.paused_for, status.reason)
    if (lost := _lost(state)) is not None:
        return lost
    if status.paused_for == "approval":
        gate, first = _gate(state, now)
        if first is not None:
            return first
        if gate.open:
            reason = "BreakGlass" if gate.broken_by else "Approved"
            return Action("continue", status.wave, reason, gate.message, actor=gate.broken_by or ITSELF)
    return _watched(state, now)


def _lost(state: State) -> Action | None:
    """The way back, where the last promoted wave went wrong while the next one waited."""
    analysis = state.analyses.get(state.rollout.status.wave - 1)
    if analysis is None or analysis.status.phase != "Failed":
        return None
    return Action("rollback", analysis.spec.wave, "Regression", analysis.status.reason)


def _watched(state: State, now: datetime) -> Action:
    """Wait for a person, and look at the last promoted wave meanwhile, as often as it was looked at before."""
    status, plan = state.rollout.status, state.rollout.spec.strategy.analysis
    wait = Action("wait-for-person", status.wave, status.paused_for, status.reason)
    last = status.wave - 1
    analysis = state.analyses.get(last)
    if analysis is None or not (plan.metrics or analysis.spec.probes):
        return wait
    due = look_time(state, last)
    return replace(wait, until=due) if now < due else Action("watch", last)


def applied_at(state: State, wave: int) -> datetime:
    """When the last namespace of a wave was written."""
    mine = [state.namespaces[n] for n in state.wave_names(wave) if n in state.namespaces]
    since = state.analyses[wave].spec.since
    return max((n.status.applied_at for n in mine if n.status.applied_at), default=since)


def settled_at(state: State, wave: int) -> datetime:
    """When a wave counts as settled, and the grid of its looks begins; later where a person started it over."""
    plan, analysis = state.rollout.spec.strategy, state.analyses[wave]
    start = max(applied_at(state, wave), analysis.status.started_at or analysis.spec.since)
    return start + timedelta(seconds=plan.settle_seconds)


def look_time(state: State, wave: int) -> datetime:
    """When the next look at a wave is due: on a grid since it was settled, so that it can be recomputed."""
    plan, analysis = state.rollout.spec.strategy.analysis, state.analyses[wave]
    asked = bool(plan.metrics or analysis.spec.probes)
    step = plan.interval_seconds * (analysis.status.ticks + 1) if asked else 0
    return settled_at(state, wave) + timedelta(seconds=step)


def _opening(state: State, now: datetime) -> Action:
    """Open the wave that comes, or wait before its gates."""
    wave = state.rollout.status.wave
    gate, first = _gate(state, now)
    if first is not None:
        return first
    if not gate.open:
        reason = "Unvouched" if gate.relies else "Approval"
        return Action("pause", wave, reason, gate.message, paused_for="approval")
    text = f"wave {wave}, {state.rollout.spec.waves[wave].why}; {gate.message}"
    since = [t.reason for t in reversed(state.rollout.status.transitions)]
    said = next((r for r in since if r in ("BreakGlass", "Promoted", "Planned")), "") == "BreakGlass"
    if gate.broken_by and not said:
        return Action("open", wave, "BreakGlass", text, actor=gate.broken_by)
    return Action("open", wave, "Opened", text)


def _forward(state: State, now: datetime) -> Action:
    status, spec = state.rollout.status, state.rollout.spec
    wave = status.wave
    if status.opened <= wave:
        return _lost(state) or _opening(state, now)
    analysis = state.analyses.get(wave)
    if analysis is None or analysis.status.phase == "Pending":
        return Action("baseline", wave)
    mine = [state.namespaces[n] for n in state.wave_names(wave) if n in state.namespaces]
    if any(n.status.phase == "Pending" for n in mine):
        return Action("apply", wave)
    phase = analysis.status.phase
    if phase == "Running":
        due = look_time(state, wave)
        if now < due:
            return Action(
                "wait", wave, until=due, reason="Settling" if analysis.status.ticks == 0 else "Analysing"
            )
        return Action("analyze", wave)
    if phase == "Failed":
        return Action("rollback", wave, "Regression", analysis.status.reason)
    if phase in ("Error", "Inconclusive"):
        return Action("pause", wave, "Inconclusive", analysis.status.reason, paused_for="inconclusive")
    if wave + 1 < len(spec.waves):
        return Action("promote", wave, "Promoted", f"wave {wave} is good: {analysis.status.reason}")
    return Action("succeed", wave, "Succeeded", f"every wave is good; the last: {analysis.status.reason}")
