"""The connections that change, as a graph: sources on the left, destinations on the right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.analysis.agreement import outside, plain
from orchestrator.record.drawings.axes import SIZE
from orchestrator.record.drawings.link_line import Ends, link_line, link_sample
from orchestrator.record.drawings.svg import (
    Sample,
    element,
    legend,
    picture,
    shortened,
    text,
    width_of,
    words,
)
from orchestrator.record.view import LINK_WORDS, Link
from orchestrator.wording import many

MOST_LINKS = 60
WIDTH, LINE, TOP = 400.0, 15.0, 6.0
MOST_ROOM = 138.0  # for the names of one side; the lines are between
OUTSIDE = "outside"


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
    entries = [link_sample(kind) for kind in kinds]
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
        space = OUTSIDE if outside(name) else plain(name).partition("/")[0]
        spaces.setdefault(space, set()).add(name)
    heights: dict[str, float] = {}
    drawn: list[str] = []
    parts = [OUTSIDE, *(part for n in names for part in ((n,) if outside(n) else plain(n).split("/", 1)))]
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


def _lines(links: Sequence[Link], sources: Column, targets: Column) -> Iterator[str]:
    for number, link in enumerate(links):
        said = f"{link.source} to {link.destination}: {link.change}: {link.before}, now {link.after}"
        said += "; probes saw ports closed" if link.broken else ""
        said += f"; {link.alarm}" if link.alarm else ""
        ends = Ends(
            sources.edge + 6,
            sources.heights[link.source],
            targets.edge - 6,
            targets.heights[link.destination],
        )
        yield element("g", link_line(ends, link.words[0], said, number, link.broken, bool(link.alarm)))
