"""Where in its file a finding is: line and column of the field that its message names, else of the object."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from orchestrator.errors import BadInput, Cited
from orchestrator.policy.files.manifest import below
from orchestrator.policy.files.yaml_text import documents

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PATH = re.compile(r"[A-Za-z][\w-]*(?:\[\d+\]|\.[\w/-]+)*")
_PARTED = re.compile(r"[] /[]")
_STEP = re.compile(r"[^.\[\]]+")
_ALONE = ("podSelector", "policyTypes", "apiVersion")
# Of rules whose message names no field.
_FIELDS = {"NPC001": "spec.podSelector", "NPC023": "apiVersion"}

_WITHIN = {"NPC006": ("port",), "NPC014": ("port",), "NPC003": ("cidr",), "internet": ("cidr",)}
_WORD = re.compile(r"[\w.:-]+")
EVERYWHERE = ("0.0.0.0/0", "::/0")


class Place(NamedTuple):
    """All count from 1; columns are in characters, as YAML's marks are. `end` is the one behind what is meant where that
    ends in its line, else 0; `path` is that of the field."""

    line: int
    column: int
    end: int = 0
    path: str = ""


class Places:
    """Of the files of a directory, each read once and only where it is asked for."""

    def __init__(self, files: Mapping[str, bytes | tuple[bytes, ...]], read: bool = False) -> None:
        """`read` says that all were read elsewhere, within the bounds of that; of several texts of a file the first counts most."""
        self._below, self._read = below(files), read
        self._files = {f"{self._below}{name}": text for name, text in files.items()}
        self._known: dict[str, list[_File]] = {}
        self._within: dict[tuple[str, str], dict[tuple[str, str], int]] = {}

    def text(self, file: str) -> bytes:
        """Of a file as places name it; empty where it is none of these."""
        texts = self._files.get(file, b"")
        return texts[0] if isinstance(texts, tuple) else texts

    @property
    def first(self) -> str:
        """The first file by its name, for formats that want one for whatever they show; the directory where there is none."""
        found = (name for name in self._files if name.endswith((".yaml", ".yml")))
        return min(found, default=self._below.rstrip("/") or ".")

    def of(self, where: str, subject: str, message: str, rule: str = "") -> Place:
        """`where` is `file:line` of the object, `subject` its kind and name."""
        file, _, number = where.rpartition(":")
        line = max(int(number), 1) if number.isdigit() else 1
        root = self._object(file, line, subject)
        if root is None:
            return Place(line, 1)
        for path in [*_paths(message), _FIELDS.get(rule, "")]:
            for above, start in (("", root), ("spec.", _value(root, "spec"))):
                found = _walk(start, path) if start is not None and path else None
                if found is not None:
                    close = _closer(found[0], message, rule)
                    return _place(*(found if close is found[0] else (close, close)), f"{above}{path}")
        return Place(root.start_mark.line + 1, root.start_mark.column + 1)

    def at(self, where: str, subject: str, path: str) -> Place | None:
        """Of one field by its whole path, of an object as for `of`; None where it is not there, nor what should hold it."""
        file, _, number = where.rpartition(":")
        root = self._object(file, max(int(number), 1), subject)
        if root is None:
            return None
        found = _walk(root, path) if path else (root, root)
        return _place(*found, path) if found is not None else None

    def variable(self, where: str, subject: str, name: str, container: str = "") -> str:
        """`file:line` of a container's variable, else of the first of that name, else of the object."""
        lines = self._lines(where, subject, ())
        return _at(where, lines.get((container, name)) or lines.get(("", name)))

    def entry(self, where: str, subject: str, parts: tuple[str, ...], key: str) -> str:
        """`file:line` of a key that one of an object's parts holds, else of the object."""
        lines = self._lines(where, subject, parts)
        return _at(where, next((lines[part, key] for part in parts if (part, key) in lines), None))

    def _lines(self, where: str, subject: str, parts: tuple[str, ...]) -> dict[tuple[str, str], int]:
        """The lines of the keys of an object's parts; of its variables by container and name where no part is named."""
        if (where, subject) not in self._within:
            file, _, number = where.rpartition(":")
            root = self._object(file, int(number), subject) if number.isdigit() else None
            found = (e for p in parts for e in _keys(root, p)) if parts else _variables(root, "")
            known = self._within.setdefault((where, subject), {})
            for holder, name, line in found:
                known.setdefault((holder, name), line)
        return self._within[where, subject]

    def _object(self, file: str, line: int, subject: str) -> yaml.Node | None:
        if file not in self._known:
            texts = self._files.get(file, b"")
            given = texts if isinstance(texts, tuple) else (texts,)
            self._known[file] = [_File(_nodes(text, file, self._read)) for text in given]
        space, _, name = subject.partition("[")[0].rpartition(" ")[2].rpartition("/")
        words = _PARTED.split(subject)
        found = [version.around(line, name) for version in self._known[file]]

        def unlike(node: yaml.Node) -> tuple[bool, bool, bool, bool]:
            meta = _value(node, "metadata")
            own = _text(meta, "namespace") or ""
            other = _text(node, "kind") not in words, own not in (space, ""), not own
            return _text(meta, "name") != name, *other

        return min((node for _, named in found for node in named), key=unlike, default=found[0][0])


