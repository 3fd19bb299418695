"""The metrics of one look, each by its own test: thresholds over a window, or sequential tests on counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.analysis.measurement import measure, usable
from orchestrator.context import Context
from orchestrator.measure.kept_measurements import needed, provider, record
from orchestrator.measure.reader import Asking, read_at, window_of
from orchestrator.measure.sequential_look import counted
from orchestrator.ports import MetricSource
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import WaveAnalysis

NOT_LOST = ("Successful", "Running", "Pending")


def measured(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    """A record for each metric in each watched namespace that has something to say of it."""
    plan = state.rollout.spec.strategy.analysis
    found = thresholds(ctx, state, analysis, at)
    return calmed(plan, found, counted(ctx, state, analysis, at))


@dataclass(frozen=True)
class Measured:
    """A record; `quiet` where there was nothing to measure, and what follows is for the volume to say."""

    record: m.MeasurementRecord
    quiet: bool = False


def calmed(
    plan: m.Analysis, found: Sequence[Measured], counts: Sequence[m.MeasurementRecord]
) -> list[m.MeasurementRecord]:
    """All records of a look. A quiet minute waits for more looks where each volume there says that nothing was lost."""
    volumes = {s.name for s in plan.metrics if s.kind == "volume" and not s.dry_run}
    said: dict[str, list[m.MeasurementRecord]] = {}
    for item in (*(one.record for one in found), *counts):
        if item.metric in volumes:
            said.setdefault(item.namespace, []).append(item)
    records = []
    for one in found:
        item = one.record
        kept = [r for r in said.get(item.namespace, ()) if r.metric != item.metric]
        if one.quiet and kept and all(r.phase in NOT_LOST for r in kept):
            text = (
                f"{item.metric} in {item.namespace}: quiet, and {kept[0].metric} says that nothing was lost"
            )
            item = item.model_copy(update={"phase": "Running", "message": text})
        records.append(item)
    return [*records, *counts]


def thresholds(
    ctx: Context, state: State, analysis: WaveAnalysis, at: datetime, watched: Sequence[str] | None = None
) -> list[Measured]:
    """The metrics that are held against thresholds; `watched` are some of the watched namespaces, else all."""
    plan = state.rollout.spec.strategy.analysis
    names = analysis.spec.watched if watched is None else watched
    found: list[Measured] = []
    for metric in (metric for metric in plan.metrics if metric.test == "threshold"):
        source = provider(ctx, plan, metric.provider)
        if isinstance(source, str):
            text = f"{metric.name}: {source}"
            found.append(Measured(record(metric.name, names[0], at, "Error", text)))
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
) -> list[Measured]:
    controls = tuple(analysis.spec.control_group)
    names = [*watched, *controls]
    window, known = window_of(plan, metric), analysis.spec.watched
    asking = Asking(source, names, window, known)
    before, _ = read_at(asking, metric, analysis.spec.since)
    now, _ = read_at(asking, metric, at)
    found = []
    for name in watched:
        quiet = usable(before, name) is None and usable(now, name) is None
        if quiet and not needed(state, analysis, metric, name) and name not in now.broken:
            continue
        result = measure(metric, name, before, now, controls)
        item = record(metric.name, name, at, result.phase, result.message)
        values = {"value": result.value, "baseline": result.baseline, "control": result.control}
        kept = item.model_copy(update={**values, "query": now.query[:8000]})
        found.append(Measured(kept, result.quiet))
    return found
