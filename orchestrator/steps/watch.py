"""One more look at a wave that has its verdict, while the next one waits or a person must decide: what fails is rolled back."""

from datetime import datetime, timedelta

from orchestrator.analysis.probe_answers import Judgement
from orchestrator.analysis.verdict import verdict
from orchestrator.context import Context
from orchestrator.measure.kept_measurements import kept
from orchestrator.measure.metrics_look import measured
from orchestrator.rollout.next import Action, State, unwritten
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built
from orchestrator.rollout.resources.conditions import reasoned
from orchestrator.rollout.timing import settled_at
from orchestrator.steps.analyze import look

MOST_LOOKS = 20  # whose measurements are kept, besides those by which the wave was promoted


def run(ctx: Context, state: State, action: Action) -> None:
    """Look at the latest time of the wave's grid; those that were missed are over. What is unclear is noted alone."""
    if unwritten(state, action.wave):
        _half_written(ctx, state, action.wave)
        return
    analysis, plan = state.analyses[action.wave], state.rollout.spec.strategy.analysis
    settled, before = settled_at(state, action.wave), analysis.status.watch
    step = timedelta(seconds=plan.interval_seconds)
    slot = max((ctx.clock.now() - settled) // step, analysis.status.checks + 1)
    at = settled + slot * step
    promoted = before.since or settled + analysis.status.checks * step
    status = look(ctx, state, analysis, at, slot)
    phase, reason = _now(status, at)
    seen = built(m.Watch, since=promoted, checked_at=at, checks=before.checks + 1, phase=phase, reason=reason)
    times = sorted({r.time for r in status.measurements if r.time > promoted})[-MOST_LOOKS:]
    kept = [r for r in status.measurements if r.time <= promoted or r.time in times]
    update = {"watch": seen, "measurements": kept}
    # in a namespace that was deleted since nobody knows any more
    went = status.deleted_namespaces != analysis.status.deleted_namespaces
    if status.phase != "Failed" and not went:
        update |= {
            "phase": analysis.status.phase,
            "reason": analysis.status.reason,
            "details": analysis.status.details,
        }
    ctx.cluster.replace_status(analysis.with_status(status.model_copy(update=update)))


def _half_written(ctx: Context, state: State, wave: int) -> None:
    """The metrics of this moment alone: probes expect what is still to be written, and no look counts for the verdict."""
    analysis, plan, at = state.analyses[wave], state.rollout.spec.strategy.analysis, ctx.clock.now()
    found = measured(ctx, state, analysis, at)
    earlier = [r for r in analysis.status.measurements if r.phase == "Failed"]
    phase, reason = verdict(plan, [*earlier, *found], Judgement(), 1)
    checks = analysis.status.watch.checks + 1
    update: dict[str, object] = {
        "watch": built(m.Watch, checked_at=at, checks=checks, phase=phase, reason=reason)
    }
    failed = [r for r in found if r.phase == "Failed"]
    update["measurements"] = kept([*analysis.status.measurements, *failed])
    if phase == "Failed":
        update |= {"phase": phase, **reasoned(reason)}
    ctx.cluster.replace_status(analysis.with_status(analysis.status.model_copy(update=update)))


def _now(status: m.WaveAnalysisStatus, at: datetime) -> tuple[m.MeasurementPhase, str]:
    """What this look says; errors of earlier ones, which may have brought the verdict about, are over."""
    latest = [r for r in status.measurements if r.time == at]
    if status.phase == "Error" and not any(r.phase in ("Error", "Inconclusive") for r in latest):
        return "Running", "what could not be asked answers again"
    return status.phase, status.said
