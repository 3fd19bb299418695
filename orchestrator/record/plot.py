"""One metric of one namespace as SVG: what was seen, its own past, the controls, the limits, the moments of change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.record.axes import Scale, ticks, time_text, time_ticks, usable, value_text
from orchestrator.record.legend import Entry, legend
from orchestrator.record.look import PLOT_CSS
from orchestrator.record.svg import element, path, picture, text, width_of, words
from orchestrator.record.view import Curve, Mark, Point

WIDTH, PLOT_HEIGHT = 420.0, 150.0
RIGHT, SIZE, LINE = 12.0, 11.0, 14.0
MOST_DOTS = 80  # beyond it, only what went wrong gets a dot
FAR = 4.0  # a limit that is so many times beyond everything seen is named and not drawn
__all__ = ["PLOT_CSS", "curve_svg"]
LETTERS = {"applied": "applied", "detected": "detected", "restored": "restored", "promoted": "promoted"}


@dataclass(frozen=True)
class Field:
    """Where a value and a moment are drawn."""

    x: Scale
    y: Scale
    start: datetime
    kind: str

    def at(self, moment: datetime) -> float:
        return self.x((moment - self.start).total_seconds())


def curve_svg(curve: Curve, marks: Sequence[Mark] = ()) -> str:
    """The drawing; values that are missing leave a gap, and a cross at the foot."""
    marks = [m for m in marks if m.kind in LETTERS]
    start, end = _span(curve.points, marks)
    low, high = _values(curve)
    steps = ticks(low, high)
    left = 10 + max(width_of(value_text(v, curve.kind), SIZE) for v in steps)
    x = Scale(0.0, max((end - start).total_seconds(), 1e-3), left, WIDTH - RIGHT)
    labels, rows = _labels(marks, lambda m: x((m.time - start).total_seconds()))
    top = 6 + rows * LINE
    field = Field(x, Scale(steps[0], steps[-1], top + PLOT_HEIGHT, top), start, curve.kind)
    body = [*_axes(field, steps, end), *_limits(curve, field, (steps[0], steps[-1]))]
    body += [*_marks(marks, labels, field), *_lines(curve, marks, field)]
    entries = [*_entries(curve, (steps[0], steps[-1]))]
    drawn, height = legend(entries, WIDTH, top + PLOT_HEIGHT + 2 * LINE + 6)
    title = f"{curve.metric} in {curve.namespace}"
    return picture("plot", WIDTH, height, title, _described(curve, marks), "".join(body) + drawn)


def _span(points: Sequence[Point], marks: Sequence[Mark]) -> tuple[datetime, datetime]:
    """From the first moment to the last, with some room at both ends, more before the change."""
    times = [p.time for p in points] + [m.time for m in marks]
    if not times:
        zero = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
        return zero, zero + timedelta(seconds=60)
    room = max((max(times) - min(times)) * 0.06, timedelta(seconds=1))
    return min(times) - room * (3 if marks else 1), max(times) + room


def _seen(curve: Curve) -> list[float]:
    given = [v for p in curve.points for v in (p.value, p.baseline, p.control)]
    return [v for g in given if (v := usable(g)) is not None]


def _values(curve: Curve) -> tuple[float, float]:
    """The span of values: with zero, but for plain values far from it; with limits that are not far off."""
    seen = _seen(curve) or [0.0]
    low, high = min(seen), max(seen)
    far_up = curve.kind == "value" and low > 0 and (high - low) < low / 2
    low = low if far_up else min(low, 0.0)
    reach = FAR * max(abs(low), abs(high), 1e-12)
    for limit in (usable(curve.minimum), usable(curve.maximum)):
        if limit is not None and (abs(limit) <= reach or not any(seen)):
            low, high = min(low, limit), max(high, limit)
    return low, high


def _axes(field: Field, steps: Sequence[float], end: datetime) -> Iterator[str]:
    x, y = field.x, field.y
    for step in steps:
        at = y(step)
        yield element("path", d=path([(x.start, at), (x.end, at)]), class_="p-grid", stroke="#8884")
        label = value_text(step, field.kind)
        yield text(x.start - 5, at + 4, label, text_anchor="end", font_size=SIZE, fill="currentColor")
    for moment in time_ticks(field.start, end):
        at = field.at(moment)
        foot = y.start
        yield element("path", d=path([(at, foot), (at, foot + 4)]), stroke="currentColor")
        label = time_text(moment, (end - field.start).total_seconds())
        half = width_of(label, SIZE) / 2
        middle = min(max(at, half), WIDTH - half)
        yield text(middle, foot + LINE + 2, label, text_anchor="middle", font_size=SIZE, fill="currentColor")
    yield element("path", d=path([(x.start, y.start), (x.end, y.start)]), stroke="currentColor")


def _limits(curve: Curve, field: Field, span: tuple[float, float]) -> Iterator[str]:
    for limit in (curve.minimum, curve.maximum):
        if limit is not None and _inside(limit, span):
            d = path([(field.x.start, field.y(limit)), (field.x.end, field.y(limit))])
            yield element(
                "path", d=d, class_="p-limit", stroke="#b3261e", stroke_dasharray="8 3", fill="none"
            )


def _inside(limit: float, span: tuple[float, float]) -> bool:
    return usable(limit) is not None and span[0] <= limit <= span[1]


def _labels(marks: Sequence[Mark], at: Callable[[Mark], float]) -> tuple[list[tuple[float, int]], int]:
    """Where each mark's word begins, and in which row, so that none covers another."""
    placed: list[tuple[float, int]] = []
    ends: list[float] = []
    for mark in marks:
        wide = width_of(LETTERS[mark.kind], SIZE)
        begin = min(max(at(mark) - wide / 2, 0.0), WIDTH - wide)
        row = next((r for r, taken in enumerate(ends) if taken + 4 <= begin), len(ends))
        ends[row : row + 1] = [begin + wide]
        placed.append((begin, row))
    return placed, len(ends)


