"""One metric of one namespace as SVG: what was seen, its baseline, the control group, the rules, the moments of change."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from orchestrator.record.curve_bounds import Bound, bounds, usable
from orchestrator.record.drawings.axes import (
    HEIGHT,
    LINE,
    SIZE,
    WIDTH,
    Field,
    axes,
    field,
    ticks,
    value_text,
)
from orchestrator.record.drawings.stylesheet import PLOT_CSS
from orchestrator.record.drawings.svg import Sample, element, legend, path, picture, text, width_of, words
from orchestrator.record.view import Curve, Mark, Point

MOST_DOTS = 80  # beyond it, only what went wrong gets a dot
FAR = 4.0  # a rule that is so many times beyond everything seen is named and not drawn
DASHES = {"value": "8 3", "share": "8 3 2 3", "rise": "8 3 2 3"}
ZONE = 0.1  # how much of its colour has what a rule forbids
__all__ = ["PLOT_CSS", "curve_svg"]
LETTERS = {"applied": "applied", "detected": "detected", "restored": "restored", "promoted": "promoted"}


def curve_svg(curve: Curve, marks: Sequence[Mark] = (), key: str = "") -> str:
    """The drawing; values that are missing leave a gap, and a ring at the foot.

    Two drawings of one document that may be the same need different keys, or their ids are the same.
    """
    marks = [m for m in marks if m.kind in LETTERS]
    start, end = _span(curve.points, marks)
    asked = bounds(curve)
    low, high = _values(curve, asked)
    steps = ticks(low, high)
    scale = [value_text(v, curve.kind) for v in steps]
    words_at, rows = _labels(marks, field(start, end, steps, scale, 0.0).at)
    top = 6 + rows * LINE
    place = field(start, end, steps, scale, top)
    drawn_rules = [rule for rule in asked if _inside(rule, (steps[0], steps[-1]))]
    body = [part for rule in drawn_rules for part in _zone(rule, place)]
    body += [*axes(place, steps, scale, end)]
    body += [part for rule in drawn_rules for part in _rule(rule, place, curve.kind)]
    body += [*_marks(marks, words_at, place), *_lines(curve, marks, place)]
    entries = [*_entries(curve, [(rule, rule in drawn_rules) for rule in asked])]
    drawn, height = legend(entries, WIDTH, top + HEIGHT + 2 * LINE + 6)
    title = f"{curve.metric} in {curve.namespace}"
    return picture("plot", WIDTH, height, title, _described(curve, marks), "".join(body) + drawn, key)


def named(rule: Bound, kind: str) -> str:
    """`at most 2 %`, `at least 60 % of its baseline`."""
    word = "at least" if rule.least else "at most"
    if rule.of == "share":
        return f"{word} {rule.amount * 100:g} % of its baseline"
    return f"{word} {value_text(rule.amount, kind)}{' above its baseline' if rule.of == 'rise' else ''}"


def _span(points: Sequence[Point], marks: Sequence[Mark]) -> tuple[datetime, datetime]:
    """From the first moment to the last, with some room at both ends, more before the change."""
    times = [p.time for p in points] + [m.time for m in marks]
    if not times:
        zero = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
        return zero, zero + timedelta(seconds=60)
    room = max((max(times) - min(times)) * 0.06, timedelta(seconds=1))
    return min(times) - room * (3 if marks else 1), max(times) + room


def _values(curve: Curve, asked: Sequence[Bound]) -> tuple[float, float]:
    """The span of values: with zero, but for plain values far from it; with rules that are not far off."""
    given = [v for p in curve.points for v in (p.value, p.baseline, p.control)]
    seen = [v for g in given if (v := usable(g)) is not None] or [0.0]
    low, high = min(seen), max(seen)
    far_up = curve.kind == "value" and low > 0 and (high - low) < low / 2
    low = low if far_up else min(low, 0.0)
    reach = FAR * max(abs(low), abs(high), 1e-12)
    for rule in asked:
        line = [limit for _, limit in rule.line if limit is not None]
        if line and (max(map(abs, line)) <= reach or not any(seen)):
            low, high = min(low, *line), max(high, *line)
    return low, high


def _inside(rule: Bound, span: tuple[float, float]) -> bool:
    """Whether any of it lies in the field."""
    return any(limit is not None and span[0] <= limit <= span[1] for _, limit in rule.line)


def _zone(rule: Bound, place: Field) -> Iterator[str]:
    """What the rule forbids, as an area behind everything."""
    edge = place.y.start if rule.least else place.y.end
    for run in _runs_of(_whole(rule, place), place):
        d = path([*run, (run[-1][0], edge), (run[0][0], edge)])
        yield element("path", d=f"{d}Z", class_="p-zone", fill="#b3261e", fill_opacity=ZONE)


def _rule(rule: Bound, place: Field, kind: str) -> Iterator[str]:
    for run in _runs_of(_whole(rule, place), place):
        said = element("title", words(named(rule, kind)))
        look = {"class_": "p-limit", "stroke": "#b3261e", "stroke_dasharray": DASHES[rule.of], "fill": "none"}
        yield element("path", said, d=path(run), **look)


def _whole(rule: Bound, place: Field) -> list[tuple[datetime, float | None]]:
    """Within the field, and over all of it where the bound never changes."""
    kept = [(t, None if v is None else min(max(v, place.y.low), place.y.high)) for t, v in rule.line]
    if len({v for _, v in kept}) == 1:
        return [(place.start, kept[0][1]), (place.start + timedelta(seconds=place.x.high), kept[0][1])]
    return kept


def _labels(marks: Sequence[Mark], at: Callable[[datetime], float]) -> tuple[list[tuple[float, int]], int]:
    """Where each mark's word begins, and in which row, so that none covers another."""
    placed: list[tuple[float, int]] = []
    ends: list[float] = []
    for mark in marks:
        wide = width_of(LETTERS[mark.kind], SIZE)
        begin = min(max(at(mark.time) - wide / 2, 0.0), WIDTH - wide)
        row = next((r for r, taken in enumerate(ends) if taken + 4 <= begin), len(ends))
        ends[row : row + 1] = [begin + wide]
        placed.append((begin, row))
    return placed, len(ends)


