"""The metrics of one look, each by its own test: thresholds over a window, or sequential tests on counters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.analysis.measurement import measure, usable
from orchestrator.ports import MetricSource
from orchestrator.rollout import model as m
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import WaveAnalysis
from orchestrator.steps.context import Context
from orchestrator.steps.judging import counted
from orchestrator.steps.readings import read
from orchestrator.steps.records import needed, provider, record


def measured(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    """A record for each metric in each watched namespace that has something to say of it."""
    return [*by_threshold(ctx, state, analysis, at), *counted(ctx, state, analysis, at)]


def by_threshold(
    ctx: Context, state: State, analysis: WaveAnalysis, at: datetime, watched: Sequence[str] | None = None
) -> list[m.MeasurementRecord]:
    """Those of the metrics that are held against thresholds; `watched` are some of the watched namespaces, else all."""
    plan = state.rollout.spec.strategy.analysis
    names = analysis.spec.watched if watched is None else watched
    found: list[m.MeasurementRecord] = []
    for metric in (metric for metric in plan.metrics if metric.test == "threshold"):
        source = provider(ctx, plan, metric.provider)
        if isinstance(source, str):
            text = f"{metric.name}: {source}"
            found.append(record(metric.name, names[0], at, "Error", text))
        else:
            found += _one(plan, source, metric, state, analysis, at, names)
    return found


def _one(
    plan: m.Analysis,
    source: MetricSource,
    metric: m.MetricSpec,
    state: State,
    analysis: WaveAnalysis,
    at: datetime,
    watched: Sequence[str],
) -> list[m.MeasurementRecord]:
    controls = tuple(analysis.spec.controls)
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
