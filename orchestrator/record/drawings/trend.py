"""Outcomes and latencies over time, as SVG."""

from collections.abc import Iterator, Sequence
from typing import Literal

from orchestrator.record.drawings.axes import (
    DAY,
    HEIGHT,
    HOUR,
    LINE,
    MINUTE,
    WIDTH,
    Field,
    axes,
    field,
    seconds_text,
    ticks,
)
from orchestrator.record.drawings.svg import Sample, element, legend, path, picture, stripes, words
from orchestrator.record.summary import Bucket, Spread
from orchestrator.wording import many

TOP = 8.0
# The attribute of Rates, the word, the look, the colour, and how far apart the stripes are that tell it without colour.
KINDS = (
    ("succeeded", "succeeded", "t-good", "#1b7f3b", 0.0),
    ("rolled_back", "rolled back", "t-back", "#8a5a00", 6.0),
    ("failed", "failed", "t-failed", "#b3261e", 3.0),
    ("superseded", "superseded", "t-other", "#6b6b6b", 12.0),
)
UNITS = (DAY, HOUR, MINUTE)
LATENCIES = {"lead": "from commit to success", "restored": "from detection to restored"}


def outcomes_svg(buckets: Sequence[Bucket]) -> str:
    """Stacked bars: how many of the rollouts that began in a day or week ended how, from the foot upwards."""
    if not buckets:
        return picture("trend", WIDTH, LINE, "Outcomes over time", "No rollouts.", "")
    most = max(b.rates.total - b.rates.running for b in buckets)
    steps = [s for s in ticks(0.0, max(float(most), 1.0)) if s == int(s)]
    place = field(buckets[0].start, buckets[-1].end, steps, labels := [f"{s:g}" for s in steps], TOP)
    body = [*axes(place, steps, labels, buckets[-1].end)]
    for bucket in buckets:
        body += _bar(bucket, place)
    used = [k for k in KINDS if any(getattr(b.rates, k[0]) for b in buckets)]
    drawn, height = legend(
        [Sample(k[1], "box", k[2], k[3], stripes=k[4]) for k in used], WIDTH, TOP + HEIGHT + 2 * LINE + 6
    )
    told = ", ".join(f"{sum(getattr(b.rates, k[0]) for b in buckets)} {k[1]}" for k in used) or "none ended"
    return picture("trend", WIDTH, height, "Outcomes over time", f"{told}.", "".join(body) + drawn)


def _bar(bucket: Bucket, place: Field) -> Iterator[str]:
    left, right = place.at(bucket.start), place.at(bucket.end)
    inset = min((right - left) * 0.15, 4.0)
    wide = min(right - left - 2 * inset, 40.0)
    x = (left + right - wide) / 2
    below = 0
    for name, word, look, colour, gap in KINDS:
        count = getattr(bucket.rates, name)
        if not count:
            continue
        y = place.y(float(below + count))
        said = element("title", words(f"{bucket.start:%d %b %Y}: {count} {word}"))
        height = place.y(float(below)) - y
        yield element("rect", said, x=x, y=y, width=wide, height=height, class_=look, fill=colour)
        yield stripes(x, y, wide, height, gap)
        below += count


def latency_svg(buckets: Sequence[Bucket], which: Literal["lead", "restored"]) -> str:
    """The median of each day or week as a dot, up to the longest as a line."""
    title = f"Time {LATENCIES[which]}"
    known: list[tuple[Bucket, Spread]] = [(b, s) for b in buckets if (s := getattr(b, which)) is not None]
    if not known:
        return picture("trend", WIDTH, LINE, title, "No values.", "")
    longest = max(s.longest for _, s in known)
    unit = next((size for size in UNITS if longest >= 2 * size), 1)
    steps = [s * unit for s in ticks(0.0, longest / unit)]
    labels = [seconds_text(s) for s in steps]
    place = field(buckets[0].start, buckets[-1].end, steps, labels, TOP)
    body = [*axes(place, steps, labels, buckets[-1].end)]
    medians = []
    for bucket, spread in known:
        x = (place.at(bucket.start) + place.at(bucket.end)) / 2
        medians.append((x, place.y(spread.median)))
        times = f"{many(spread.count, 'time')}, median {seconds_text(spread.median)}, longest {seconds_text(spread.longest)}"
        said = element("title", words(f"{bucket.start:%d %b %Y}: {times}"))
        up = element(
            "path",
            d=path([(x, place.y(spread.median)), (x, place.y(spread.longest))]),
            class_="p-control",
            stroke="#6b6b6b",
        )
        dot = element("circle", cx=x, cy=place.y(spread.median), r=3, class_="p-dot", fill="#0a58ca")
        body.append(element("g", said + up + dot))
    if len(medians) > 1:
        body.append(element("path", d=path(medians), class_="p-seen", stroke="#0a58ca", fill="none"))
    entries = [
        Sample("median", "line", "p-seen", "#0a58ca"),
        Sample("up to the longest", "line", "p-control", "#6b6b6b"),
    ]
    drawn, height = legend(entries, WIDTH, TOP + HEIGHT + 2 * LINE + 6)
    told = f"{many(sum(s.count for _, s in known), 'time')}, the longest {seconds_text(longest)}."
    return picture("trend", WIDTH, height, title, told, "".join(body) + drawn)
