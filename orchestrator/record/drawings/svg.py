"""SVG as text: elements with presentation attributes and classes only, so that a strict CSP lets them pass."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from orchestrator.harmless import xml

LARGER = 1.2  # what stands alone, than what stands in a column
GLYPH = 0.62  # of the font size: the mean width of a letter in a wide font


def element(tag: str, content: str = "", /, **attributes: object) -> str:
    """One element. `class_` is class, underscores are hyphens, None is left out; `content` is markup already."""
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(plain(_number(value)))}"
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def words(text: str) -> str:
    """Text as markup."""
    return escape(plain(text))


def plain(text: str) -> str:
    """Without characters that XML forbids, or that reorder what is drawn around them."""
    return xml(text)


def text(x: float, y: float, content: str, **attributes: object) -> str:
    """A line of text."""
    return element("text", words(content), x=x, y=y, **attributes)


def picture(
    kind: str,
    width: float,
    height: float,
    title: str,
    description: str,
    body: str,
    key: str = "",
    links: bool = False,
) -> str:
    """A whole drawing, named and described for screen readers; it scales to the width it is given.

    With `links` it has a width of its own, at which it is easily read, and is no mere image: what is in it can be reached.
    """
    mark = hashlib.sha256(plain(f"{kind}/{title}/{description}/{key}").encode()).hexdigest()[:10]
    named = element("title", words(title), id=f"t{mark}") + element("desc", words(description), id=f"d{mark}")
    role = f'role="group" width="{_number(width * LARGER)}"' if links else 'role="img"'
    box = f"0 0 {_number(width)} {_number(height)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" viewBox="{box}" {role} '
        f'aria-labelledby="t{mark} d{mark}">{named}{body}</svg>'
    )


def path(points: list[tuple[float, float]]) -> str:
    """The `d` of a polyline."""
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def width_of(content: str, size: float) -> float:
    """About how wide a text comes out; without the fonts it cannot be known."""
    return len(content) * size * GLYPH


def shortened(content: str, width: float, size: float) -> str:
    """The text, cut in the middle where it is wider: names differ at both ends."""
    most = max(int(width / (size * GLYPH)), 5)
    if len(content) <= most:
        return content
    head = (most - 1) // 2
    return f"{content[:head]}…{content[len(content) - (most - 1 - head) :]}"


def _number(value: object) -> str:
    """At most two decimals; what is not finite must not get here."""
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        raise ValueError("a coordinate is not finite")
    return f"{value:.2f}".rstrip("0").rstrip(".")


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
