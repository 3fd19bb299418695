"""The connections that change, as a graph: sources on the left, destinations on the right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.analysis.agreement import plain
from orchestrator.record.drawings.axes import SIZE
from orchestrator.record.drawings.svg import (
    Sample,
    element,
    legend,
    path,
    picture,
    shortened,
    text,
    width_of,
    words,
)
from orchestrator.record.view import LINK_WORDS, Link, LinkWord
from orchestrator.wording import many

MOST_LINKS = 60
WIDTH, LINE, TOP = 400.0, 15.0, 6.0
MOST_ROOM = 138.0  # for the names of one side; the lines are between
OUTSIDE = "outside"
LOOKS: dict[LinkWord, tuple[str, str, str | None, str]] = {
    "opened": ("g-opened", "#1b7f3b", None, "+"),
    "cut": ("g-cut", "#b3261e", "2 4", "×"),
    "narrowed": ("g-narrowed", "#8a5a00", "6 3", "−"),
    "widened": ("g-widened", "#1b7f3b", "6 3", "+"),
    "same": ("p-grid", "#888888", "1 3", "="),
}


@dataclass(frozen=True)
class Column:
    """One side: its names with the height of each, the lines of text that stand there, and where they end."""

    edge: float
    heights: dict[str, float]
    drawn: str
    bottom: float


def links_svg(links: Sequence[Link], key: str = "") -> str:
    """The drawing: at most 60 connections, those that broke or raise an alarm first; `key` as for curves."""
    ranked = sorted(links, key=lambda n: (not n.broken, not n.alarm, LINK_WORDS.index(n.words[0])))
    shown, more = ranked[:MOST_LINKS], len(links) - MOST_LINKS
    sources = _column([n.source for n in shown], "end")
    targets = _column([n.destination for n in shown], "start")
    kinds = [k for k in LINK_WORDS if any(n.words[0] == k for n in shown)]
    bottom = max(sources.bottom, targets.bottom) + LINE
    body = sources.drawn + targets.drawn + "".join(_lines(shown, sources, targets))
    if more > 0:
        body += text(4, bottom, f"and {many(more, 'more connection')}", font_size=SIZE, fill="currentColor")
        bottom += LINE
    entries = [Sample(f"{LOOKS[k][3]} {k}", "line", LOOKS[k][0], LOOKS[k][1], LOOKS[k][2]) for k in kinds]
    if any(n.broken for n in shown):
        entries.append(Sample("thick: probes saw ports closed", "line", "p-thick", "currentColor"))
    if any(n.alarm for n in shown):
        entries.append(Sample("! not as predicted", "line", "p-thick", "currentColor"))
    drawn, height = legend(entries, WIDTH, bottom + 4)
    return picture("graph", WIDTH, height, "Connections that change", described(links), body + drawn, key)


def described(links: Sequence[Link]) -> str:
    """How many of each kind, in words."""
    counts = ((k, sum(k in n.words for n in links)) for k in LINK_WORDS)
    told = [f"{count} {kind}" for kind, count in counts if count]
    return f"{', '.join(told) or 'no connection changes'}; the table beside it names them."


def _column(names: Sequence[str], anchor: str) -> Column:
    """Namespaces as headings, their workloads below."""
    spaces: dict[str, set[str]] = {}
    for name in names:
        space = OUTSIDE if _outside(name) else plain(name).partition("/")[0]
        spaces.setdefault(space, set()).add(name)
    heights: dict[str, float] = {}
    drawn: list[str] = []
    parts = [OUTSIDE, *(part for n in names for part in ((n,) if _outside(n) else plain(n).split("/", 1)))]
    longest = max(width_of(part, SIZE) for part in parts)
    y, room = TOP, min(longest, MOST_ROOM)
    x = 4 + room if anchor == "end" else WIDTH - 4 - room
    for space in sorted(spaces, key=lambda s: (s == OUTSIDE, s)):
        y += LINE
        heading = shortened(space, room, SIZE)
        drawn.append(
            text(x, y, heading, text_anchor=anchor, font_size=SIZE, font_weight="bold", fill="currentColor")
        )
        for name in sorted(spaces[space]):
            y += LINE
            own = plain(name) if space == OUTSIDE else plain(name).partition("/")[2]
            said = element("title", words(name))
            shown = words(shortened(own, room, SIZE))
            drawn.append(
                element(
                    "text", said + shown, x=x, y=y, text_anchor=anchor, font_size=SIZE, fill="currentColor"
                )
            )
            heights[name] = y - 4
        y += 5
    return Column(x, heights, "".join(drawn), y)


def _outside(name: str) -> bool:
    """Addresses, as `first-last[External]`; a workload is `namespace/name[Kind]`."""
    return name.endswith("[External]") or "/" not in name


def _lines(links: Sequence[Link], sources: Column, targets: Column) -> Iterator[str]:
    for number, link in enumerate(links):
        look, colour, dashes, sign = LOOKS[link.words[0]]
        x0, x1 = sources.edge + 6, targets.edge - 6
        y0, y1 = sources.heights[link.source], targets.heights[link.destination]
        bend = (x1 - x0) * 0.45
        d = f"M{x0:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"
        said = f"{link.source} to {link.destination}: {link.change}: {link.before}, now {link.after}"
        more = "; probes saw ports closed" if link.broken else ""
        more += f"; {link.alarm}" if link.alarm else ""
        line = element(
            "path",
            d=d,
            class_=look,
            stroke=colour,
            stroke_width=3 if link.broken else 1.5,
            stroke_dasharray=dashes,
            fill="none",
        )
        share = 0.3 + 0.4 * ((number * 0.382) % 1)  # spread, so that signs of neighbours stand apart
        at = _bezier(share, (x0, x0 + bend, x1 - bend, x1)), _bezier(share, (y0, y0, y1, y1))
        mark = text(
            at[0],
            at[1] + 4,
            sign + ("!" if link.alarm else ""),
            text_anchor="middle",
            font_size=SIZE + 2,
            font_weight="bold",
            class_="g-sign",
            fill="currentColor",
        )
        tip = [(x1 - 6, y1 - 3.5), (x1, y1), (x1 - 6, y1 + 3.5)]
        head = element("path", d=path(tip), class_=look, stroke=colour, fill="none")
        yield element("g", element("title", words(said + more)) + line + head + mark)


def _bezier(t: float, points: tuple[float, float, float, float]) -> float:
    a, b, c, d = points
    s = 1 - t
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d