def located(text: bytes, file: str, field: str) -> tuple[str, Cited]:
    """`file:line` of a field of a file that was read and holds one document, and what to cite of it."""
    place = Places({file: text}, read=True).at(f"{file}:1", "", field) or Place(1, 1)
    return f"{file}:{place.line}", Cited(text, file, place.line, field=field)


class _File:
    """The documents of a file, and the objects of each by their name."""

    def __init__(self, nodes: Sequence[yaml.Node]) -> None:
        self._nodes, self._starts = nodes, [n.start_mark.line for n in nodes]
        self._named: dict[int, dict[str | None, list[yaml.Node]]] = {}
        self._items: dict[int, list[yaml.Node]] = {}

    def around(self, line: int, name: str) -> tuple[yaml.Node | None, Sequence[yaml.Node]]:
        """The document in which the line is, and of its objects the one in which it is, else those of that name."""
        if not self._nodes:
            return None, ()
        at = max(bisect_left(self._starts, line) - 1, 0)  # comments stand before the first
        if at not in self._named:
            named = self._named.setdefault(at, {})
            self._items[at] = [*_items(self._nodes[at])]
            for node in self._items[at]:
                named.setdefault(_text(_value(node, "metadata"), "name"), []).append(node)
        return self._nodes[at], _within(self._items[at], line) or self._named[at].get(name, ())


def _within(nodes: Sequence[yaml.Node], line: int) -> Sequence[yaml.Node]:
    """The object of a list in which a line is; none where several begin in that line."""
    last = bisect_left(nodes, line, key=lambda n: n.start_mark.line)
    begin = (
        bisect_left(nodes, nodes[last - 1].start_mark.line, key=lambda n: n.start_mark.line) if last else 0
    )
    found = nodes[begin:last]
    inside = [n for n in found if line == n.start_mark.line + 1 or line <= n.end_mark.line]
    return inside if len(found) == 1 else ()


def _closer(node: yaml.Node, message: str, rule: str) -> yaml.Node:
    """Within a rule, the port that the message names, or the block of all addresses; the rule where there is none."""
    keys = _WITHIN.get(rule, ())
    words = {*_WORD.findall(message), *(EVERYWHERE if "cidr" in keys else ())}
    left = [node]
    while left:
        one = left.pop(0)
        if isinstance(one, yaml.SequenceNode):
            left += one.value
        elif isinstance(one, yaml.MappingNode):
            for key, value in one.value:
                if key.value in keys and isinstance(value, yaml.ScalarNode) and value.value in words:
                    return value
                left.append(value)
    return node


def _nodes(text: bytes, file: str, read: bool) -> list[yaml.Node]:
    """The documents; none where the file is not what is read elsewhere, which holds the bounds."""
    try:
        for _ in documents(text, file) if not read else ():
            pass
        return [n for n in yaml.compose_all(text, _LOADER) if n is not None]
    except (BadInput, yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return []


def _items(node: yaml.Node) -> Iterator[yaml.Node]:
    """The objects of a document that may be a list of them."""
    items = _value(node, "items")
    if isinstance(items, yaml.SequenceNode) and (_text(node, "kind") or "").endswith("List"):
        for item in items.value:
            yield from _items(item)
    else:
        yield node


def _paths(message: str) -> Iterator[str]:
    for match in _PATH.finditer(message):
        if "[" in match.group() or "." in match.group() or match.group() in _ALONE:
            yield match.group()


def _variables(node: yaml.Node | None, container: str) -> Iterator[tuple[str, str, int]]:
    """The items of every list called `env`, wherever the template of a kind has its containers: once by that, and once by name alone."""
    for child in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield from _variables(child, "")
    own = _text(node, "name") or container
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "env" and isinstance(value, yaml.SequenceNode):
            for item in value.value:
                if (name := _text(item, "name")) is not None:
                    line = item.start_mark.line + 1
                    yield from ((own, name, line), ("", name, line))
        else:
            yield from _variables(value, own)


def _keys(node: yaml.Node | None, part: str) -> Iterator[tuple[str, str, int]]:
    held = _value(node, part)
    for key, _ in held.value if isinstance(held, yaml.MappingNode) else ():
        yield part, key.value, key.start_mark.line + 1


def _at(where: str, line: int | None) -> str:
    return f"{where.rpartition(':')[0]}:{line}" if line else where


def _walk(node: yaml.Node, path: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and the value (of an item twice that) that a path ends at, or where its last step is missing those of what
    should hold it; None where it is of no field."""
    shown: tuple[yaml.Node, yaml.Node] | None = None
    steps = _STEP.findall(path)
    for number, step in enumerate(steps):
        key, value = _next(node, step)
        if key is None or value is None:
            return shown if number == len(steps) - 1 else None
        shown, node = (key, value), value
    return shown


def _next(node: yaml.Node, step: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        return node.value[int(step)], node.value[int(step)]
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == step), (None, None))
    return None, None


def _value(node: Any, key: str) -> yaml.Node | None:
    return _next(node, key)[1] if isinstance(node, yaml.MappingNode) else None


def _text(node: yaml.Node | None, key: str) -> str | None:
    found = _value(node, key)
    return found.value if isinstance(found, yaml.ScalarNode) else None


def _place(node: yaml.Node, value: yaml.Node, path: str) -> Place:
    begin = node.start_mark
    ends = (n.end_mark.column + 1 for n in (value, node) if n.end_mark.line == begin.line)
    return Place(begin.line + 1, begin.column + 1, next(ends, 0), path)
