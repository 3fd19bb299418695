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
from orchestrator.rollout.due import applied_at
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import WaveAnalysis
from orchestrator.steps.context import Context
from orchestrator.steps.records import needed, provider, record

CHUNK = 50  # namespaces asked about in one query
MIN_RATIO = 0.5  # of the expected requests, where a volume says nothing of it
MOST_POINTS = 10_000  # of one query; Prometheus refuses more than 11,000
LEAD = 4  # intervals read before a grid, so that a scrape that was lost at its start is not counted from zero
RECENT = 5  # intervals before the change in one of which a series must have been there to be lost by it
GONE = 2  # intervals without any scrape after which a series counts as gone


@dataclass(frozen=True)
class Grid:
    """Intervals of `step` seconds; `count` of them from `start`."""

    start: datetime
    step: float
    count: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.step * self.count)

    @property
    def lead(self) -> datetime:
        """Where reading begins."""
        return self.start - timedelta(seconds=LEAD * self.step)

    @staticmethod
    def until(end: datetime, since: datetime, step: float) -> Grid:
        """As many whole intervals as fit after `since`, ending at `end`."""
        count = min(max(int((end - since).total_seconds() // step), 1), MOST_POINTS)
        return Grid(end - timedelta(seconds=step * count), step, count)


@dataclass(frozen=True)
class Counted:
    """One metric's counts by namespace over a grid; `broken` says what is unusable, by namespace."""

    length: int
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
    metrics = [metric for metric in plan.metrics if metric.test == "sequential"]
    if not metrics:
        return []
    since, step = analysis.spec.since, plan.interval_seconds
    settled = applied_at(state, analysis.spec.wave) + timedelta(
        seconds=state.rollout.spec.strategy.settle_seconds
    )
    past = Grid.until(since, since - timedelta(seconds=plan.baseline_seconds), step)
    now = Grid.until(at, min(settled, at - timedelta(seconds=step)), step)
    found: list[m.MeasurementRecord] = []
    streams: list[Stream] = []
    controls = analysis.spec.controls
    for metric in metrics:
        source = provider(ctx, plan, metric.provider)
        if isinstance(source, str):
            text = f"{metric.name}: {source}"
            found.append(record(metric.name, analysis.spec.watched[0], at, "Error", text))
            continue
        names = [*analysis.spec.watched, *controls]
        sides = [_counts(source, metric, names, grid) for grid in (past, now)]
        compared = (sides[0].of(controls), sides[1].of(controls))
        streams += [Stream(metric, n, sides[0], sides[1], compared) for n in analysis.spec.watched]
    return [*found, *_judged(state, analysis, at, streams)]


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
                    samples = source.query_range(query, grid.lead, grid.end, grid.step)
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
    return Counted(grid.count, counts, broken, " / ".join(dict.fromkeys(asked)))


def _grown(samples: Sequence[Sample], grid: Grid, mine: Sequence[str]) -> dict[str, Increments]:
    alone = mine[0] if len(mine) == 1 else ""
    found = increments(samples, grid.lead, grid.step, grid.count + LEAD, namespace=alone)
    return {name: grown[LEAD:] for name, grown in found.items() if name in mine}


@dataclass(frozen=True)
class Stream:
    """One metric in one namespace, with its counts and the controls' on both sides of the change."""

    metric: m.MetricSpec
    namespace: str
    before: Counted
    after: Counted
    controls: tuple[Counts | None, Counts | None]

    @property
    def past(self) -> bool:
        """Whether anything was scraped just before the change."""
        known = self.before.counts.get(self.namespace)
        return known is not None and any(x is not None for x in known.total[-RECENT:])

    @property
    def busy(self) -> bool:
        """Whether there was traffic before the change: then a regression must have had its chance to show."""
        known = self.before.counts.get(self.namespace)
        return self.past and known is not None and sum(x or 0.0 for x in known.total) > 0

    def evidence(self, limit: float) -> Evidence:
        """What the counts say, where the alarm is at this log evidence."""
        from orchestrator.analysis.streams import ratio_evidence, volume_evidence  # loads numpy

        nothing: Increments = (None,) * self.after.length
        before = self.before.counts[self.namespace]
        after = self.after.counts.get(self.namespace, Counts(nothing, nothing))
        if self.metric.kind == "ratio":
            return ratio_evidence(
                before,
                after,
                *self.controls,
                tolerance=self.metric.tolerance,
                alarm_at=limit,
                regression=self.metric.regression,
            )
        return volume_evidence(
            before.total,
            after.total,
            *(c.total if c else None for c in self.controls),
            min_ratio=MIN_RATIO if self.metric.min_ratio is None else self.metric.min_ratio,
            alarm_at=limit,
            regression=self.metric.regression,
        )


def scraped(counts: Counts | None) -> bool:
    """Whether there is a count in any interval."""
    return counts is not None and any(x is not None for x in counts.total)


def _judged(
    state: State, analysis: WaveAnalysis, at: datetime, streams: Sequence[Stream]
) -> list[m.MeasurementRecord]:
    """The streams of a wave share its part of alpha; which they are was settled before the change."""
    plan, waves = state.rollout.spec.strategy.analysis, len(state.rollout.spec.waves)
    live = [s for s in streams if s.past]
    limit = alarm_at(sum(not s.metric.dry_run for s in live), waves, plan.alpha)
    evidence = {(s.metric.name, s.namespace): s.evidence(limit) for s in live}
    deciding = {(s.metric.name, s.namespace) for s in live if not s.metric.dry_run}
    joint = verdict_of({k: e for k, e in evidence.items() if k in deciding}, plan.alpha, waves)
    found = []
    for stream in streams:
        key = (stream.metric.name, stream.namespace)
        known = evidence.get(key)
        alarm = known is not None and (known.peak >= limit or (joint.alarm and key == joint.worst))
        must = needed(state, analysis, stream.metric, stream.namespace, quiet=not stream.busy)
        must = must or (stream.busy and stream.metric.required)
        said = _phase(stream, known, alarm, must)
        if said is not None:
            item = record(key[0], key[1], at, said[0], f"{key[0]} in {key[1]}: {said[1]}")
            values = {**_values(stream.metric, known), "query": stream.after.query[:8000]}
            found.append(item.model_copy(update=values))
    return found


def _phase(
    stream: Stream, evidence: Evidence | None, alarm: bool, must: bool
) -> tuple[m.MeasurementPhase, str] | None:
    """What a namespace's counts say; None where they say nothing and need not."""
    for side in (stream.before, stream.after):
        if stream.namespace in side.broken:
            return "Error", side.broken[stream.namespace]
    if evidence is None:
        text = "no data before the change, so there is nothing to compare with"
        return ("Inconclusive", text) if must else None
    if not scraped(stream.after.counts.get(stream.namespace)):
        return _gone(stream)
    if alarm:
        return "Failed", evidence.message
    if evidence.enough:
        return "Successful", evidence.message
    return ("Running" if must else "Pending"), evidence.message


def _gone(stream: Stream) -> tuple[m.MeasurementPhase, str]:
    """A series that was there before the change and is gone after it, unless the controls lost it as well."""
    before, after = stream.controls
    if before is not None and not scraped(after):
        return "Inconclusive", "vanished here and in every control alike"
    if stream.after.length < GONE:
        return "Running", "nothing was scraped since the change yet"
    alone = "" if before is not None else " (no control: own past decides)"
    return "Failed", f"the counters were there before the change and are gone after it{alone}"


def _values(metric: m.MetricSpec, evidence: Evidence | None) -> dict[str, float | None]:
    """For a ratio shares of requests, for a volume requests: what was seen, and what was expected."""
    if evidence is None or (metric.kind == "ratio" and not evidence.exposure):
        return {}
    size = evidence.exposure if metric.kind == "ratio" else 1.0
    return {"value": evidence.seen / size, "baseline": evidence.expected / size}
