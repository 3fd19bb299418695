"""How a metric went until now, on a grid of times, for people to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.analysis.presets import expand
from orchestrator.analysis.query import resolve
from orchestrator.errors import BadInput, PortError
from orchestrator.ports import MetricSource, Sample
from orchestrator.rollout import model as m
from orchestrator.steps.answers import MOST_ASKED, Sources, templates

POINTS = 60
Points = dict[str, dict[int, float]]


@dataclass(frozen=True)
class History:
    """Values by namespace on a grid from `start`, `step` seconds apart; None where there was none.

    `ages` are the seconds since each namespace's last value; `trouble` says why there is no history.
    """

    start: datetime
    step: float
    values: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    trouble: str = ""


def history(
    metrics: Sources, analysis: m.Analysis, metric: m.MetricSpec, namespaces: Sequence[str], now: datetime
) -> History:
    """The last `baselineSeconds`; of a sequential test's counters what was added from point to point."""
    metric = expand(metric)
    step = max(1.0, analysis.baseline_seconds / POINTS)
    start = now - timedelta(seconds=step * POINTS)
    try:
        source = metrics(analysis, metric.provider)
        if source is None:
            return History(start, step, trouble=f"no provider {metric.provider} is set up")
        parts = [
            _points(source, text, metric, namespaces, analysis.window_seconds, (start, now, step))
            for text in templates(metric)
            if text
        ]
    except (BadInput, PortError) as error:
        return History(start, step, trouble=str(error))
    found = _shares(*parts) if metric.kind == "ratio" and len(parts) == 2 else (parts or [{}])[-1]
    values = {n: [by.get(i) for i in range(POINTS + 1)] for n, by in found.items() if by}
    ages = {n: (POINTS - max(by)) * step for n, by in found.items() if by}
    return History(start, step, values, ages)


def _points(
    source: MetricSource,
    template: str,
    metric: m.MetricSpec,
    namespaces: Sequence[str],
    window: int,
    grid: tuple[datetime, datetime, float],
) -> Points:
    found: Points = {}
    queries = resolve(template, namespaces, window)
    for number, query in enumerate(queries[:MOST_ASKED]):
        mine = namespaces if len(queries) == 1 else [namespaces[number]]
        series: dict[tuple[str, frozenset[tuple[str, str]]], dict[int, float]] = {}
        for sample in source.query_range(query, *grid):
            name = sample.labels.get("namespace", mine[0] if len(mine) == 1 else "")
            if name in mine and not math.isnan(sample.value):
                place = _place(sample, grid[0], grid[2])
                series.setdefault((name, frozenset(sample.labels.items())), {})[place] = sample.value
        for (name, _), values in series.items():
            here = found.setdefault(name, {})
            for place, value in (_added(values) if metric.test == "sequential" else values).items():
                here[place] = here.get(place, 0.0) + value
    return found


def _place(sample: Sample, start: datetime, step: float) -> int:
    return min(POINTS, max(0, round((sample.time - start).total_seconds() / step)))


def _added(values: Mapping[int, float]) -> dict[int, float]:
    """From point to point; a counter that fell began again from zero."""
    places = sorted(values)
    return {b: values[b] - values[a] if values[b] >= values[a] else values[b] for a, b in pairwise(places)}


def _shares(errors: Points, total: Points) -> Points:
    return {
        name: {i: errors.get(name, {}).get(i, 0.0) / count for i, count in by.items() if count > 0}
        for name, by in total.items()
    }
