r"""kubectl's JSONPath templates: text, `{.a.b}`, `{"\n"}`, and `{range .items[*]}…{end}`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestrator.cli.objects.json_paths import MOST_VALUES, JsonPath
from orchestrator.errors import BadInput

WHERE = "-o jsonpath"
MOST_TEMPLATE = 10_000  # characters
MOST_DEEP = 3  # ranges within ranges
_PART = re.compile(r"""([^{]+)|\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{}"'])*)\}""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass
class _Range:
    """What is written for each value; the root's is written once."""

    path: JsonPath | None = None
    parts: "list[str | JsonPath | _Range]" = field(default_factory=list)


@dataclass
class _Filling:
    """One object that a template is filled with: how many values it may still give, and those that are the same in every range."""

    root: Any
    left: int = MOST_VALUES
    known: dict[int, list[Any]] = field(default_factory=dict)

    def values(self, path: JsonPath, here: Any) -> list[Any]:
        if not path.text.startswith("$"):
            found = path.values(here)
        elif (standing := self.known.get(id(path))) is not None:
            found = standing
        else:
            found = self.known[id(path)] = path.values(self.root)
        self.left -= len(found)
        if self.left < 0:
            raise BadInput(f"the template gives more than {MOST_VALUES:,} values", WHERE, "ask for less")
        return found


class PathTemplate:
    """A template; raises BadInput where it cannot be read."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_TEMPLATE:
            raise BadInput(f"the template is longer than {MOST_TEMPLATE} characters", WHERE, "shorten it")
        self._root = _read(text)

    def filled(self, obj: Any) -> str:
        """The template with an object's values; what is not there is empty."""
        return "".join(_filled(self._root, obj, _Filling(obj)))


def text_of(value: Any) -> str:
    """A value as kubectl prints it: texts as they are, objects and lists as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> _Range:
    open_: list[_Range] = [_Range()]
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise BadInput(f"a brace is not closed at {text[at : at + 40]!r}", WHERE, "close it with }")
        at = found.end()
        _add(open_, found[1], (found[2] or "").strip())
    if len(open_) > 1:
        raise BadInput("a range has no end", WHERE, "write {end} behind it")
    return open_[0]


def _add(open_: list[_Range], text: str | None, inside: str) -> None:
    """One part of the template to the range that is open; `range` opens one, and `end` closes it."""
    parts = open_[-1].parts
    if text is not None:
        parts.append(text)
    elif inside[:1] in ('"', "'"):
        parts.append(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), inside[1:-1]))
    elif inside.startswith("range "):
        if len(open_) > MOST_DEEP:
            raise BadInput(f"more than {MOST_DEEP} ranges stand in each other", WHERE, "leave one out")
        parts.append(_Range(_path(inside.removeprefix("range ").strip())))
        open_.append(parts[-1])  # type: ignore[arg-type]
    elif inside == "end":
        if len(open_) == 1:
            raise BadInput("an end has no range", WHERE, "leave {end} out")
        open_.pop()
    else:
        parts.append(_path(inside))


def _path(text: str) -> JsonPath:
    """`@`, or a dot alone, is what the range is at."""
    return JsonPath("" if text == "." else text.removeprefix("@"), WHERE)


def _filled(part: _Range, here: Any, filling: _Filling) -> Iterator[str]:
    for one in part.parts:
        if isinstance(one, str):
            yield one
        elif isinstance(one, JsonPath):
            yield " ".join(map(text_of, filling.values(one, here)))
        elif one.path is not None:
            for value in filling.values(one.path, here):
                yield from _filled(one, value, filling)
