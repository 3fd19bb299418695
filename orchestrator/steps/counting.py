"""Sequential tests of one look: counters are read again from the baseline on, so that nothing needs to be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.analysis.counters import Increments, increments
from orchestrator.analysis.query import resolve
from orchestrator.analysis.sequential import Counts, Evidence, alarm_at, pooled, verdict_of
from orchestrator.errors import MetricError
from orchestrator.ports import MetricSource, Sample
from orchestrator.rollout import model as m
from orchestrator.rollout.next import State, applied_at
from orchestrator.rollout.resource import WaveAnalysis
from orchestrator.steps.context import Context
from orchestrator.steps.records import needed, record

CHUNK = 50  # namespaces asked about in one query
GONE = 2  # intervals without any scrape after which a series counts as gone
Key = tuple[str, str]


@dataclass(frozen=True)
class Grid:
    """Intervals of `step` seconds; `count` of them from `start`."""

    start: datetime
    step: float
    count: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.step * self.count)

    @staticmethod
    def until(end: datetime, since: datetime, step: float) -> Grid:
        """As many whole intervals as fit after `since`, ending at `end`."""
        count = max(int((end - since).total_seconds() // step), 1)
        return Grid(end - timedelta(seconds=step * count), step, count)


@dataclass(frozen=True)
class Counted:
    """One metric's counts by namespace over a grid; `broken` says what is unusable, by namespace."""

    counts: Mapping[str, Counts] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    query: str = ""

    def of(self, names: Sequence[str]) -> Counts | None:
        """Several namespaces together; None where none of them has counts."""
        found = [self.counts[n] for n in names if n in self.counts]
        if not found:
            return None
        return Counts(pooled([c.errors for c in found]), pooled([c.total for c in found]))


