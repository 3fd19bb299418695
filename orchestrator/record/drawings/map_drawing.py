"""A map of who may connect to whom: columns of names, read from left to right, with a line for each connection."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.record.drawings.axes import SIZE
from orchestrator.record.drawings.link_line import Ends, link_line, link_sample
from orchestrator.record.drawings.svg import element, legend, picture, shortened, text, width_of, words
from orchestrator.record.view import LINK_WORDS, LinkWord

GAP, MOST_WIDE, ROW, HEAD, TOP = 100.0, 200.0, 20.0, 18.0, 24.0
PAD = 7.0


@dataclass(frozen=True)
class Place:
    """A namespace or a workload: `space` is the heading that it stands under, empty where it needs none.

    `page` is where its name, or else its heading's, leads to. `open` says that some policy should stand there and none does.
    """

    key: str
    space: str
    name: str
    page: str = ""
    said: str = ""
    open: bool = False


@dataclass(frozen=True)
class Way:
    """From a place of the `column`th column to one of the next."""

    column: int
    source: str
    target: str
    word: LinkWord
    said: str


@dataclass(frozen=True)
class Column:
    """`title` says what its places are."""

    title: str
    places: Sequence[Place]


@dataclass(frozen=True)
class _Spot:
    x0: float
    x1: float
    y: float


def map_svg(columns: Sequence[Column], ways: Sequence[Way], title: str, described: str) -> str:
    """The drawing; places that lead somewhere are links, so that the keyboard reaches them."""
    spots: dict[tuple[int, str], _Spot] = {}
    body: list[str] = []
    x, bottom = 2.0, TOP
    for number, column in enumerate(columns):
        wide = _width(column)
        drawn, low = _column(column, number, x, wide, spots)
        body += drawn
        bottom, x = max(bottom, low), x + wide + GAP
    width = x - GAP + 2
    lines = [_way(way, n, spots) for n, way in enumerate(sorted(ways, key=lambda w: w.word != "same"))]
    known = [word for word in LINK_WORDS if any(way.word == word for way in ways)]
    entries = [link_sample(word, "allowed" if word == "same" else "") for word in known]
    key, height = legend(entries, width, bottom + 16)
    return picture("map", width, height, title, described, "".join([*lines, *body]) + key, links=True)


def _width(column: Column) -> float:
    named = [name for place in column.places for name in (place.name, place.space)]
    longest = max([width_of(name, SIZE) for name in named] + [width_of(column.title, SIZE)])
    return min(longest, MOST_WIDE) + 2 * PAD


def _column(
    column: Column, number: int, x: float, wide: float, spots: dict[tuple[int, str], _Spot]
) -> tuple[list[str], float]:
    drawn = [text(x, 12, column.title, class_="m-title", font_size=SIZE, fill="currentColor")]
    y, space = TOP, ""
    for place in column.places:
        if place.space and place.space != space:
            name = text(x, y + 12, shortened(place.space, wide, SIZE), font_size=SIZE, font_weight="bold")
            drawn.append(_linked(place, name, "", place.space) if place.page else name)
            y += HEAD
        elif space and not place.space:
            y += HEAD / 2
        space = place.space
        box = element(
            "rect",
            x=x,
            y=y,
            width=wide,
            height=ROW - 3,
            rx=3,
            class_="m-open" if place.open else "m-box",
            stroke="#888888",
            stroke_dasharray="3 2" if place.open else None,
            fill="none",
        )
        name = text(x + PAD, y + 12.5, shortened(place.name, wide - 2 * PAD, SIZE), font_size=SIZE)
        said = element("title", words(place.said or place.name))
        at = f"{number} {place.key}"
        if place.page and not place.space:
            drawn.append(_linked(place, said + box + name, at, place.name))
        else:
            drawn.append(element("g", said + box + name, class_="m-place", data_place=at))
        spots[number, place.key] = _Spot(x, x + wide, y + (ROW - 3) / 2)
        y += ROW
    return drawn, y


def _linked(place: Place, content: str, at: str, name: str) -> str:
    """`at` is the place that it is, empty for a heading."""
    return element("a", content, href=place.page, class_="m-place", aria_label=name, data_place=at or None)


def _way(way: Way, number: int, spots: dict[tuple[int, str], _Spot]) -> str:
    one, other = spots[way.column, way.source], spots[way.column + 1, way.target]
    ends = Ends(one.x1 + 1, one.y, other.x0 - 1, other.y)
    line = link_line(ends, way.word, way.said, number, signed=way.word != "same")
    return element(
        "g",
        line,
        class_="way",
        data_from=f"{way.column} {way.source}",
        data_to=f"{way.column + 1} {way.target}",
    )
