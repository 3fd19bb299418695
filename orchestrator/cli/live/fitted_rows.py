"""Rows of a view that is no higher than the terminal: what matters least is left out first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from orchestrator.harmless import printed
from orchestrator.wording import many

EMPTY = 99  # the rank of an empty row, which goes first


@dataclass(frozen=True)
class Row:
    """One line; `rank` 0 stays the longest. Whatever others wrote in it is made harmless here.

    Where a row of a list is left out, it is counted.
    """

    rank: int
    text: Text
    listed: bool = False

    @staticmethod
    def of(rank: int, *parts: str | tuple[str, str], indent: int = 0, listed: bool = False) -> "Row":
        """From texts, or texts with a style; a line break is a space."""
        text = Text(" " * indent, no_wrap=True, overflow="ellipsis")
        for part in parts:
            said, style = part if isinstance(part, tuple) else (part, "")
            text.append(printed(" ".join(said.split("\n"))), style)
        return Row(rank, text, listed)


def fitted(rows: Sequence[Row], height: int) -> list[Text]:
    """At most so many lines; where some of a list are left out, one in their place says how many."""
    least = sorted(range(len(rows)), key=lambda n: (-rows[n].rank, -n))
    lines: list[Text] = []
    for count in range(max(len(rows) - height, 0), len(rows)):
        lines = list(_lines(rows, frozenset(least[:count])))
        if len(lines) <= height:
            break
    return lines[: max(height, 0)]


def _lines(rows: Sequence[Row], without: frozenset[int]) -> Iterator[Text]:
    missing = 0
    for number, row in enumerate(rows):
        if number in without:
            missing += row.listed
            continue
        if missing:
            yield _more(missing)
        missing = 0
        yield row.text
    if missing:
        yield _more(missing)


def _more(count: int) -> Text:
    return Row.of(0, (f"… {many(count, 'more line')}", "dim"), indent=2).text
