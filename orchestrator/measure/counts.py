"""The counts that sequential tests go by: read again from the baseline on at each look, so that nothing needs to be stored.

Where a wave changes some pods of a namespace, its series are told apart by their label `pod`: those pods are watched, and the
others of the namespace, under the same traffic, are what they are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.analysis.sequential.alarm import Counts, Evidence, pooled
from orchestrator.analysis.sequential.counters import Increments, increments
from orchestrator.context import POD, Context
from orchestrator.measure.kept_measurements import provider, record
from orchestrator.measure.reader import EXCESS, Asking, Series, read_range, templates
from orchestrator.measure.reader import Grid as Times
from orchestrator.ports import MetricSource, Sample
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.rollout.timing import applied_at, settling
from orchestrator.wording import many

CHUNK = 50  # namespaces asked about in one query
MIN_RATIO = 0.5  # of the expected requests, where a volume says nothing of it
MOST_POINTS = 10_000  # of one query; Prometheus refuses more than 11,000
LEAD = 4  # intervals read before a grid, so that a scrape that was lost at its start is not counted from zero
SIBLINGS = "/others"  # after a namespace: its pods that a wave does not change; no namespace has such a name
RECENT = 5  # intervals before the change in one of which a series must have been there to be lost by it


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


def streamed(
    ctx: Context, state: State, analysis: WaveAnalysis, at: datetime, watched: Sequence[str]
) -> tuple[list[m.MeasurementRecord], list[Stream]]:
    """The counts of some watched namespaces with the controls'; and a record for each metric that nobody answers."""
    plan = state.rollout.spec.strategy.analysis
    metrics = [metric for metric in plan.metrics if metric.test == "sequential"]
    found: list[m.MeasurementRecord] = []
    streams: list[Stream] = []
    if not metrics:
        return found, streams
    since, step = analysis.spec.since, plan.interval_seconds
    written = applied_at(state, analysis.spec.wave)
    settled = written + settling(state, written)
    past = Grid.until(since, since - timedelta(seconds=plan.baseline_seconds), step)
    now = Grid.until(at, min(settled, at - timedelta(seconds=step)), step)
    controls = analysis.spec.control_group
    scoped = _scoped(ctx, state, analysis)
    for metric in metrics:
        source = provider(ctx, plan, metric.provider)
        if isinstance(source, str):
            found.append(record(metric.name, watched[0], at, "Error", f"{metric.name}: {source}"))
            continue
        names = [*watched, *controls]
        before, after = (
            _counts(source, metric, names, grid, analysis.spec.watched, scoped) for grid in (past, now)
        )
        for name in watched:
            siblings = [name + SIBLINGS] if name + SIBLINGS in before.counts else []
            others = siblings or controls
            compared = (before.of(others), after.of(others))
            streams.append(Stream(metric, name, before, after, compared, bool(siblings)))
    return found, streams


@dataclass(frozen=True)
class Pods:
    """Those of a namespace to which a wave comes first, and the others that stand there now."""

    first: frozenset[str]
    others: frozenset[str]

    def whose(self, name: str, pod: str) -> str:
        """What a series of a pod is counted to; nothing for one that is gone and was none of the first."""
        return name if pod in self.first else name + SIBLINGS if pod in self.others else ""


def _scoped(ctx: Context, state: State, analysis: WaveAnalysis) -> dict[str, Pods]:
    """The pods of each namespace in which a wave changes some."""
    found: dict[str, Pods] = {}
    known = analysis.spec.canary_pods
    for place in state.rollout.spec.waves[analysis.spec.wave].namespaces:
        for name in (place.covers or [place.name]) if place.pods else ():
            here = [pod["metadata"] for pod in ctx.cluster.list(POD, name)]
            labels = [(str(meta["name"]), meta.get("labels") or {}) for meta in here]
            mine = {pod for pod, has in labels if all(has.get(p.key) == p.value for p in place.pods)}
            first = mine | {pod.partition("/")[2] for pod in known if pod.startswith(f"{name}/")}
            found[name] = Pods(frozenset(first), frozenset(pod for pod, _ in labels) - first)
    return found


def _counts(
    source: MetricSource,
    metric: m.MetricSpec,
    names: Sequence[str],
    grid: Grid,
    known: Sequence[str],
    scoped: Mapping[str, Pods],
) -> Counted:
    """Never raises for a metric: what could not be read is `broken`, with the query's text."""
    broken: dict[str, str] = {}
    parts: list[dict[str, Increments]] = []
    asked: list[str] = []
    times = Times(grid.lead, grid.end, grid.step)
    for template in templates(metric):
        grown: dict[str, Increments] = {}
        for at in range(0, len(names), CHUNK):
            asking = Asking(source, names[at : at + CHUNK], int(grid.step), [*names, *known])
            series = read_range(asking, template, metric, times)
            broken |= {name: f"{metric.name}: {text}" for name, text in series.broken.items()}
            grown |= _grown(series, grid, scoped)
            asked.append(series.queries[0] if len(series.queries) == 1 else template)
        parts.append(grown)
    totals = parts[-1]
    nothing: Increments = (None,) * grid.count
    counts = {
        name: Counts(parts[0].get(name, nothing) if metric.kind == "ratio" else total, total)
        for name, total in totals.items()
        if name not in broken
    }
    broken |= {n: f"{metric.name}: {t}" for n, c in counts.items() if (t := _excess(c, n))}
    counts = {n: c for n, c in counts.items() if n not in broken}
    return Counted(grid.count, counts, broken, " / ".join(dict.fromkeys(asked)))


def _excess(counts: Counts, name: str) -> str:
    """Said where there are more errors than requests, up to the last scrape of requests; one may be on its way."""
    last = max((n for n, x in enumerate(counts.total) if x is not None), default=-1)
    errors, total = (sum(x or 0.0 for x in side[: last + 1]) for side in (counts.errors, counts.total))
    if not total or errors <= total * EXCESS + 1:
        return ""
    return f"{many(errors, 'error')} in {many(total, 'request')} in {name}"


def _grown(series: Series, grid: Grid, scoped: Mapping[str, Pods]) -> dict[str, Increments]:
    samples = [
        _named(s, whose)
        for name, found in series.samples.items()
        for s, whose in _told_apart(name, found, scoped.get(name))
        if whose
    ]
    found = increments(samples, grid.lead, grid.step, grid.count + LEAD)
    return {name: grown[LEAD:] for name, grown in found.items()}


def _told_apart(name: str, samples: Sequence[Sample], pods: Pods | None) -> list[tuple[Sample, str]]:
    """What each series of a namespace is counted to: all to the namespace where their labels name no pod of it."""
    if pods is None or not any(pods.whose(name, s.labels.get("pod", "")) for s in samples):
        return [(s, name) for s in samples]
    return [(s, pods.whose(name, s.labels.get("pod", ""))) for s in samples]


def _named(sample: Sample, namespace: str) -> Sample:
    return replace(sample, labels={**sample.labels, "namespace": namespace})


@dataclass(frozen=True)
class Stream:
    """One metric in one namespace, with its counts and the controls' on both sides of the change.

    `siblings` says that it is about some pods of the namespace, and that the controls are the others of it.
    """

    metric: m.MetricSpec
    namespace: str
    before: Counted
    after: Counted
    controls: tuple[Counts | None, Counts | None]
    siblings: bool = False

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
        from orchestrator.analysis.sequential.streams import ratio_evidence, volume_evidence  # loads numpy

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
