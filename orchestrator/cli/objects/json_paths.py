r"""JSONPath as kubectl has it: `.status.phase`, `.metadata.labels.app\.kubernetes\.io/name`, `.spec.waves[0]`.

An expression is read by kubectl's rules and written anew by those of RFC 9535, by which the library answers. Nothing else of
that language is taken, so that no expression runs for long: no regular expressions, no functions, no filter in a filter.
Source: kubernetes.io/docs/reference/kubectl/jsonpath.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

from orchestrator.errors import BadInput

MOST_CHARACTERS = 1000
MOST_DESCENTS = 2  # each `..` looks at everything below everything
MOST_VALUES = 100_000  # that one expression gives
HINT = "write it as kubectl has it, such as .status.phase or .metadata.labels.app"
_NAME = r"(?:\\.|[^\s.,\[\]$@{}()=<>!&|'\"?*:\\])+"
_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_STEP = re.compile(
    rf"""
    (?P<deep>\.)?\.(?:(?P<every>\*)|(?P<name>{_NAME}))
    |\[\s*(?:(?P<all>\*)|(?P<place>-?\d{{1,9}})|(?P<span>-?\d{{0,9}}:-?\d{{0,9}}(?::-?\d{{0,9}})?)
        |(?P<names>{_TEXT}(?:\s*,\s*{_TEXT})*)|\?\((?P<filter>(?:{_TEXT}|[^"'()])*)\))\s*\]
    """,
    re.VERBOSE,
)
_FILTER = re.compile(
    rf"\s*@(?P<path>(?:\.{_NAME}|\[(?:{_TEXT}|\d{{1,9}})\])*)\s*"
    rf"(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>{_TEXT}|-?\d{{1,18}}(?:\.\d{{1,9}})?|true|false))?\s*"
)
_DOT = re.compile(r"((?:\\.|[^.\\])*)(?:\.|$)")


class JsonPath:
    """One expression; `where` is what the person typed it for. Raises BadInput."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self._where = text, where
        if len(text) > MOST_CHARACTERS:
            raise self._wrong(f"the expression is longer than {MOST_CHARACTERS} characters")
        steps = "".join(_steps(self, text.removeprefix("$")))
        if steps.count("..") > MOST_DESCENTS:
            raise self._wrong(f"{text} has more than {MOST_DESCENTS} times `..`")
        self._whole = not steps
        try:
            self._path = _compiled("$" + steps)
        except _error():
            raise self.wrong(text) from None

    def values(self, obj: Any) -> list[Any]:
        """What it gives of an object, in order; nothing where there is nothing."""
        if self._whole:
            return [obj]
        if not isinstance(obj, dict | list):  # a text would be read as JSON
            return []
        try:
            found = [match.value for match in islice(self._path.finditer(obj), MOST_VALUES + 1)]
        except _error():
            raise self._wrong(f"{self.text} goes too deep") from None
        if len(found) > MOST_VALUES:
            raise self._wrong(f"{self.text} gives more than {MOST_VALUES:,} values")
        return found

    def wrong(self, text: str) -> BadInput:
        """That the expression cannot be read from here on."""
        return self._wrong(f"{self.text} cannot be read at {text[:40]!r}")

    def _wrong(self, what: str) -> BadInput:
        return BadInput(what, self._where, HINT)


def relaxed(text: str, where: str) -> JsonPath:
    """As --sort-by and custom-columns take it: `{.a}`, `.a` or `a`."""
    bare = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    begun = bare if bare[:1] in (".", "[", "$") else f".{bare}"
    return JsonPath(begun, where)


def _steps(path: JsonPath, text: str) -> Iterator[str]:
    """Each step as RFC 9535 writes it."""
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise path.wrong(text[at:])
        yield from _step(path, found)
        at = found.end()


def _step(path: JsonPath, found: re.Match[str]) -> Iterator[str]:
    dots = ".." if found["deep"] else ""
    if found["every"] or found["all"]:
        yield f"{dots}[*]"
    elif found["name"]:
        yield f"{dots}[{_quoted(found['name'])}]"
    elif found["names"]:
        yield _union(path, found["names"])
    elif found["filter"] is not None:
        yield _filter(path, found["filter"])
    else:
        yield f"[{found['place'] or found['span']}]"


def _union(path: JsonPath, text: str) -> str:
    """Names in quotes, of which a dot parts a path, as in kubectl; what stands there twice would only come twice."""
    names = list(dict.fromkeys(name[1:-1] for name in re.findall(_TEXT, text)))
    parts = [[p for p in _DOT.findall(name) if p] for name in names]
    if len(parts) == 1:
        return "".join(f"[{_quoted(part)}]" for part in parts[0]) or '[""]'
    if any(len(part) != 1 for part in parts):
        raise path.wrong(text)
    return f"[{','.join(_quoted(part[0]) for part in parts)}]"


def _filter(path: JsonPath, text: str) -> str:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise path.wrong(text)
    left = "@" + "".join(_steps(path, found["path"]))
    if not found["sign"]:
        return f"[?{left}]"
    value = _quoted(found["value"][1:-1]) if found["value"][0] in "\"'" else found["value"]
    return f"[?{left}{found['sign']}{value}]"


def _quoted(name: str) -> str:
    """With what a backslash keeps from being read."""
    return json.dumps(re.sub(r"\\(.)", r"\1", name))


def _error() -> Any:
    from jsonpath import JSONPathError

    return JSONPathError


@cache
def _compiled(path: str) -> Any:
    from jsonpath import JSONPathEnvironment

    class Plain(JSONPathEnvironment):  # type: ignore[misc]
        def setup_function_extensions(self) -> None:
            """None: kubectl has none, and a regular expression may take any time."""

    return Plain(strict=True).compile(path)
