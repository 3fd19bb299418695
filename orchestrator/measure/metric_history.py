"""How a metric went until now, on a grid of times, for people to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.analysis.queries.presets import expand
from orchestrator.errors import BadInput, PortError
from orchestrator.measure.reader import Asking, Grid, Series, read_range, templates, window_of
from orchestrator.measure.strategy_check import MOST_ASKED, Sources
from orchestrator.rollout.resources import model as m

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
    except (BadInput, PortError) as error:
        return History(start, step, trouble=str(error))
    if source is None:
        return History(start, step, trouble=f"no provider {metric.provider} is set up")
    asking = Asking(source, namespaces, window_of(analysis, metric), most=MOST_ASKED)
    grid = Grid(start, now, step)
    series = [read_range(asking, text, metric, grid) for text in templates(metric) if text]
    parts = [_points(one, metric, grid) for one in series]
    found = _shares(*parts) if metric.kind == "ratio" and len(parts) == 2 else (parts or [{}])[-1]
    values = {n: [by.get(i) for i in range(POINTS + 1)] for n, by in found.items() if by}
    ages = {n: (POINTS - max(by)) * step for n, by in found.items() if by}
    trouble = next((text for one in series for text in one.broken.values()), "")
    return History(start, step, values, ages, trouble)


def _points(series: Series, metric: m.MetricSpec, grid: Grid) -> Points:
    """Added up over the series of each namespace; of a sequential test's counters what each of them grew by."""
    found: Points = {}
    for name, samples in series.samples.items():
        each: dict[frozenset[tuple[str, str]], dict[int, float]] = {}
        for sample in samples:
            place = min(POINTS, max(0, round((sample.time - grid.start).total_seconds() / grid.step)))
            each.setdefault(frozenset(sample.labels.items()), {})[place] = sample.value
        here = found.setdefault(name, {})
        for values in each.values():
            for place, value in (_added(values) if metric.test == "sequential" else values).items():
                here[place] = here.get(place, 0.0) + value
    return found


def _added(values: Mapping[int, float]) -> dict[int, float]:
    """From point to point; a counter that fell began again from zero."""
    places = sorted(values)
    return {b: values[b] - values[a] if values[b] >= values[a] else values[b] for a, b in pairwise(places)}


def _shares(errors: Points, total: Points) -> Points:
    return {
        name: {i: errors.get(name, {}).get(i, 0.0) / count for i, count in by.items() if count > 0}
        for name, by in total.items()
    }
