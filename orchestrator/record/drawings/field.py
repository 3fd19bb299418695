"""Where values and moments are drawn, and the axes beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.record.drawings.axes import Scale, time_text, time_ticks
from orchestrator.record.drawings.svg import element, path, text, width_of

WIDTH, HEIGHT = 420.0, 150.0
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