def counted(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    """A record for each sequential metric in each watched namespace that has something to say of it."""
    plan = state.rollout.spec.strategy.analysis
    metrics = {metric.name: metric for metric in plan.metrics if metric.test == "sequential"}
    if not metrics:
        return []
    since, step = analysis.spec.since, plan.interval_seconds
    settled = applied_at(state, analysis.spec.wave) + timedelta(
        seconds=state.rollout.spec.strategy.settle_seconds
    )
    past = Grid.until(since, since - timedelta(seconds=plan.baseline_seconds), step)
    now = Grid.until(at, min(settled, at - timedelta(seconds=step)), step)
    found: list[m.MeasurementRecord] = []
    read: dict[str, tuple[Counted, Counted]] = {}
    names = [*analysis.spec.watched, *analysis.spec.controls]
    for metric in metrics.values():
        source = ctx.metrics(plan, metric.provider)
        if source is None:
            text = f"{metric.name}: no provider {metric.provider} is set up"
            found.append(record(metric.name, analysis.spec.watched[0], at, "Error", text))
            continue
        read[metric.name] = (_counts(source, metric, names, past), _counts(source, metric, names, now))
    return [*found, *_judged(state, analysis, at, metrics, read)]


def _counts(source: MetricSource, metric: m.MetricSpec, names: Sequence[str], grid: Grid) -> Counted:
    """Never raises for a metric: what could not be read is `broken`, with the query's text."""
    broken: dict[str, str] = {}
    templates = (metric.errors, metric.total) if metric.kind == "ratio" else (metric.query,)
    parts: list[dict[str, Increments]] = []
    asked: list[str] = []
    for template in templates:
        grown: dict[str, Increments] = {}
        for at in range(0, len(names), CHUNK):
            some = names[at : at + CHUNK]
            queries = resolve(template, some, int(grid.step))
            for number, query in enumerate(queries):
                mine = some if len(queries) == 1 else [some[number]]
                try:
                    samples = source.query_range(query, grid.start, grid.end, grid.step)
                    grown |= _grown(samples, grid, mine)
                except MetricError as error:
                    broken.update(dict.fromkeys(mine, f"{metric.name}: {error} (query: {query})"))
            asked.append(queries[0] if len(queries) == 1 else template)
        parts.append(grown)
    totals = parts[-1]
    nothing: Increments = (None,) * grid.count
    counts = {
        name: Counts(parts[0].get(name, nothing) if metric.kind == "ratio" else total, total)
        for name, total in totals.items()
        if name not in broken
    }
    return Counted(counts, broken, " / ".join(dict.fromkeys(asked)))


def _grown(samples: Sequence[Sample], grid: Grid, mine: Sequence[str]) -> dict[str, Increments]:
    alone = mine[0] if len(mine) == 1 else ""
    found = increments(samples, grid.start, grid.step, grid.count, namespace=alone)
    return {name: grown for name, grown in found.items() if name in mine}


def _judged(
    state: State,
    analysis: WaveAnalysis,
    at: datetime,
    metrics: Mapping[str, m.MetricSpec],
    read: Mapping[str, tuple[Counted, Counted]],
) -> list[m.MeasurementRecord]:
    """All streams of the wave share its part of alpha; those without a past cannot alarm and do not count."""
    plan, waves = state.rollout.spec.strategy.analysis, len(state.rollout.spec.waves)
    keys = [(name, n) for name in read for n in analysis.spec.watched]
    live = [k for k in keys if k[1] in read[k[0]][0].counts and not metrics[k[0]].dry_run]
    limit = alarm_at(max(len(live), 1), waves, plan.alpha)
    evidence = {k: e for k in keys if (e := _evidence(metrics[k[0]], k[1], analysis, read[k[0]], limit))}
    deciding = {k: e for k, e in evidence.items() if not metrics[k[0]].dry_run}
    joint = verdict_of(deciding, plan.alpha, waves)
    found = []
    for key in keys:
        metric, now = metrics[key[0]], read[key[0]][1]
        must = needed(state, analysis, metric, key[1])
        alarm = key in evidence and (evidence[key].peak >= limit or (joint.alarm and key == joint.worst))
        said = _phase(metric, key[1], analysis, read[key[0]], evidence.get(key), alarm, must)
        if said is None:
            continue
        item = record(metric.name, key[1], at, said[0], f"{metric.name} in {key[1]}: {said[1]}")
        found.append(
            item.model_copy(update={**_values(metric, evidence.get(key)), "query": now.query[:8000]})
        )
    return found


def _evidence(
    metric: m.MetricSpec, name: str, analysis: WaveAnalysis, read: tuple[Counted, Counted], limit: float
) -> Evidence | None:
    """None where a namespace has no counts on one of the sides."""
    from orchestrator.analysis.streams import ratio_evidence, volume_evidence  # loads numpy

    before, after = (side.counts.get(name) for side in read)
    if before is None or after is None:
        return None
    controls = [side.of(analysis.spec.controls) for side in read]
    if metric.kind == "ratio":
        return ratio_evidence(
            before,
            after,
            controls[0],
            controls[1],
            tolerance=metric.tolerance,
            alarm_at=limit,
            regression=metric.regression,
        )
    return volume_evidence(
        before.total,
        after.total,
        controls[0].total if controls[0] else None,
        controls[1].total if controls[1] else None,
        min_ratio=0.5 if metric.min_ratio is None else metric.min_ratio,
        alarm_at=limit,
        regression=0.9 if metric.regression is None else metric.regression,
    )


def _phase(
    metric: m.MetricSpec,
    name: str,
    analysis: WaveAnalysis,
    read: tuple[Counted, Counted],
    evidence: Evidence | None,
    alarm: bool,
    must: bool,
) -> tuple[m.MeasurementPhase, str] | None:
    """What a namespace's counts say; None where they say nothing and need not."""
    for side in read:
        if name in side.broken:
            return "Error", side.broken[name]
    past, here = (any(x is not None for x in c.total) if (c := s.counts.get(name)) else False for s in read)
    if past and not here:
        return _gone(metric, analysis, read)
    if evidence is None:
        return (
            ("Inconclusive", "no data before the change, so there is nothing to compare with")
            if must
            else None
        )
    if alarm:
        return "Failed", evidence.message
    if evidence.enough:
        return "Successful", evidence.message
    return ("Running" if must else "Pending"), evidence.message


def _gone(
    metric: m.MetricSpec, analysis: WaveAnalysis, read: tuple[Counted, Counted]
) -> tuple[m.MeasurementPhase, str]:
    """A series that was there before the change and is gone after it, unless the controls lost it as well."""
    before, after = (side.of(analysis.spec.controls) for side in read)
    kept = after is not None and any(x is not None for x in after.total)
    if before is not None and not kept:
        return "Inconclusive", "vanished here and in every control alike"
    length = max((len(c.total) for c in read[1].counts.values()), default=GONE)
    if length < GONE:
        return "Running", "nothing was scraped since the change yet"
    alone = "" if before is not None else " (no control: own past decides)"
    return "Failed", f"the counters were there before the change and are gone after it{alone}"


def _values(metric: m.MetricSpec, evidence: Evidence | None) -> dict[str, float | None]:
    """For a ratio shares of requests, for a volume requests: what was seen, and what was expected."""
    if evidence is None or (metric.kind == "ratio" and not evidence.exposure):
        return {}
    size = evidence.exposure if metric.kind == "ratio" else 1.0
    return {"value": evidence.seen / size, "baseline": evidence.expected / size}
