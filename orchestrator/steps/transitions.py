"""Open a wave, pause before or within it, go on, declare an emergency, note a request: one compare-and-swap each."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from orchestrator.context import ANALYSIS, Context, change
from orchestrator.errors import NotFound
from orchestrator.rollout.gates.emergency import CONDITION, asked, joining
from orchestrator.rollout.handoff import resumed
from orchestrator.rollout.next import Action, State, unwritten
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import of_type, put, reasoned
from orchestrator.rollout.resources.resource import WaveAnalysis, load
from orchestrator.wording import numbered

BROKEN = "BreakGlassUsed"
MOST_EARLIER = 16  # emergencies of one rollout, beside the last


def open_wave(ctx: Context, state: State, action: Action) -> None:
    """From here on the wave may be written to; not where another one took the capacity meanwhile."""
    with ctx.capacity.turn():
        joined = _joining(ctx, state)
        if not joined and ctx.capacity.lacking(state.rollout):
            return
        opened = action.wave + 1
        going = {"phase": "Progressing", "paused_for": "", "reason": "", **_glass(ctx, state, action)}
        if joined:
            opened = joined[-1] + 1
            action = replace(
                action, message=f"{action.message}; with it by an emergency: {numbered('wave', joined)}"
            )
            going["joined"] = [*state.rollout.status.joined, *joined]
        change(ctx, state, action, waves_started=opened, **going)


def _joining(ctx: Context, state: State) -> list[int]:
    """The waves that open with this one; none where there is capacity for this one alone."""
    joined = joining(state.rollout, ctx.clock.now())
    names = sum(len(state.rollout.spec.waves[number].namespaces) for number in joined)
    return [] if joined and ctx.capacity.lacking(state.rollout, names) else joined


def declare(ctx: Context, state: State, action: Action) -> None:
    """Record an emergency before anything follows from it; the condition stays, with everyone who declared one."""
    rollout, now = state.rollout, ctx.clock.now()
    voice = asked(rollout, state.approvals, now)
    if voice is None or voice.expires is None:
        return
    declared = m.EmergencyDeclared(
        user=voice.user,
        reason=voice.comment,
        at=now,
        until=voice.expires,
        skips=rollout.spec.strategy.emergency.skip,
        earlier=_earlier(rollout.status.emergency),
    )
    old = of_type(rollout.status.conditions, CONDITION)
    said = f"{action.message}; {old.message}" if old is not None else action.message
    known = put(rollout.status.conditions, CONDITION, "True", "Emergency", said, now)
    change(ctx, state, action, emergency=declared, conditions=known)


def _earlier(last: m.EmergencyDeclared | None) -> list[m.EmergencyTimes]:
    if last is None:
        return []
    return [*last.earlier, m.EmergencyTimes(at=last.at, until=last.until)][-MOST_EARLIER:]


def pause(ctx: Context, state: State, action: Action) -> None:
    """Stand still for a person, in sight."""
    reason = action.message[:4000]  # a gate names everyone who approved
    change(ctx, state, action, phase="Paused", paused_for=action.paused_for, reason=reason)


def go_on(ctx: Context, state: State, action: Action) -> None:
    """Leave the pause; an inconclusive analysis starts over, from its baseline where nothing is written yet."""
    analysis = state.analyses.get(action.wave)
    if analysis is not None and analysis.status.phase == "Inconclusive" and unwritten(state, action.wave):
        _forget(ctx, analysis)
    elif analysis is not None and analysis.status.phase in ("Error", "Inconclusive"):
        fresh = analysis.status.model_copy(
            update={
                "phase": "Running",
                "checks": 0,
                "reason": "",
                "measurements": [],
                "probes": [r for r in analysis.status.probes if r.when in ("baseline", "longLived")],
                "probed_at": None,
                "started_at": ctx.clock.now(),
                "shards": [],
                "watch": m.Watch(),
            }
        )
        load(ctx.cluster.replace_status(analysis.with_status(fresh)))
    _accept(ctx, state, action)
    going = {"workflow": resumed(state.rollout), **_glass(ctx, state, action)}
    status = state.rollout.status
    unfrozen = (
        status.paused_for == "error" and status.started_at is None
    )  # its namespaces are still to be frozen
    phase = "Pending" if unfrozen else "Progressing"
    change(ctx, state, action, phase=phase, paused_for="", reason="", **going)


def _accept(ctx: Context, state: State, action: Action) -> None:
    """Who goes on with the next wave does so without the namespaces of the promoted one that went."""
    before = state.promoted()
    asked = state.rollout.status.paused_for == "inconclusive" and action.reason == "Resumed"
    if before is None or before.status.phase != "Inconclusive" or not asked:
        return
    said = f"{action.actor} went on: {before.status.said}"
    good = before.status.model_copy(update={"phase": "Successful", **reasoned(said)})
    ctx.cluster.replace_status(before.with_status(good))


def _forget(ctx: Context, analysis: WaveAnalysis) -> None:
    """What is tried is chosen anew, too: the pods may be others by now."""
    meta = analysis.manifest["metadata"]
    with suppress(NotFound):
        ctx.cluster.delete(ANALYSIS, analysis.name, ctx.namespace, uid=meta["uid"], resource_version="")


def _glass(ctx: Context, state: State, action: Action) -> dict[str, Any]:
    """The condition that stays on a rollout whose glass was broken, with everyone who did it."""
    if action.reason != "BreakGlass":
        return {}
    known = state.rollout.status.conditions
    old = of_type(known, BROKEN)
    said = f"{action.message}; {old.message}" if old is not None else action.message
    return {"conditions": put(known, BROKEN, "True", "BreakGlass", said, ctx.clock.now())}


def handle(ctx: Context, state: State, action: Action) -> None:
    """Note a request that changes nothing, so that it is not looked at again."""
    request = state.request()
    change(ctx, state, action, handled_request=request.id if request else "")