def _marks(marks: Sequence[Mark], labels: Sequence[tuple[float, int]], place: Field) -> Iterator[str]:
    for mark, (begin, row) in zip(marks, labels, strict=True):
        at = place.at(mark.time)
        base = 2 + (row + 1) * LINE
        d = path([(at, place.y.end - 3), (at, place.y.start)])
        line = element("path", d=d, class_="p-mark", stroke="#5b3fa8")
        word = text(begin, base - 4, LETTERS[mark.kind], class_="p-said", font_size=SIZE, fill="currentColor")
        said = element("title", words(f"{mark.time:%H:%M:%S} {mark.text}"))
        yield element("g", said + line + word)


def _lines(curve: Curve, marks: Sequence[Mark], place: Field) -> Iterator[str]:
    points = curve.points
    control = [(p.time, usable(p.control)) for p in points]
    past = [(p.time, usable(p.baseline)) for p in points]
    seen = [(p.time, usable(p.value)) for p in points]
    before = _before(curve, marks)
    if before is not None:  # what it was before the change, up to the change
        since, value = before
        past = [(place.start, value), *past]
        seen = [(place.start, value), (since, value), *seen]
    yield from _runs(past, place, class_="p-past", stroke="#8a5a00", stroke_dasharray="2 3")
    yield from _runs(control, place, class_="p-control", stroke="#6b6b6b", stroke_dasharray="5 3")
    yield from _runs(seen, place, class_="p-seen", stroke="#0a58ca", stroke_width=2)
    few = len(points) <= MOST_DOTS
    for point in points:
        if few or point.phase == "Failed" or usable(point.value) is None:
            yield _dot(point, place, curve.kind)


def _before(curve: Curve, marks: Sequence[Mark]) -> tuple[datetime, float] | None:
    """When the change was written, and the value before it; None where a baseline means something else."""
    applied = next((m.time for m in marks if m.kind == "applied"), None)
    if curve.expects or applied is None or not curve.points or curve.points[0].time < applied:
        return None
    value = usable(curve.points[0].baseline)
    return None if value is None else (applied, value)


