"""One more look at the last promoted wave while the next one waits: what fails puts everything back."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.rollout import model as m
from orchestrator.rollout.due import settled_at
from orchestrator.rollout.next import Action, State
from orchestrator.steps.analyze import look
from orchestrator.steps.context import Context

MOST_LOOKS = 20  # whose measurements are kept, besides those by which the wave was promoted


def run(ctx: Context, state: State, action: Action) -> None:
    """Look at the latest time of the wave's grid; those that were missed are over. What is unclear is noted alone."""
    analysis, plan = state.analyses[action.wave], state.rollout.spec.strategy.analysis
    settled, before = settled_at(state, action.wave), analysis.status.watch
    step = timedelta(seconds=plan.interval_seconds)
    slot = max((ctx.clock.now() - settled) // step, analysis.status.ticks + 1)
    at = settled + slot * step
    promoted = before.since or settled + analysis.status.ticks * step
    status = look(ctx, state, analysis, at, slot)
    seen = m.Watch(
        since=promoted, looked_at=at, looks=before.looks + 1, phase=status.phase, reason=status.reason
    )
    times = sorted({r.time for r in status.measurements if r.time > promoted})[-MOST_LOOKS:]
    kept = [r for r in status.measurements if r.time <= promoted or r.time in times]
    update = {"watch": seen, "measurements": kept}
    if status.phase != "Failed":
        update |= {"phase": analysis.status.phase, "reason": analysis.status.reason}
    ctx.cluster.replace_status(analysis.with_status(status.model_copy(update=update)))
