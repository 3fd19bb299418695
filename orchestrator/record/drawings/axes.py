"""Axes: where the ticks stand and what is written at them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.record.drawings.svg import element, path, text, width_of

MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 14, 28, 91, 182, 365)),
)


@dataclass(frozen=True)
class Scale:
    """A line from `low`..`high` to `start`..`end`, in drawing units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values that enclose the span: multiples of 1, 2 or 5 times a power of ten."""
    if high <= low:
        room = abs(high) or 1.0
        low, high = (low - room, high) if high < 0 else (low, high + room)
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((n * power for n in (1, 2, 5, 10) if n * power >= rough * 0.999), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def value_text(value: float, kind: str = "value") -> str:
    """Short: shares as percentages, large numbers with k, M, G."""
    if kind == "ratio":
        return f"{value * 100:.3g} %"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size and abs(value) < 1e15:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:.4g}"


def time_ticks(start: datetime, end: datetime, most: int = 4) -> list[datetime]:
    """Round moments within the span, in UTC."""
    seconds = max((end - start).total_seconds(), 1.0)
    step = next((s for s in STEPS if seconds / s <= most), STEPS[-1])
    zero = datetime(2001, 1, 1, tzinfo=UTC)  # a Monday, so that weeks begin on one
    first = math.ceil((start - zero).total_seconds() / step)
    count = int(((end - zero).total_seconds() - first * step) // step) + 1
    return [zero + timedelta(seconds=(first + n) * step) for n in range(max(count, 0))]


def time_text(moment: datetime, seconds: float) -> str:
    """A moment on an axis that spans so many seconds."""
    moment = moment.astimezone(UTC)
    if seconds <= 4 * MINUTE:
        return f"{moment:%H:%M:%S}"
    if seconds <= 2 * DAY:
        return f"{moment:%H:%M}"
    return f"{moment:%d %b}" if seconds <= 300 * DAY else f"{moment:%b %Y}"


def seconds_text(seconds: float) -> str:
    """A duration for people: 0.04 s, 42 s, 7 min, 3.5 h, 12 d."""
    for size, unit in ((2 * DAY, "d"), (2 * HOUR, "h"), (2 * MINUTE, "min")):
        if abs(seconds) >= size:
            return f"{seconds / {'d': DAY, 'h': HOUR, 'min': MINUTE}[unit]:.3g} {unit}"
    return f"{seconds:.3g} s" if abs(seconds) >= 1 or seconds == 0 else f"{seconds:.2g} s"


WIDTH, HEIGHT = 340.0, 150.0  # about a telephone's, so that words keep their size there
RIGHT, SIZE, LINE = 12.0, 11.0, 14.0


@dataclass(frozen=True)
class Field:
    """`x` takes seconds since `start`."""

    x: Scale
    y: Scale
    start: datetime

    def at(self, moment: datetime) -> float:
        return self.x((moment - self.start).total_seconds())


def field(start: datetime, end: datetime, steps: Sequence[float], labels: Sequence[str], top: float) -> Field:
    """A field below `top`, with room for the labels on its left."""
    left = 10 + max(width_of(label, SIZE) for label in labels)
    x = Scale(0.0, max((end - start).total_seconds(), 1e-3), left, WIDTH - RIGHT)
    return Field(x, Scale(steps[0], steps[-1], top + HEIGHT, top), start)


def axes(field: Field, steps: Sequence[float], labels: Sequence[str], end: datetime) -> Iterator[str]:
    """Grid lines with their values, ticks with their times (UTC), the foot."""
    x, foot = field.x, field.y.start
    for step, label in zip(steps, labels, strict=True):
        at = field.y(step)
        yield element("path", d=path([(x.start, at), (x.end, at)]), class_="p-grid", stroke="#8884")
        yield text(x.start - 5, at + 4, label, text_anchor="end", font_size=SIZE, fill="currentColor")
    for moment in time_ticks(field.start, end):
        at = field.at(moment)
        yield element("path", d=path([(at, foot), (at, foot + 4)]), stroke="currentColor")
        label = time_text(moment, (end - field.start).total_seconds())
        half = width_of(label, SIZE) / 2
        middle = min(max(at, half), WIDTH - half)
        yield text(middle, foot + LINE + 2, label, text_anchor="middle", font_size=SIZE, fill="currentColor")
    yield element("path", d=path([(x.start, foot), (x.end, foot)]), stroke="currentColor")
