"""One connection between two columns of names, as a line with an arrow; what happens to it has dashes and a sign."""

from dataclasses import dataclass

from orchestrator.record.drawings.axes import SIZE
from orchestrator.record.drawings.svg import Sample, element, path, text, words
from orchestrator.record.view import LinkWord

LOOKS: dict[LinkWord, tuple[str, str, str | None, str]] = {
    "opened": ("g-opened", "#1b7f3b", None, "+"),
    "cut": ("g-cut", "#b3261e", "2 4", "×"),
    "narrowed": ("g-narrowed", "#8a5a00", "6 3", "−"),
    "widened": ("g-widened", "#1b7f3b", "6 3", "+"),
    "same": ("p-grid", "#888888", "1 3", "="),
}


@dataclass(frozen=True)
class Ends:
    """Where the line begins, on the left, and where it ends."""

    x0: float
    y0: float
    x1: float
    y1: float


def link_line(
    ends: Ends,
    word: LinkWord,
    said: str,
    number: int,
    thick: bool = False,
    alarm: bool = False,
    signed: bool = True,
) -> str:
    """Markup; `said` is its title, `number` spreads the signs, so that those of neighbours stand apart."""
    look, colour, dashes, sign = LOOKS[word]
    x0, y0, x1, y1 = ends.x0, ends.y0, ends.x1, ends.y1
    bend = (x1 - x0) * 0.45
    d = f"M{x0:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"
    line = element(
        "path",
        d=d,
        class_=look,
        stroke=colour,
        stroke_width=3 if thick else 1.5,
        stroke_dasharray=dashes,
        fill="none",
    )
    share = 0.3 + 0.4 * ((number * 0.382) % 1)
    at = _bezier(share, (x0, x0 + bend, x1 - bend, x1)), _bezier(share, (y0, y0, y1, y1))
    mark = text(
        at[0],
        at[1] + 4,
        sign + ("!" if alarm else ""),
        text_anchor="middle",
        font_size=SIZE + 2,
        font_weight="bold",
        class_="g-sign",
        fill="currentColor",
    )
    tip = [(x1 - 6, y1 - 3.5), (x1, y1), (x1 - 6, y1 + 3.5)]
    head = element("path", d=path(tip), class_=look, stroke=colour, fill="none")
    return element("title", words(said)) + line + head + (mark if signed else "")


def link_sample(word: LinkWord, named: str = "") -> Sample:
    """Its entry of a legend."""
    look, colour, dashes, sign = LOOKS[word]
    return Sample(named or f"{sign} {word}", "line", look, colour, dashes)


def _bezier(t: float, points: tuple[float, float, float, float]) -> float:
    a, b, c, d = points
    s = 1 - t
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d
