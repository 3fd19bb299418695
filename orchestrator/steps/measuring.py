"""The metrics of one look, each by its own test: thresholds over a window, or sequential tests on counters."""

from __future__ import annotations

from datetime import datetime

from orchestrator.analysis.measurement import measure, usable
from orchestrator.ports import MetricSource
from orchestrator.rollout import model as m
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import WaveAnalysis
from orchestrator.steps.context import Context
from orchestrator.steps.readings import read


def measured(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    """A record for each metric in each watched namespace that has something to say of it."""
    plan = state.rollout.spec.strategy.analysis
    found: list[m.MeasurementRecord] = []
    for metric in plan.metrics:
        source = ctx.metrics(plan, metric.provider)
        if source is None:
            text = f"{metric.name}: no provider {metric.provider} is set up"
            found.append(record(metric.name, analysis.spec.watched[0], at, "Error", text))
        elif metric.test == "threshold":
            found += _by_threshold(plan, source, metric, state, analysis, at)
    return found


def _by_threshold(
    plan: m.Analysis,
    source: MetricSource,
    metric: m.MetricSpec,
    state: State,
    analysis: WaveAnalysis,
    at: datetime,
) -> list[m.MeasurementRecord]:
    watched, controls = analysis.spec.watched, tuple(analysis.spec.controls)
    names = [*watched, *controls]
    before = read(source, metric, names, plan.window_seconds, analysis.spec.since)
    now = read(source, metric, names, plan.window_seconds, at)
    found = []
    for name in watched:
        quiet = usable(before, name) is None and usable(now, name) is None
        if quiet and not needed(state, analysis, metric, name) and name not in now.broken:
            continue
        result = measure(metric, name, before, now, controls)
        item = record(metric.name, name, at, result.phase, result.message)
        values = {"value": result.value, "baseline": result.baseline, "control": result.control}
        found.append(item.model_copy(update={**values, "query": now.query[:8000]}))
    return found


def needed(state: State, analysis: WaveAnalysis, metric: m.MetricSpec, namespace: str) -> bool:
    """Whether a namespace must have data: it changes, the metric is required, and probes do not decide instead."""
    plan = state.rollout.spec.strategy.analysis
    instead = plan.on_no_traffic == "probes" and bool(analysis.spec.probes)
    return namespace in state.wave_names(analysis.spec.wave) and metric.required and not instead


def record(
    metric: str, namespace: str, at: datetime, phase: m.MeasurementPhase, message: str
) -> m.MeasurementRecord:
    """A measurement as it is kept."""
    return m.MeasurementRecord(
        metric=metric, namespace=namespace, time=at, phase=phase, message=message[:2000]
    )
