"""What a terminal shows below an error: the line, a caret below the mistake, and what helps.

A Secret's file is never shown, nor what looks like a credential. The text is others': it is made harmless before widths are
counted, so that the caret stands where the mistake is.
"""

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TextIO

from orchestrator.cli.confidential.credentials import masked, withheld
from orchestrator.errors import BadInput, Cited
from orchestrator.harmless import one_line, visible
from orchestrator.policy.files.field_places import Place, Places
from orchestrator.policy.files.remedies import CORRECT

FRAMES = "NETPOL_CANARY_FRAMES"
MOST_WIDE, LEAST_WIDE, TAB = 120, 40, 4  # columns
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # YAML 1.1, section 5.4
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_WORD = re.compile(r"[^\s,\[\]{}]+?(?=:?(?:[\s,\[\]{}]|$))")
_VALUE = re.compile(r"\s*:\s+(?=[^\s#|>&!*{\[])")
_PLAIN = re.compile(r"[^#]+?(?=\s*$|\s+#)|\S+")
_ITEM = re.compile(r"\S*\](?=:|$)")  # a path of an item of a list
_OF_KEYS = (
    "unknown field",
    "is required",
    "is missing",
    "stands twice",
    "must be given with",
    "may not be given with",
)


class _Cell(NamedTuple):
    """A character as it is printed, and the columns that it takes."""

    text: str
    wide: int


def show(error: BadInput) -> None:
    """Draw it below the error's line where a person reads standard error: on a terminal, or as NETPOL_CANARY_FRAMES says."""
    if wanted(sys.stderr):
        print("\n".join(frame(error)), file=sys.stderr)


def wanted(stream: TextIO) -> bool:
    """Whether lines of files are drawn there: on a terminal, or as NETPOL_CANARY_FRAMES says."""
    said = os.environ.get(FRAMES, "")
    return said != "0" if said else stream.isatty()


def frame(error: BadInput) -> list[str]:
    """The lines below the error's own; none where it cites no text."""
    if error.cited is None:
        return []
    cited = error.cited
    place = _place(cited)
    exact = cited.column or _ITEM.match(cited.field) or any(said in error.message for said in _OF_KEYS)
    begin, end = _token(_line(cited.text, place.line), place.column - 1, not exact)
    fix = "" if error.hint == CORRECT else error.hint
    return picture(cited.text, cited.file, Place(place.line, begin + 1, end + 1), fix)


def picture(text: bytes, file: str, place: Place, fix: str, field: str = "") -> list[str]:
    """A place in a file's text, which is empty where it is not known: where it is, its line with a caret below, what helps."""
    number = str(place.line)
    edge = " " * len(number)
    shown = [
        f"{edge}--> {one_line(file)}:{place.line}:{place.column}" + (f" ({one_line(field)})" if field else "")
    ]
    line = _line(text, place.line)
    if reason := withheld(text, _lines(text), place.line) if text else "":
        shown.append(f"{edge} = note: the line is not shown, since {reason}")
    elif text:
        begin, end = place.column - 1, place.end - 1
        begin, end = (begin, end) if end > begin else _token(line, begin, False)
        room = min(max(shutil.get_terminal_size((100, 24)).columns, LEAST_WIDE), MOST_WIDE) - len(number) - 4
        drawn, caret = _drawn(_cells(masked(line)), begin, end, room)
        shown += [f"{edge} |", f"{number} | {drawn}".rstrip(), f"{edge} | {caret}"]
    return [*shown, f"{edge} = help: {one_line(fix)}"] if fix else shown


def _place(cited: Cited) -> Place:
    if cited.column:
        return Place(cited.line, cited.column)
    known, where = Places({cited.file: cited.text}, read=True), f"{cited.file}:{cited.line}"
    exact = known.at(where, cited.subject, cited.field) if " " not in cited.field else None
    return exact or known.of(where, cited.subject, cited.field)


def _line(text: bytes, number: int) -> str:
    lines = _lines(text)
    return lines[number - 1] if number <= len(lines) else ""


@lru_cache(maxsize=8)  # of a file with many findings each asks for the same
def _lines(text: bytes) -> list[str]:
    code = "utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return _BREAK.split(text.decode(code, "replace"))


def _token(line: str, at: int, of_key: bool) -> tuple[int, int]:
    """From where to where the caret stands: below what stands there, or below the value of that key in the same line."""
    at = min(max(at, 0), len(line))
    end = _end(line, at, _WORD)
    value = _VALUE.match(line, end)
    if value and of_key:
        at = value.end()
        flow = "{" in line[:at] or "[" in line[:at]
        end = _end(line, at, _WORD if flow else _PLAIN)
    return at, end


def _end(line: str, at: int, word: re.Pattern[str]) -> int:
    found = _QUOTED.match(line, at) or word.match(line, at)
    return max(found.end() if found else 0, at + 1)


def _cells(line: str) -> list[_Cell]:
    return [_cell(character) for character in line]


def _cell(character: str) -> _Cell:
    if character == "\t":
        return _Cell(" " * TAB, TAB)
    text = visible(character)
    if unicodedata.category(text) in ("Mn", "Me", "Cf"):
        return _Cell(text, 0)
    return _Cell(text, 2 if unicodedata.east_asian_width(text) in ("W", "F") else 1)


def _drawn(cells: Sequence[_Cell], begin: int, end: int, room: int) -> tuple[str, str]:
    """The line and the one with the caret, both cut to so many columns around it."""
    before = sum(cell.wide for cell in cells[:begin])
    first = 0
    if sum(cell.wide for cell in cells) > room and before > room // 2:
        while first < begin and before > room // 3:
            before -= cells[first].wide
            first += 1
    text, left = ("…" if first else ""), room - 2
    last = first
    while last < len(cells) and cells[last].wide <= left:
        left -= cells[last].wide
        text += cells[last].text
        last += 1
    carets = sum(cell.wide for cell in cells[begin : min(end, last)]) or 1
    indent = before + (1 if first else 0)
    return text + ("…" if last < len(cells) else ""), f"{' ' * indent}{'^' * carets}"
