"""YAML as Kubernetes reads it, from text that may be hostile: values of JSON alone, within bounds, anchors written out."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from orchestrator.errors import BadInput, Cited
from orchestrator.policy.files.plain_yaml import Fields, plain

MOST_NODES = 100_000
MOST_TEXT = 4 * 1024 * 1024
MOST_DEPTH = 64
MOST_DOCUMENTS = 5_000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_PLAIN = {f"{_TAG}{t}": t for t in ("str", "int", "float", "bool", "null", "seq", "map")}
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **{form: True for word in ("true", "yes", "on") for form in (word, word.capitalize(), word.upper())},
    **{form: False for word in ("false", "no", "off") for form in (word, word.capitalize(), word.upper())},
}
_INT = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_MOST_DIGITS = 64
_LARGEST = 2**63
_MERGE = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)  # what Git leaves where a merge has conflicts
_NO_COLON = "could not find expected ':'"
_NO_CONTENT = "did not find expected node content"
_NO_TOKEN = "found character that cannot start any token"
# What libyaml says of mistakes that people make every day, and what helps.
_HELP = {
    "mapping values are not allowed in this context": "check the indentation, or put the text in quotes",
    "did not find expected key": "check the indentation of this line and of those above",
    "did not find expected '-' indicator": "begin each item of the list with - in the same column",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the mapping with }",
    _NO_CONTENT: "take out what is too much, such as the last comma",
    _NO_TOKEN: "put the text in quotes",
    _NO_COLON: "write it as `key: value`",
    "found unexpected end of stream": "close the quotes",
}


@dataclass(frozen=True)
class Text:
    """One document of a file: its value, and the line at which it begins, as each of its `items` does.

    `plain` says that the text is all ASCII.
    """

    value: Any
    line: int
    items: Sequence[int] = ()
    plain: bool = False


def documents(text: bytes, path: str, known: Fields | None = None) -> Iterator[Text]:
    """The documents of a file, one after the other, which share the fields that are `known`. Raises BadInput with `path:line`."""
    if (found := plain(text, {} if known is None else known)) is not None:
        yield from (Text(value, line, plain=True) for value, line in found)
    else:
        yield from by_events(text, path)


def by_events(text: bytes, path: str) -> Iterator[Text]:
    """As `documents`, of whatever text, each value from the parser's events."""
    loader = LOADER(text)
    try:
        count = 0
        reader = _Reader(loader, path, text)
        loader.get_event()  # the stream begins
        while not loader.check_event(yaml.StreamEndEvent):
            loader.get_event()  # the document begins
            count += 1
            if count > MOST_DOCUMENTS:
                raise BadInput(f"there are more than {MOST_DOCUMENTS} documents", path, "split the file")
            line = loader.peek_event().start_mark.line + 1
            reader.anchors.clear()
            reader.items = []
            value = reader.node(loader.get_event(), 0)
            loader.get_event()  # the document ends
            yield Text(value, line, reader.items)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise no_yaml(error, text, path) from None
    finally:
        loader.dispose()


def no_yaml(error: Exception, text: bytes, path: str) -> BadInput:
    """What the parser says; a mistake that it only notices at the end of the file is cited where it begins."""
    why = " ".join(str(getattr(error, "problem", None) or error).split())
    mark, begin = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return BadInput(f"not YAML: {why}", path)
    lines = text.splitlines()
    said = lines[mark.line] if mark.line < len(lines) else b""
    hint = _HELP.get(why, "")
    if why == _NO_TOKEN and said[mark.column : mark.column + 1] == b"\t":
        hint = "indent with spaces: YAML takes no tabs there"
    line, column = mark.line, mark.column
    if merge := _MERGE.search(text):
        hint, line, column = "resolve the merge", text.count(b"\n", 0, merge.start()), 0
    elif why == _NO_COLON and begin is not None:
        line, column = begin.line, begin.column
    elif not said.strip():
        hint = "close the bracket" if why == _NO_CONTENT else hint
        begin = begin if begin is not None and begin.line < line else None
        line, column = (begin.line, begin.column) if begin else _before(lines, line)
    cited = Cited(text, path, line + 1, column + 1)
    return BadInput(f"not YAML: {why}", f"{path}:{mark.line + 1}", hint, cited)


def _before(lines: Sequence[bytes], line: int) -> tuple[int, int]:
    """Line and column of the last character before a line, from 0."""
    found = next((n for n in range(min(line, len(lines)) - 1, -1, -1) if lines[n].strip()), 0)
    text = lines[found].decode(errors="replace").rstrip() if lines else ""
    return found, max(len(text) - 1, 0)


@dataclass
class _Anchor:
    value: Any
    nodes: int
    text: int
    depth: int


