"""What comes next in a rollout: `next_action(state, now)`, the only authority on it.

Pure. Whoever works on a rollout asks it before each step, for the state as it stands then, and takes no other step.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from orchestrator.rollout.expiry import believed, passed
from orchestrator.rollout.following import gave_up
from orchestrator.rollout.gates.approval_proof import condition, proven
from orchestrator.rollout.gates.approvals import Gateway, gateway
from orchestrator.rollout.gates.emergency import asked
from orchestrator.rollout.gates.opening import Turn, turn
from orchestrator.rollout.outbox import UNSENT
from orchestrator.rollout.resources.conditions import of_type
from orchestrator.rollout.resources.model import BY_ITSELF, TERMINAL, UNASKED, PauseReason, Transition
from orchestrator.rollout.state import REQUEST as REQUEST
from orchestrator.rollout.state import Request
from orchestrator.rollout.state import State as State
from orchestrator.rollout.timing import look_time, progressed_at, settled_at

ITSELF = "netpol-canary"  # the actor where no person is

Verb = Literal[
    "snapshot",
    "pause",
    "vouch",
    "declare",
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
    "confirm",
    "verify",
    "finish",
    "release",
    "handle",
    "wait",
    "wait-for-person",
    "wait-for-turn",
    "done",
]
RESTING: frozenset[Verb] = frozenset({"done", "wait-for-person", "wait-for-turn"})
# The work of an open wave, which an engine may hand out. Everything else is done by whoever holds the rollout's Lease.
FORWARD: frozenset[Verb] = frozenset({"baseline", "apply", "analyze", "wait"})
LATE = timedelta(
    seconds=15
)  # after which no write of a pod that asked before the way back began can land any more
CONFIRMED = "WritesSettled"
ENDING = frozenset({"supersede", "abort", "rollback"})  # requests that roll everything back


@dataclass(frozen=True)
class Action:
    """One step to take; `reason` and `message` say why, for people.

    `wait-for-turn` waits for no person: for a window, the end of a freeze, or room beside other rollouts. `until` is set
    for `wait`, for `confirm`, and for these two where something has to be looked at meanwhile, or the end is known.
    """

    verb: Verb
    wave: int = 0
    reason: str = ""
    message: str = ""
    until: datetime | None = None
    paused_for: PauseReason = ""
    actor: str = ITSELF


def next_action(state: State, now: datetime) -> Action:
    """The one thing to do now."""
    action = _next(state, now)
    return (_hurried(state, now) or action) if _patient(action) else action


def _patient(action: Action) -> bool:
    """Whether an emergency that was asked for comes first: nothing of a verdict, of the way back or of a request waits."""
    return action.verb in ("open", "wait", "wait-for-turn") or (
        action.verb in ("pause", "wait-for-person") and action.paused_for in UNASKED
    )


def _hurried(state: State, now: datetime) -> Action | None:
    """Declare an emergency, once it is proven who asked for it."""
    rollout = state.rollout
    voice = asked(rollout, state.approvals, now)
    known = proven(rollout, now)
    if voice is None or known is False:
        return None
    if known is None:
        return Action("vouch", rollout.status.wave)
    what = ", ".join(rollout.spec.strategy.emergency.skip)
    text = f"{voice.user} declared an emergency, which skips {what} until {voice.expires:%Y-%m-%d %H:%M} UTC: {voice.comment}"
    return Action("declare", rollout.status.wave, "Emergency", text, actor=voice.user)


def _next(state: State, now: datetime) -> Action:
    """The same without an emergency that is still to be declared."""
    status = state.rollout.status
    request = state.request()
    if status.phase in TERMINAL:
        if request is not None and request.verb == "rollback" and status.phase in ("Succeeded", "Failed"):
            return Action(
                "rollback", reason="Requested", message=f"rollback by {request.user}", actor=request.user
            )
        return Action("release") if _finalized(state) else Action("done")
    if status.phase == "RollingBack":
        return _restoring(state, now)
    if state.rollout.deleting:
        return Action(
            "rollback", reason="Deleted", message="the PolicyRollout was deleted while it was running"
        )
    if request is not None and (status.phase != "Pending" or request.verb in ENDING):
        return _requested(state, request)
    if status.phase == "Pending":  # a pause has to wait: what is frozen here is what every wave is made of
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
    if request.verb in ENDING:
        return Action(
            "rollback", reason="Aborted", message=f"{request.verb} by {request.user}", actor=request.user
        )
    if request.verb == "pause" and (status.phase != "Paused" or status.paused_for in UNASKED):
        message = f"paused by {request.user}; `netpol-canary resume` goes on"
        return Action("pause", status.wave, "PausedByUser", message, paused_for="user", actor=request.user)
    if request.verb == "resume" and status.phase == "Paused":
        return Action("continue", status.wave, "Resumed", f"resumed by {request.user}", actor=request.user)
    return Action(
        "handle", reason="Ignored", message=f"{request.verb} changes nothing now", actor=request.user
    )


def _restoring(state: State, now: datetime) -> Action:
    status = state.rollout.status
    if any(n.status.phase not in ("Restored", "Deleted") for n in state.known(state.touched())):
        return Action("restore")
    if (late := _late_writers(state, now)) is not None:
        return late
    verified = any(c.type == "RollbackVerified" for c in status.conditions)
    return Action("finish") if verified else Action("verify")


def _late_writers(state: State, now: datetime) -> Action | None:
    """Read everything back once more where another worker or a pod wrote, or a write was not answered.

    What was asked for just before the way back began may be written yet.
    """
    status = state.rollout.status
    found = of_type(status.conditions, CONFIRMED)
    if not state.touched() or (found is not None and found.status == "True"):
        return None
    if state.rollout.spec.strategy.engine != "argo" and not status.epoch and found is None:
        return None
    return Action("confirm", status.wave, until=(status.detected_at or now) + LATE)


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
    wait = Action("wait-for-person", status.wave, status.paused_for, status.said)
    if status.wave_is_open:
        return _stopped(state, now, wait)
    if (lost := _lost(state) or _given_up(state)) is not None:
        return lost
    if status.paused_for not in UNASKED:
        return _watched(state, now, wait)
    if status.paused_for in BY_ITSELF:
        return _queued(state, now)
    gate, first = _gate(state, now)
    if first is not None:
        return first
    if gate.open:
        reason = "BreakGlass" if gate.broken_by else "Approved"
        return Action("continue", status.wave, reason, gate.message, actor=gate.broken_by or ITSELF)
    return _watched(state, now, wait)


def _stopped(state: State, now: datetime, wait: Action) -> Action:
    """Within a wave: what was written is looked at as before, whatever stopped it, and nothing is promoted."""
    status = state.rollout.status
    wave = status.wave
    analysis = state.analyses.get(wave)
    if analysis is not None and analysis.status.phase == "Failed" and _begun(state, wave):
        return Action("rollback", wave, "Regression", analysis.status.said)
    if analysis is None or unwritten(state, wave):
        return _lost(state) or _half_written(state, now, _watched(state, now, wait))
    if _nobody_decided(state, now):
        return _undecided(state, analysis.status.said)
    end = decide_by(state)
    wait = replace(wait, until=end)
    if analysis.status.phase == "Running":
        due = look_time(state, wave)
        return replace(wait, until=min(due, end or due)) if now < due else Action("analyze", wave)
    return _watched(state, now, wait, wave)


def _half_written(state: State, now: datetime, action: Action) -> Action:
    """Where nothing else is due, the metrics of a wave that was stopped among its writes."""
    wave, plan = state.rollout.status.wave, state.rollout.spec.strategy.analysis
    analysis = state.analyses.get(wave)
    if analysis is None or not plan.metrics or action.verb != "wait-for-person" or not _begun(state, wave):
        return action
    last = max(analysis.status.watch.checked_at or analysis.spec.since, settled_at(state, wave))
    due = last + timedelta(seconds=plan.interval_seconds)
    return Action("watch", wave) if now >= due else replace(action, until=min(due, action.until or due))


def decide_by(state: State) -> datetime | None:
    """Until when a person has time to decide on an inconclusive wave; None where that is not what is waited for."""
    status, since = state.rollout.status, unclear_since(state)
    if status.paused_for != "inconclusive" or not status.wave_is_open or since is None:
        return None
    return since + timedelta(seconds=state.rollout.spec.strategy.analysis.inconclusive_seconds)


def unclear_since(state: State) -> datetime | None:
    """When a wave was last found inconclusive."""
    return next((t.time for t in reversed(state.rollout.status.transitions) if _unclear(t)), None)


def _nobody_decided(state: State, now: datetime) -> bool:
    status, since = state.rollout.status, unclear_since(state)
    if status.paused_for != "inconclusive" or since is None:
        return False
    limit = state.rollout.spec.strategy.analysis.inconclusive_seconds
    return passed(state, since, limit, now, state.watched.undecided if state.watched else 0.0)


def _unclear(moved: Transition) -> bool:
    return (moved.phase, moved.reason) == ("Paused", "Inconclusive")


def _undecided(state: State, reason: str) -> Action:
    seconds = state.rollout.spec.strategy.analysis.inconclusive_seconds
    text = f"wave {state.rollout.status.wave} was inconclusive, and nobody decided in {seconds} s: {reason}"
    return Action("rollback", state.rollout.status.wave, "Undecided", text)


def unwritten(state: State, wave: int) -> bool:
    """Whether a namespace of the wave is still to be written."""
    return any(n.status.phase == "Pending" for n in state.in_wave(wave))


def _begun(state: State, wave: int) -> bool:
    """Whether a namespace of the wave was written."""
    return any(n.status.phase == "Applied" for n in state.in_wave(wave))


def _lost(state: State) -> Action | None:
    """The way back, where the last promoted wave went wrong while the next one waited."""
    analysis = state.promoted()
    if analysis is None or analysis.status.phase != "Failed":
        return None
    return Action("rollback", analysis.spec.wave, "Regression", analysis.status.said)


def _doubted(state: State) -> Action | None:
    """Stand still before the next wave, where a namespace of the last promoted one went while it waited."""
    wave = state.rollout.status.wave
    analysis = state.promoted()
    if analysis is None or analysis.status.phase != "Inconclusive":
        return None
    return Action("pause", wave, "Inconclusive", analysis.status.said, paused_for="inconclusive")


def _watched(state: State, now: datetime, wait: Action, wave: int | None = None) -> Action:
    """Wait, and look at a wave that has its verdict meanwhile, the last promoted one, as often as before."""
    plan = state.rollout.spec.strategy.analysis
    analysis = state.promoted() if wave is None else state.analyses.get(wave)
    if analysis is None or not (plan.metrics or analysis.spec.probes):
        return wait
    last = analysis.spec.wave
    due = look_time(state, last)
    return replace(wait, until=min(due, wait.until or due)) if now < due else Action("watch", last)


def _queued(state: State, now: datetime) -> Action:
    """Goes on by itself; what it waits for may have become something else. Its gate is asked when it may go on."""
    status = state.rollout.status
    found = turn(state.rollout, state.freezes, state.lacking, now, state.followed)
    rejected = gateway(state.rollout, status.wave, state.approvals, now).rejected_by
    if found.waits_for and not rejected:
        told = found.waits_for == "limit" or found.message == status.said
        if found.waits_for == status.paused_for and told:
            wait = Action("wait-for-turn", status.wave, status.paused_for, status.said, found.until)
            return _watched(state, now, wait)
        return _waits(status.wave, found)
    action = _doubted(state) or _opening(state, now)
    if action.verb == "open" and status.paused_for == "window":
        return Action("continue", status.wave, "Resumed", f"wave {status.wave} may open now")
    return action  # where it waited for capacity, it opens at once: it keeps its place


def _waits(wave: int, found: Turn) -> Action:
    if found.waits_for == "workload":
        return Action("pause", wave, "AwaitingWorkload", found.message, found.until, found.waits_for)
    reason = "WindowClosed" if found.waits_for == "window" else "Queued"
    return Action("pause", wave, reason, found.message, found.until, found.waits_for)


def _overdue(state: State, now: datetime) -> Action | None:
    """The way back where an open wave has got nowhere for too long; a verdict that stands counts, however old."""
    wave, limit = state.rollout.status.wave, state.rollout.spec.strategy.progress_deadline_seconds
    analysis, last = state.analyses.get(wave), progressed_at(state, wave)
    if analysis is not None and analysis.status.phase not in ("Pending", "Running"):
        return None
    if not passed(state, last, limit, now, state.watched.still if state.watched else 0.0):
        return None
    known = f", since {last:%Y-%m-%d %H:%M:%S} UTC" if believed(state) else ""
    text = f"wave {wave} made no progress for {limit} s{known}"
    return Action("rollback", wave, "ProgressDeadlineExceeded", text)


def _opening(state: State, now: datetime) -> Action:
    """Open the wave that comes, or wait: for its gates, then for a window or freeze, then for capacity."""
    wave = state.rollout.status.wave
    gate, first = _gate(state, now)
    if first is not None:
        return first
    if not gate.open:
        reason = "ApprovalsUnproven" if gate.relies else "ApprovalRequired"
        return Action("pause", wave, reason, gate.message, paused_for="approval")
    found = turn(state.rollout, state.freezes, state.lacking, now, state.followed)
    if found.waits_for:
        return _waits(wave, found)
    text = f"wave {wave}, {state.rollout.spec.waves[wave].why}; {gate.message}"
    text += f"; skipped by an emergency: {found.skipped}" if found.skipped else ""
    since = [t.reason for t in reversed(state.rollout.status.transitions)]
    said = next((r for r in since if r in ("BreakGlass", "Promoted", "Planned")), "") == "BreakGlass"
    if gate.broken_by and not said:
        return Action("open", wave, "BreakGlass", text, actor=gate.broken_by)
    return Action("open", wave, "WaveStarted", text)


def _forward(state: State, now: datetime) -> Action:
    status = state.rollout.status
    if not status.wave_is_open:
        return _lost(state) or _given_up(state) or _doubted(state) or _opening(state, now)
    return _overdue(state, now) or _given_up(state) or _in_wave(state, now)


def _given_up(state: State) -> Action | None:
    """The way back, where the canary deployment was given up that the change goes with."""
    said = gave_up(state.rollout, state.followed)
    return Action("rollback", state.rollout.status.wave, "WorkloadAborted", said) if said else None


def _in_wave(state: State, now: datetime) -> Action:
    """Baseline, writes, looks, and the verdict."""
    status, spec = state.rollout.status, state.rollout.spec
    wave = status.wave
    analysis = state.analyses.get(wave)
    if analysis is None or analysis.status.phase == "Pending":
        return Action("baseline", wave)
    phase = analysis.status.phase
    if unwritten(state, wave):
        if phase == "Inconclusive":  # the baseline could not be taken, and without it nothing is written
            return Action("pause", wave, "Inconclusive", analysis.status.said, paused_for="inconclusive")
        return Action("apply", wave)
    if phase == "Running":
        due = look_time(state, wave)
        if now < due:
            return Action(
                "wait", wave, until=due, reason="Settling" if analysis.status.checks == 0 else "Analysing"
            )
        return Action("analyze", wave)
    if phase == "Failed":
        return Action("rollback", wave, "Regression", analysis.status.said)
    if phase in ("Error", "Inconclusive"):
        return _inconclusive(state, analysis.status.said)
    if status.waves_started < len(spec.waves):
        return Action("promote", wave, "Promoted", f"wave {wave} is good: {analysis.status.said}")
    return Action("succeed", wave, "Succeeded", f"every wave is good; the last: {analysis.status.said}")


def _inconclusive(state: State, reason: str) -> Action:
    wave = state.rollout.status.wave
    if state.rollout.spec.strategy.analysis.on_inconclusive == "rollback":
        return Action("rollback", wave, "Inconclusive", f"wave {wave} is inconclusive: {reason}")
    return Action("pause", wave, "Inconclusive", reason, paused_for="inconclusive")
