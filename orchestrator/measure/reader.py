"""The one reader of metrics: asks, says which namespace each sample belongs to, and what cannot be used, and why.

`metrics try`, the check before a rollout, the wave, the history and the sequential tests all ask here, so that none of
them takes for an answer what another one refuses. docs/analysis.md has what becomes of each kind of answer, as a table.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.analysis.measurement import Reading
from orchestrator.analysis.queries.query import resolve
from orchestrator.errors import MetricError
from orchestrator.ports import MetricSource, Sample
from orchestrator.rollout.resources import model as m
from orchestrator.wording import many

STALE = timedelta(seconds=60)  # how far a sample's time may be from the time that was asked about
EXCESS = 1.05  # errors for each request, up to which extrapolation over a window explains it
MOST_QUERY = 500  # characters of a query in a message
MOST_NAMED = 3
COUNTS = ("ratio", "volume", "scrape")  # kinds of what is counted, and never below zero


@dataclass
class Part:
    """What one template answers: usable values by namespace, which are no numbers (`unclear`), which are unusable.

    `broken` says why for each namespace, with the query; `queries` are those that were sent.
    """

    values: dict[str, float] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)


@dataclass
class Series:
    """As `Part`, with the usable samples of each namespace over a time."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Grid:
    """The times of a range query: from `start` to `end`, both included, `step` seconds apart."""

    start: datetime
    end: datetime
    step: float


@dataclass(frozen=True)
class Asking:
    """Who is asked about what. `most` limits the queries of a template that asks for each namespace by itself.

    `known` are further namespaces that the wave asks about elsewhere: their samples may come along.
    """

    source: MetricSource
    namespaces: Sequence[str]
    window: int
    known: Sequence[str] = ()
    most: int | None = None

    def queries(self, template: str) -> list[tuple[str, Sequence[str]]]:
        """The text of each query, with the namespaces that it asks about."""
        texts = resolve(template, self.namespaces, self.window)
        if len(texts) == 1:
            return [(texts[0], self.namespaces)]
        return [(text, [self.namespaces[n]]) for n, text in enumerate(texts[: self.most])]


def window_of(plan: m.Analysis, metric: m.MetricSpec) -> int:
    """What `$window` stands for, in seconds."""
    return plan.interval_seconds if metric.test == "sequential" else plan.window_seconds


def templates(metric: m.MetricSpec) -> list[str]:
    """A metric's query, or errors and total."""
    return [metric.errors, metric.total] if metric.kind == "ratio" else [metric.query]


def read_at(asking: Asking, metric: m.MetricSpec, at: datetime) -> tuple[Reading, list[str]]:
    """A metric at a time, and the queries that were sent. Never raises for a metric: see `Reading.broken`."""
    parts = [_instant(asking, text, metric, at) for text in templates(metric)]
    queries = [q for part in parts for q in part.queries]
    said = " / ".join(
        part.queries[0] if len(part.queries) == 1 else text
        for part, text in zip(parts, templates(metric), strict=True)
    )
    if metric.kind != "ratio":
        (part,) = parts
        return Reading(part.values, {}, part.broken, said, part.unclear), queries
    errors, total = parts
    return _ratio(errors, total, said, math.inf if metric.test == "sequential" else EXCESS), queries


def _ratio(errors: Part, total: Part, query: str, excess: float) -> Reading:
    """No errors where there are requests are zero errors; no requests are no value.

    More than `excess` errors a request are unusable; counters since ever may have begun at different times.
    """
    broken = {**total.broken, **errors.broken}
    unclear = {**errors.unclear, **total.unclear}
    values: dict[str, float] = {}
    idle = []
    for name, count in total.values.items():
        wrong = errors.values.get(name, 0.0)
        if name in broken or name in unclear:
            continue
        if not count:
            idle += [name] if not wrong else []
        elif wrong > count * excess:
            broken[name] = (
                f"{many(wrong, 'error')} in {many(count, 'request')} in {name} (query: {query[:MOST_QUERY]})"
            )
        else:
            values[name] = min(wrong / count, 1.0)
    return Reading(values, dict(total.values), broken, query, unclear, frozenset(idle))