@dataclass
class _Reader:
    """Builds values from events, so that every bound is met before anything grows beyond it."""

    loader: Any
    path: str
    whole: bytes
    anchors: dict[str, _Anchor | None] = field(default_factory=dict)
    nodes: int = 0
    text: int = 0
    deepest: int = 0
    lines: list[int] = field(default_factory=list)  # of the latest sequence that the document itself holds
    items: list[int] = field(default_factory=list)

    def node(self, event: Any, depth: int) -> Any:
        self._count(1, len(getattr(event, "value", "")), depth, event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        anchor, before, deepest = event.anchor, (self.nodes, self.text), self.deepest
        if anchor is not None:
            self.anchors[anchor], self.deepest = None, depth  # not known while it is read
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._tagged(event, "seq")
            value = self._sequence(depth)
        else:
            self._tagged(event, "map")
            value = self._mapping(depth)
        if anchor is not None:
            text = self.text - before[1] + len(getattr(event, "value", ""))
            self.anchors[anchor] = _Anchor(value, self.nodes - before[0] + 1, text, self.deepest - depth)
            self.deepest = max(deepest, self.deepest)
        return value

    def _count(self, nodes: int, text: int, depth: int, event: Any) -> None:
        self.nodes += nodes
        self.text += text
        self.deepest = max(self.deepest, depth)
        if self.nodes > MOST_NODES:
            self._refuse(
                event, f"it holds more than {MOST_NODES} values, anchors written out", "split the file"
            )
        if self.text > MOST_TEXT:
            self._refuse(event, f"it holds more than {MOST_TEXT >> 20} MiB of text, anchors written out")
        if depth > MOST_DEPTH:
            self._refuse(event, f"values are nested deeper than {MOST_DEPTH}")

    def _alias(self, event: Any, depth: int) -> Any:
        if event.anchor not in self.anchors:
            text = f"the anchor {event.anchor[:40]!r} is not known here"
            self._refuse(event, text, "set it before, or put the text in quotes")
        anchor = self.anchors[event.anchor]
        if anchor is None:
            self._refuse(event, f"the anchor {event.anchor[:40]!r} holds itself")
        self._count(anchor.nodes - 1, anchor.text, depth + anchor.depth, event)
        return _copied(anchor.value)

    def _sequence(self, depth: int) -> list[Any]:
        found, lines = [], []
        while not isinstance(event := self.loader.get_event(), yaml.SequenceEndEvent):
            lines.append(event.start_mark.line + 1)
            found.append(self.node(event, depth + 1))
        self.lines = lines if depth == 1 else self.lines
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Any] = []
        while not isinstance(event := self.loader.get_event(), yaml.MappingEndEvent):
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
                self._count(1, 0, depth, event)
                source = self.loader.get_event()
                merged += self._merged(source, self.node(source, depth + 1))
                continue
            key = self._key(event, depth + 1)
            if key in found:
                self._refuse(event, f"the key {key[:100]} stands twice", "take one of them out")
            found[key] = self.node(self.loader.get_event(), depth + 1)
            if depth == 0 and key == "items":
                self.items = self.lines
        for other in merged:
            found = {**other, **found}
        return found

    def _merged(self, event: Any, value: Any) -> list[dict[str, Any]]:
        """What `<<` brings along, the strongest first."""
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            self._refuse(event, "<< takes a mapping, or a list of mappings")
        return parts

    def _key(self, event: Any, depth: int) -> str:
        key = self.node(event, depth)
        if isinstance(key, bool):
            return "true" if key else "false"
        if not isinstance(key, (str, int, float)):
            template = b"{{" in self.whole
            self._refuse(event, "a key is a text", "render the template first" if template else "")
        return str(key)

    def _scalar(self, event: Any) -> Any:
        tag, text = event.tag, event.value
        kind = _PLAIN.get(tag, "") if tag not in (None, "!") else ""
        if tag not in (None, "!") and not kind:
            self._refuse(event, f"the YAML tag {str(tag)[:60]} is not taken", "write a plain value")
        quoted = not event.implicit[0] if tag is None else tag == "!"
        if kind == "str" or quoted:
            return text
        value = self._plain(event, text)
        if kind and not isinstance(value, _TYPES[kind]):
            self._refuse(event, f"{text[:40]!r} is no {kind}")
        return value

    def _plain(self, event: Any, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > _MOST_DIGITS and _INT.fullmatch(text):
            self._refuse(event, "the number is too large")
        if _INT.fullmatch(text):
            return self._whole(event, text)
        if _NO_NUMBER.fullmatch(text):
            self._refuse(event, f"{text} is no number that Kubernetes takes")
        if len(text) <= _MOST_DIGITS and text[0] in "+-.0123456789" and _FLOAT.fullmatch(text):
            number = float(text.replace("_", ""))
            if math.isinf(number):
                self._refuse(event, "the number is too large")
            return int(number) if number.is_integer() and abs(number) < _LARGEST else number
        return text

    def _whole(self, event: Any, text: str) -> int:
        digits = text.replace("_", "").lower()
        sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
        base = {"0b": 2, "0x": 16, "0o": 8}.get(digits[:2], 8 if digits[0] == "0" else 10)
        number = sign * int(digits, base)
        if not -_LARGEST <= number < 2 * _LARGEST:
            self._refuse(event, "the number is too large")
        return number

    def _tagged(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", f"{_TAG}{kind}"):
            self._refuse(event, f"the YAML tag {str(event.tag)[:60]} is not taken", "write a plain value")

    def _refuse(self, event: Any, text: str, hint: str = "") -> NoReturn:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        raise BadInput(text, f"{self.path}:{line}", hint, Cited(self.whole, self.path, line, column))


_TYPES: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "null": type(None),
    "str": str,
    "seq": list,
    "map": dict,
}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
