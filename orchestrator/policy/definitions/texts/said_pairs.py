"""Keys and values within a text, by what stands together: JSON, YAML, properties, TOML, connection strings."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.files.yaml_text import documents

MOST_TEXT = 256 * 1024
MOST_PAIRS = 5_000
MOST_DEPTH = 64
Group = tuple[tuple[str, str], ...]

# `host = "db"`, `db.host: db`, `export HOST=db`, `- host: db`, `Host db`; a blank line or a section's head ends what stands together.
_LINE = re.compile(
    r"\s*(?:-\s+|export\s+)?[\"']?([\w./-]{1,80})[\"']?\s*(?:=>|:=|=|:\s|\s(?=\s*\S+\s*$))\s*(\S.*)"
)
_HEAD = re.compile(r"\s*(?:\[.*\]\s*)?$")
# `host=db port=5432`, `Server=tcp:db,1433;Database=x`, `-Dhttp.proxyHost=proxy`.
_WORD = re.compile(
    r"(?<![\w/?&.-])(?:-D)?([A-Za-z_][\w.-]{0,60}(?: [A-Z][a-z]{1,20})?)\s{0,3}=\s{0,3}([^\s;&=]{1,512})"
)
_COMMENT = ("#", ";", "//")


@lru_cache(512)
def groups(text: str) -> tuple[Group, ...]:
    """What stands together, each key with its value as text; empty where nothing has a key. Never raises."""
    found: list[Group] = []
    left = MOST_PAIRS
    for group in _found(text[:MOST_TEXT]):
        if group and left > 0:
            found.append(tuple(group[:left]))
            left -= len(group)
    return tuple(found)


def _found(text: str) -> Iterator[list[tuple[str, str]]]:
    begin = text.lstrip()[:1]
    if begin not in ("{", "[") and "\n" not in text:
        yield _words(text)
        return
    parsed = list(_parsed(text, begin))
    for value in parsed:
        yield from _walked("", value, 0)
    if not parsed:
        yield from _lines(text.splitlines())


def _parsed(text: str, begin: str) -> Iterator[Any]:
    """The documents of JSON or YAML; nothing where it is neither, or no more than one text."""
    if begin in ("{", "["):
        with suppress(ValueError, RecursionError):
            yield json.loads(text)
            return
    try:
        values = [d.value for d in documents(text.encode(errors="replace"), "")]
    except BadInput:
        return
    if any(isinstance(v, dict | list) for v in values) and not any(isinstance(v, str) for v in values):
        yield from values


def _walked(key: str, value: Any, depth: int) -> Iterator[list[tuple[str, str]]]:
    """The scalars of each mapping; those of a list have the key of the list."""
    if depth > MOST_DEPTH or not isinstance(value, dict | list):
        return
    entries = (
        [(str(k), v) for k, v in value.items()] if isinstance(value, dict) else [(key, v) for v in value]
    )
    group: list[tuple[str, str]] = []
    for name, inner in entries:
        if isinstance(inner, list):
            group += [(name, str(v)) for v in inner if isinstance(v, str | int)]
        elif isinstance(inner, str | int):
            group.append((name, str(inner)))
    yield group
    for _, text in group:
        if "=" in text:
            yield _words(text)
    for name, inner in entries:
        yield from _walked(name, inner, depth + 1)


def _lines(lines: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    group: list[tuple[str, str]] = []
    for line in lines:
        if _HEAD.match(line[:512]):
            yield group
            group = []
        elif not line.lstrip().startswith(_COMMENT) and (match := _LINE.match(line[:4096])):
            value = match[2].rstrip(" \t,;")
            parts = value.strip("[]").split(",") if value.startswith("[") else [value]
            group += [(match[1], part.strip(" \t\"'")) for part in parts]
            if "=" in value:
                yield _words(value)
    yield group


def _words(text: str) -> list[tuple[str, str]]:
    found = []
    for match in _WORD.finditer(text[:4096]):
        value = re.sub(r",(\d{2,5})$", r":\1", match[2].strip("\"'").removeprefix("tcp:"))
        found.append((match[1].replace(" ", "_"), value))
    return found