def _runs(values: Sequence[tuple[datetime, float | None]], place: Field, **look: str | int) -> Iterator[str]:
    for run in _runs_of(values, place):
        yield element("path", d=path(run), fill="none", **look)


def _runs_of(
    values: Sequence[tuple[datetime, float | None]], place: Field
) -> Iterator[list[tuple[float, float]]]:
    """Lines between neighbours that both have a value; a value alone becomes a short dash."""
    run: list[tuple[float, float]] = []
    for moment, value in [*values, (place.start, None)]:
        if value is not None:
            run.append((place.at(moment), place.y(value)))
            continue
        if len(run) == 1:
            (x, y) = run[0]
            run = [(max(x - 14, place.x.start), y), (min(x + 14, place.x.end), y)]
        if run:
            yield run
        run = []


def _dot(point: Point, place: Field, kind: str) -> str:
    """A dot; a cross where it failed; a ring at the foot where there is no value."""
    value, x = usable(point.value), place.at(point.time)
    y = place.y.start - 6 if value is None else place.y(value)
    said = element("title", words(_said(point, kind)))
    if value is None:
        return element(
            "circle", said, cx=x, cy=y, r=3.5, class_="p-bad", stroke="#b3261e", stroke_width=1.5, fill="none"
        )
    if point.phase != "Failed":
        return element("circle", said, cx=x, cy=y, r=3, class_="p-dot", fill="#0a58ca")
    d = f"{path([(x - 4, y - 4), (x + 4, y + 4)])}{path([(x - 4, y + 4), (x + 4, y - 4)])}"
    return element("path", said, d=d, class_="p-bad", stroke="#b3261e", stroke_width=2.5, fill="none")


def _said(point: Point, kind: str) -> str:
    """One measurement in words, with what it is compared with."""
    given = (("", point.value), ("baseline ", point.baseline), ("control group ", point.control))
    told = [f"{word}{value_text(known, kind)}" for word, v in given if (known := usable(v)) is not None]
    told = told if usable(point.value) is not None else ["no value", *told]
    return f"{point.time:%H:%M:%S} {', '.join(told)}: {point.phase}, {point.message}".rstrip(", ")


def _entries(curve: Curve, asked: Sequence[tuple[Bound, bool]]) -> Iterator[Sample]:
    yield Sample(curve.namespace, "line", "p-seen", "#0a58ca")
    if any(usable(p.baseline) is not None for p in curve.points):
        past = "baseline: expected by then" if curve.expects else "baseline: before the change"
        yield Sample(past, "line", "p-past", "#8a5a00", "2 3")
    if any(usable(p.control) is not None for p in curve.points):
        yield Sample("control group, mean", "line", "p-control", "#6b6b6b", "5 3")
    for rule, is_drawn in asked:
        word = named(rule, curve.kind) + ("" if is_drawn else ", not drawn")
        yield Sample(word, "line", "p-limit", "#b3261e", DASHES[rule.of])
    if any(p.phase == "Failed" and usable(p.value) is not None for p in curve.points):
        yield Sample("failed", "cross", "p-bad", "#b3261e")
    if any(usable(p.value) is None for p in curve.points):
        yield Sample("no value", "ring", "p-bad", "#b3261e")


def _described(curve: Curve, marks: Sequence[Mark]) -> str:
    """The same in words."""
    if not curve.points:
        return "No measurement."
    first, last = curve.points[0], curve.points[-1]
    count = len(curve.points)
    told = [
        f"{count} {'value' if count == 1 else 'values'}, {first.time:%H:%M:%S} to {last.time:%H:%M:%S} UTC"
    ]
    for word, value in (("last", last.value), ("baseline", last.baseline), ("control group", last.control)):
        known = usable(value)
        told.append(f"{word} {'none' if known is None else value_text(known, curve.kind)}")
    told += [named(rule, curve.kind) for rule in bounds(curve)]
    told.append(f"verdict {last.phase}")
    return "; ".join([*told, *(f"{m.text} at {m.time:%H:%M:%S}" for m in marks)]) + "."