def _instant(asking: Asking, template: str, metric: m.MetricSpec, at: datetime) -> Part:
    part = Part()
    for query, mine in asking.queries(template):
        part.queries.append(query)
        try:
            found = placed(asking.source.query(query, at), mine, asking.known)
        except MetricError as error:
            part.broken.update(dict.fromkeys(mine, _said(str(error), query)))
            continue
        for name, samples in found.items():
            wrong = _unusable(samples, name, metric, at, at, STALE)
            known = {_place(s): s.value for s in samples if not math.isnan(s.value)}
            if wrong:
                part.broken[name] = _said(wrong, query)
            elif known:
                part.values[name] = sum(known.values())
            else:
                text = f"NaN in {name}: where a share is divided out, take kind ratio"
                part.unclear[name] = _said(text, query)
    return part


def read_range(asking: Asking, template: str, metric: m.MetricSpec, grid: Grid) -> Series:
    """One template over a time; NaN is left out. Never raises for a metric."""
    series = Series()
    slack = timedelta(seconds=grid.step) + STALE
    for query, mine in asking.queries(template):
        series.queries.append(query)
        try:
            answer = asking.source.query_range(query, grid.start, grid.end, grid.step)
            found = placed(answer, mine, asking.known)
        except MetricError as error:
            series.broken.update(dict.fromkeys(mine, _said(str(error), query)))
            continue
        for name, samples in found.items():
            wrong = _unusable(samples, name, metric, grid.start, grid.end, slack)
            if wrong:
                series.broken[name] = _said(wrong, query)
            else:
                series.samples[name] = [s for s in samples if not math.isnan(s.value)]
    return series


def placed(
    samples: Sequence[Sample], mine: Sequence[str], known: Sequence[str] = ()
) -> Mapping[str, list[Sample]]:
    """The samples of each namespace that was asked about.

    One without the label `namespace` belongs to the namespace that was asked about alone. Raises MetricError where it
    cannot be told whose a sample is, and where an answer speaks of others alone: it says nothing of those asked about,
    least of all that there was nothing.
    """
    wanted, others = frozenset(mine), frozenset(known)
    alone = mine[0] if len(mine) == 1 else ""
    found: dict[str, list[Sample]] = {}
    foreign: dict[str, None] = {}
    for sample in samples:
        name = sample.labels.get("namespace") or alone
        if not name:
            labels = ", ".join(sample.labels) or "none"
            raise MetricError(f"a series without a namespace label (its labels: {labels})")
        if name in wanted:
            found.setdefault(name, []).append(sample)
        else:
            foreign[name] = None
    if foreign and not found and not others & foreign.keys():
        named = ", ".join(list(foreign)[:MOST_NAMED])
        raise MetricError(f"the answer is about {named}, and about no namespace that was asked about")
    return found


def _unusable(
    samples: Sequence[Sample],
    name: str,
    metric: m.MetricSpec,
    start: datetime,
    end: datetime,
    slack: timedelta,
) -> str:
    """Why a namespace's samples cannot be used; empty where they can."""
    late = next((s.time for s in samples if not start - slack <= s.time <= end + slack), None)
    if late is not None:
        return (
            f"a sample of {late:%Y-%m-%d %H:%M:%S} UTC for {name}, where {end:%H:%M:%S} UTC was asked about"
        )
    if metric.test != "sequential" and len({s.time for s in samples}) < len(samples):
        return f"several series for {name}: sum by (namespace)"
    if len({_place(s) for s in samples}) < len({(_place(s), s.value) for s in samples if s.value == s.value}):
        return f"one series of {name} has two values at a time"
    values = [s.value for s in samples]
    if any(math.isinf(v) for v in values):
        return f"infinite in {name}: something was divided by zero"
    least = min((v for v in values if not math.isnan(v)), default=0.0)
    if metric.kind in COUNTS and least < 0:
        return f"a negative count in {name}: {least:g}"
    return ""


def _place(sample: Sample) -> tuple[datetime, frozenset[tuple[str, str]]]:
    return sample.time, frozenset(sample.labels.items())


def _said(text: str, query: str) -> str:
    return f"{text} (query: {query[:MOST_QUERY]})"
