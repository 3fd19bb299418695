"""Raw counter samples into disjoint increments on a fixed grid, by namespace.

Disjoint increments can be added up and tested one after another; overlapping `rate()` windows cannot.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

Increments = tuple[float | None, ...]
Series = dict[float, float]


class Observation(Protocol):
    """A counter's value at a time, with the labels of its series (ports.Sample is one)."""

    @property
    def labels(self) -> Mapping[str, str]: ...

    @property
    def value(self) -> float: ...

    @property
    def time(self) -> datetime: ...


def increments(
    samples: Iterable[Observation], start: datetime, step: float, count: int, *, namespace: str = ""
) -> dict[str, Increments]:
    """What each namespace's counters grew by in each of `count` intervals of `step` seconds from `start`.

    Interval i is (start + i*step, start + (i+1)*step]. None stands where nothing was scraped. A value below
    the last one is a reset and counts from zero, as does a series that appears after `start`. A lost scrape
    keeps the last known value: what was counted meanwhile lands in the interval in which the series is back.
    NaN, infinite and negative values are ignored; neither the order of arrival nor a duplicate matters. A
    sample without the label `namespace` belongs to the namespace given here. ValueError where the grid is
    empty.
    """
    if step <= 0 or count < 1:
        raise ValueError(f"a grid of {count} intervals of {step:g} s is empty: both must be above zero")
    found: dict[str, list[float | None]] = {}
    for name, values in _series(samples, start, step * count, namespace).values():
        slots = found.setdefault(name, [None] * count)
        for slot, grown in _growth(values, step):
            slots[slot] = (slots[slot] or 0.0) + grown
    return {name: tuple(slots) for name, slots in found.items()}


def _series(
    samples: Iterable[Observation], start: datetime, length: float, default: str
) -> dict[tuple[tuple[str, str], ...], tuple[str, Series]]:
    """The usable values of each series by seconds since `start`; of two values at one time the larger one."""
    found: dict[tuple[tuple[str, str], ...], tuple[str, Series]] = {}
    for sample in samples:
        second, value = (sample.time - start).total_seconds(), sample.value
        if not math.isfinite(value) or value < 0 or second > length:
            continue
        key = tuple(sorted(sample.labels.items()))
        _, values = found.setdefault(key, (sample.labels.get("namespace", default), {}))
        values[second] = max(value, values.get(second, 0.0))
    return found


def _growth(values: Series, step: float) -> Iterable[tuple[int, float]]:
    last = 0.0
    for second in sorted(values):
        value = values[second]
        if second > 0:
            # A hair of tolerance: a grid point that floats put just after itself still ends its interval.
            yield max(0, math.ceil(second / step - 1e-9) - 1), value - last if value >= last else value
        last = value
