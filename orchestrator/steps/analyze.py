"""One look at a wave: its metrics on a fixed grid of times, and its probes."""

from __future__ import annotations

from datetime import datetime

from orchestrator.analysis.measurement import measure, usable
from orchestrator.analysis.verdict import verdict
from orchestrator.errors import PortError
from orchestrator.rollout import model as m
from orchestrator.rollout.next import Action, State, look_time
from orchestrator.rollout.resource import WaveAnalysis
from orchestrator.steps.context import Context
from orchestrator.steps.readings import read
from orchestrator.steps.verify import probes, record

MOST_KEPT = 1000


def run(ctx: Context, state: State, action: Action) -> None:
    """Measure at the time that was due, however late it is now; never a success without evidence."""
    analysis = state.analyses[action.wave]
    plan = state.rollout.spec.strategy.analysis
    measured = _measure(ctx, state, analysis, look_time(state, action.wave))
    results: list[m.ProbeRecord] = []
    baseline = [p for p in analysis.status.probes if p.when == "baseline"]
    ticks = analysis.status.ticks + 1
    kept = [*analysis.status.measurements, *measured][-MOST_KEPT:]
    try:
        wanted = probes(state.rollout.spec.strategy)
        prober = ctx.prober(plan.probing, state.rollout.name)
        results = [record(r, "after") for r in prober.run(wanted)] if wanted and prober else []
        phase, reason = verdict(plan, kept, results, ticks, {p.probe: p.observed for p in baseline})
    except PortError as error:
        phase, reason = "Error", f"the probes could not be run: {error}"
    status = analysis.status.model_copy(
        update={
            "phase": phase,
            "reason": reason,
            "ticks": ticks,
            "probes": [*baseline, *results],
            "measurements": kept,
        }
    )
    ctx.cluster.replace_status(analysis.with_status(status))


def _measure(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    plan = state.rollout.spec.strategy.analysis
    changed, watched = set(state.wave_names(analysis.spec.wave)), analysis.spec.watched
    controls = tuple(analysis.spec.controls)
    found: list[m.MeasurementRecord] = []
    for metric in plan.metrics:
        source = ctx.metrics(plan, metric.provider)
        if source is None:
            text = f"{metric.name}: no provider {metric.provider} is set up"
            found.append(_record(metric.name, watched[0], at, "Error", text))
            continue
        names = [*watched, *controls]
        before = read(source, metric, names, plan.window_seconds, analysis.spec.since)
        now = read(source, metric, names, plan.window_seconds, at)
        for name in watched:
            quiet = usable(before, name) is None and usable(now, name) is None
            asked = name in changed and metric.required and not _probes_decide(plan)
            if quiet and not asked and name not in now.broken:
                continue
            result = measure(metric, name, before, now, controls)
            item = _record(metric.name, name, at, result.phase, result.message)
            values = {"value": result.value, "baseline": result.baseline, "control": result.control}
            found.append(item.model_copy(update={**values, "query": now.query[:8000]}))
    return found


def _probes_decide(plan: m.Analysis) -> bool:
    return plan.on_no_traffic == "probes" and bool(plan.probes)


def _record(
    metric: str, namespace: str, at: datetime, phase: m.MeasurementPhase, message: str
) -> m.MeasurementRecord:
    return m.MeasurementRecord(
        metric=metric, namespace=namespace, time=at, phase=phase, message=message[:2000]
    )
