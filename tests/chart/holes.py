"""Where values go in an object: tokens stand in it while it is written as YAML, and Helm's own lines take their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from typing import Any

import yaml

_TOKEN = re.compile(r"HOLE\d{4}X")


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stay as they are, so that they can be read; nothing is an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


class Holes:
    """The tokens of one chart."""

    def __init__(self) -> None:
        self._number = count(1)
        self._inline: dict[str, str] = {}
        self._lines: dict[str, tuple[str, ...]] = {}

    def inline(self, expression: str) -> str:
        """What stands for a part of a text."""
        token = self._token()
        self._inline[token] = expression
        return token

    def lines(self, *lines: str) -> str:
        """What stands for a whole line. BESIDE in them is the number of spaces before it, INDENT two more."""
        token = self._token()
        self._lines[token] = lines
        return token

    def put(self, mapping: dict[str, Any], key: str, *lines: str) -> Any:
        """Write these lines in place of a key, or at the end where it is not there; returns what it held."""
        token, before = self.lines(*lines), mapping.get(key)
        items = list({**mapping, key: before}.items())
        mapping.clear()
        mapping.update((token, token) if k == key else (k, v) for k, v in items)
        return before

    def filled(self, objects: Iterable[Any]) -> str:
        """The objects as a template; what looks like Helm's own in them is none."""
        text = "---\n".join(yaml.dump(obj, Dumper=_Dumper, sort_keys=False, width=10**6) for obj in objects)
        text = text.replace("{{", '{{ "{{" }}')
        return "".join(f"{line}\n" for old in text.splitlines() for line in self._line(old))

    def _line(self, line: str) -> list[str]:
        found = _TOKEN.findall(line)
        if found and found[0] in self._lines:
            indent = len(line) - len(line.lstrip())
            places = {"INDENT": str(indent + 2), "BESIDE": str(indent)}
            return [
                " " * indent + re.sub("INDENT|BESIDE", lambda m: places[m[0]], new)
                for new in self._lines[found[0]]
            ]
        return [_TOKEN.sub(lambda m: self._inline[m[0]], line)]

    def _token(self) -> str:
        return f"HOLE{next(self._number):04}X"


def block(key: str, value: str) -> tuple[str, ...]:
    """A mapping or list, left out where it is empty."""
    return f"{{{{- with {value} }}}}", f"{key}:", "  {{- toYaml . | nindent INDENT }}", "{{- end }}"


def text(key: str, value: str) -> tuple[str, ...]:
    """A text, left out where it is empty."""
    return f"{{{{- with {value} }}}}", f"{key}: {{{{ . | quote }}}}", "{{- end }}"


def more(value: str) -> tuple[str, ...]:
    """Further entries of a mapping or list that is there already; the lines stand where its own do."""
    return f"{{{{- with {value} }}}}", "{{- toYaml . | nindent BESIDE }}", "{{- end }}"