def _marks(marks: Sequence[Mark], labels: Sequence[tuple[float, int]], field: Field) -> Iterator[str]:
    for mark, (begin, row) in zip(marks, labels, strict=True):
        at = field.at(mark.time)
        base = 2 + (row + 1) * LINE
        d = path([(at, field.y.end - 3), (at, field.y.start)])
        line = element("path", d=d, class_="p-mark", stroke="#5b3fa8")
        word = text(begin, base - 4, LETTERS[mark.kind], class_="p-said", font_size=SIZE, fill="currentColor")
        said = element("title", words(f"{mark.time:%H:%M:%S} {mark.text}"))
        yield element("g", said + line + word)


def _lines(curve: Curve, marks: Sequence[Mark], field: Field) -> Iterator[str]:
    points = curve.points
    control = [(p.time, usable(p.control)) for p in points]
    past = [(p.time, usable(p.baseline)) for p in points]
    seen = [(p.time, usable(p.value)) for p in points]
    before = _before(curve, marks)
    if before is not None:  # what it was before the change, up to the change
        since, value = before
        past = [(field.start, value), *past]
        seen = [(field.start, value), (since, value), *seen]
    yield from _runs(past, field, class_="p-past", stroke="#8a5a00", stroke_dasharray="2 3")
    yield from _runs(control, field, class_="p-control", stroke="#6b6b6b", stroke_dasharray="5 3")
    yield from _runs(seen, field, class_="p-seen", stroke="#0a58ca", stroke_width=2)
    few = len(points) <= MOST_DOTS
    for point in points:
        if few or point.phase == "Failed" or usable(point.value) is None:
            yield _dot(point, field)


def _before(curve: Curve, marks: Sequence[Mark]) -> tuple[datetime, float] | None:
    """When the change was written, and the value before it; None where a baseline means something else."""
    applied = next((m.time for m in marks if m.kind == "applied"), None)
    if curve.expects or applied is None or not curve.points or curve.points[0].time < applied:
        return None
    value = usable(curve.points[0].baseline)
    return None if value is None else (applied, value)


def _runs(values: Sequence[tuple[datetime, float | None]], field: Field, **look: str | int) -> Iterator[str]:
    """Lines between neighbours that both have a value; a value alone becomes a short dash."""
    run: list[tuple[float, float]] = []
    for moment, value in [*values, (field.start, None)]:
        if value is not None:
            run.append((field.at(moment), field.y(value)))
            continue
        if len(run) == 1:
            (x, y) = run[0]
            run = [(max(x - 14, field.x.start), y), (min(x + 14, field.x.end), y)]
        if run:
            yield element("path", d=path(run), fill="none", **look)
        run = []


def _dot(point: Point, field: Field) -> str:
    """A dot; a cross where it failed; a ring at the foot where there is no value."""
    value, x = usable(point.value), field.at(point.time)
    y = field.y.start - 6 if value is None else field.y(value)
    seen = "no value" if value is None else value_text(value, field.kind)
    said = element("title", words(f"{point.time:%H:%M:%S} {seen}, {point.phase}: {point.message}"))
    if value is None:
        return element(
            "circle", said, cx=x, cy=y, r=3.5, class_="p-bad", stroke="#b3261e", stroke_width=1.5, fill="none"
        )
    if point.phase != "Failed":
        return element("circle", said, cx=x, cy=y, r=3, class_="p-dot", fill="#0a58ca")
    d = f"{path([(x - 4, y - 4), (x + 4, y + 4)])}{path([(x - 4, y + 4), (x + 4, y - 4)])}"
    return element("path", said, d=d, class_="p-bad", stroke="#b3261e", stroke_width=2.5, fill="none")


def _entries(curve: Curve, span: tuple[float, float]) -> Iterator[Entry]:
    yield Entry(curve.namespace, "line", "p-seen", "#0a58ca")
    if any(usable(p.baseline) is not None for p in curve.points):
        past = "expected" if curve.expects else "before the change"
        yield Entry(past, "line", "p-past", "#8a5a00", "2 3")
    if any(usable(p.control) is not None for p in curve.points):
        yield Entry("controls (mean)", "line", "p-control", "#6b6b6b", "5 3")
    for word, limit in (("at least", curve.minimum), ("at most", curve.maximum)):
        if usable(limit) is not None and limit is not None:
            off = "" if _inside(limit, span) else ", not drawn"
            yield Entry(f"{word} {value_text(limit, curve.kind)}{off}", "line", "p-limit", "#b3261e", "8 3")
    if any(p.phase == "Failed" and usable(p.value) is not None for p in curve.points):
        yield Entry("failed", "cross", "p-bad", "#b3261e")
    if any(usable(p.value) is None for p in curve.points):
        yield Entry("no value", "ring", "p-bad", "#b3261e")


def _described(curve: Curve, marks: Sequence[Mark]) -> str:
    """The same in words."""
    if not curve.points:
        return "No measurement."
    first, last = curve.points[0], curve.points[-1]
    count = len(curve.points)
    told = [
        f"{count} {'value' if count == 1 else 'values'}, {first.time:%H:%M:%S} to {last.time:%H:%M:%S} UTC"
    ]
    for word, value in (("last", last.value), ("own past", last.baseline), ("controls", last.control)):
        known = usable(value)
        told.append(f"{word} {'none' if known is None else value_text(known, curve.kind)}")
    told.append(f"verdict {last.phase}")
    return "; ".join([*told, *(f"{m.text} at {m.time:%H:%M:%S}" for m in marks)]) + "."
