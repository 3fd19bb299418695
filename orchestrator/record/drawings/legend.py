"""The legend below a drawing: a sample and a word for each kind of line, wrapped to the width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.record.drawings.svg import element, path, shortened, text, width_of

SIZE, LINE, WIDE, GAP = 11.0, 16.0, 22.0, 14.0


@dataclass(frozen=True)
class Sample:
    """A line with its dashes, a cross, a ring, or a box; `look` is its class, `colour` holds without a stylesheet."""

    word: str
    shape: Literal["line", "cross", "ring", "box"]
    look: str
    colour: str
    dashes: str | None = None
    stripes: float = 0.0


def legend(entries: Sequence[Sample], width: float, top: float) -> tuple[str, float]:
    """The drawing, and where it ends."""
    x, y = 4.0, top
    drawn = []
    for entry in entries:
        word = shortened(entry.word, width - WIDE - GAP, SIZE)
        wide = WIDE + 4 + width_of(word, SIZE)
        if x > 4.0 and x + wide > width:
            x, y = 4.0, y + LINE
        drawn += [_sample(entry, x, y), text(x + WIDE + 4, y, word, font_size=SIZE, fill="currentColor")]
        x += wide + GAP
    return "".join(drawn), y + 8


def _sample(entry: Sample, x: float, y: float) -> str:
    middle = y - 4
    if entry.shape == "box":
        box = element("rect", x=x + 6, y=y - 9, width=11, height=11, class_=entry.look, fill=entry.colour)
        return box + stripes(x + 6, y - 9, 11, 11, min(entry.stripes, 5.0))
    if entry.shape == "ring":
        at = x + WIDE / 2
        return element("circle", cx=at, cy=middle, r=3.5, class_=entry.look, stroke=entry.colour, fill="none")
    if entry.shape == "cross":
        at = x + WIDE / 2
        d = path([(at - 4, middle - 4), (at + 4, middle + 4)]) + path(
            [(at - 4, middle + 4), (at + 4, middle - 4)]
        )
        return element("path", d=d, class_=entry.look, stroke=entry.colour, stroke_width=2.5)
    d = path([(x, middle), (x + WIDE, middle)])
    return element(
        "path", d=d, class_=entry.look, stroke=entry.colour, stroke_width=2, stroke_dasharray=entry.dashes
    )


def stripes(x: float, y: float, width: float, height: float, gap: float) -> str:
    """Lines across a box, so far apart; none where that is 0."""
    count = int(height / gap) if gap else 0
    d = "".join(
        path([(x, y + gap * n), (x + width, y + gap * n)]) for n in range(1, count + 1) if gap * n < height
    )
    return element("path", d=d, class_="t-stripe", stroke="#ffffff", stroke_width=1) if d else ""
