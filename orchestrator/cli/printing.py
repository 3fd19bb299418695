"""What commands print: data for machines, tables for people, and notes beside both on standard error."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from orchestrator.cli import terminal
from orchestrator.cli.edge import below
from orchestrator.errors import BadInput
from orchestrator.harmless import one_line
from orchestrator.harmless import printed as harmless

GAP = 3  # characters between two columns
LEAST = 8  # characters that a column keeps, where it has so many


def formatted(output: str, *more: str) -> None:
    """BadInput where `-o` is none of json, yaml and what this command takes besides."""
    known = ("json", "yaml", *more)
    if output not in ("", *known):
        raise BadInput(f"-o {output} is not known here", hint=f"take {', '.join(known)}")


def printed(data: Any, output: str) -> None:
    """JSON or YAML on standard output."""
    if output == "json":
        print(json.dumps(data, indent=2))
    else:
        import yaml

        print(yaml.safe_dump(data, sort_keys=False), end="")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows under their head, on standard output: on a terminal no wider than that, and phases in colour."""
    Sheet(head, rows).all()


class Sheet:
    """A table to which rows may come later; columns only become wider."""

    def __init__(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        self.head, self.rows = head, list(rows)
        self._natural = _widths([head, *self.rows])
        self._phase = [title == "PHASE" for title in head]

    def all(self, heads: bool = True) -> None:
        """What is there so far, under its head."""
        for row in [self.head, *self.rows] if heads else self.rows:
            self.row(row)

    def row(self, cells: Sequence[str]) -> None:
        """One line; what others wrote in it is made harmless before it is coloured."""
        clean = [harmless(cell.replace("\n", " ")) for cell in cells]
        self._natural = [max(w, len(cell)) for w, cell in zip(self._natural, clean, strict=True)]
        widths = fitted(tuple(self._natural), terminal.width())
        line = [cut(cell, w).ljust(w) for cell, w in zip(clean, widths, strict=False)]
        if not terminal.coloured(sys.stdout):
            print("   ".join(line).rstrip())
            return
        marked = [terminal.painted(c) if phase else c for c, phase in zip(line, self._phase, strict=False)]
        below(sys.stdout).write("   ".join(marked).rstrip() + "\n")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns under each other, as kubectl prints them; on a terminal no wider than that."""
    rows = [[cell.replace("\n", " ") for cell in row] for row in rows]
    widths = fitted(tuple(_widths(rows)), terminal.width())
    lines = (zip(row, widths, strict=False) for row in rows)
    return ["   ".join(cut(text, w).ljust(w) for text, w in line).rstrip() for line in lines]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]


@lru_cache(maxsize=16)  # of a long table each row asks for the same
def fitted(widths: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Columns that are together at most so many characters wide (0: as wide as they are): the widest give first.

    The first column names what a row is about, and gives last. None becomes narrower than LEAST characters: where that is
    not enough, the last columns are left out.
    """
    found = list(widths)
    excess = sum(found) + GAP * (len(found) - 1) - most if most else 0
    for some in (range(1, len(found)), range(len(found))):
        while excess > 0 and (wide := [i for i in some if found[i] > LEAST]):
            found[max(wide, key=found.__getitem__)] -= 1
            excess -= 1
    while excess > 0 and len(found) > 1:
        excess -= found.pop() + GAP
    return tuple(found)


def cut(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def spreadsheet(rows: Iterable[Sequence[object]]) -> None:
    """CSV on standard output."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


def note(text: str) -> None:
    """What whoever reads the output has to know, too, on standard error."""
    print(f"netpol-canary: {one_line(text)}", file=sys.stderr)
