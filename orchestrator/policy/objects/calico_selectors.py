"""Calico's selector language: `app == 'web' && !has(legacy) || tier in {'front', 'edge'}`.

Source: projectcalico.org/v3, the text of `selector`. `&&` binds before `||`; a comparison holds only where the label is
there, `!=` and `not in` also where it is not. Values stand in '' or "", without escapes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_, or_
from typing import NamedTuple, Protocol

from orchestrator.policy.objects.label_index import LabelIndex

MOST_LENGTH = 65_536  # characters
MOST_DEPTH = 64  # parentheses within parentheses
_USUAL = 256  # characters of selectors that are remembered


class SelectorError(ValueError):
    """What is wrong with a selector, and at which of its characters, from 1."""


class Expression(Protocol):
    """What a selector says of labels."""

    def matches(self, labels: Mapping[str, str], placed: bool = True) -> bool:
        """Whether it holds of what has these labels; `placed` says whether that is in a namespace, as `all()` asks."""
        ...

    def among(self, index: LabelIndex) -> int:
        """Of which pods it holds, as bits."""
        ...


@dataclass(frozen=True)
class Word:
    """`all()`, which holds of what is in a namespace, or `global()`, which holds of the rest."""

    placed: bool

    def matches(self, labels: Mapping[str, str], placed: bool = True) -> bool:
        return placed is self.placed

    def among(self, index: LabelIndex) -> int:
        return index.everyone if self.placed else 0


@dataclass(frozen=True)
class Comparison:
    """A label and values, by the operator's own word; `has` needs no values."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str], placed: bool = True) -> bool:
        value = labels.get(self.key)
        if self.operator in ("!=", "not in"):
            return value not in self.values
        if value is None or self.operator == "has":
            return value is not None
        if self.operator in ("==", "in"):
            return value in self.values
        (wanted,) = self.values
        if self.operator == "contains":
            return wanted in value
        return value.startswith(wanted) if self.operator == "starts with" else value.endswith(wanted)

    def among(self, index: LabelIndex) -> int:
        if self.operator in ("==", "in", "!=", "not in"):
            found = index.among(self.key, self.values)
            return found if self.operator in ("==", "in") else index.everyone & ~found
        if self.operator == "has":
            return index.having(self.key)
        return index.among(self.key, (v for v in index.values(self.key) if self.matches({self.key: v})))


@dataclass(frozen=True)
class Not:
    """What another expression does not say."""

    other: Expression

    def matches(self, labels: Mapping[str, str], placed: bool = True) -> bool:
        return not self.other.matches(labels, placed)

    def among(self, index: LabelIndex) -> int:
        return index.everyone & ~self.other.among(index)


@dataclass(frozen=True)
class Every:
    """What all of several say."""

    parts: tuple[Expression, ...]

    def matches(self, labels: Mapping[str, str], placed: bool = True) -> bool:
        return all(part.matches(labels, placed) for part in self.parts)

    def among(self, index: LabelIndex) -> int:
        return reduce(and_, (part.among(index) for part in self.parts))


@dataclass(frozen=True)
class Either:
    """What any of several says."""

    parts: tuple[Expression, ...]

    def matches(self, labels: Mapping[str, str], placed: bool = True) -> bool:
        return any(part.matches(labels, placed) for part in self.parts)

    def among(self, index: LabelIndex) -> int:
        return reduce(or_, (part.among(index) for part in self.parts))


ALL = Word(placed=True)
GLOBAL = Word(placed=False)


def comparisons(expression: Expression | None) -> Iterator[Comparison]:
    """Every comparison in an expression, whatever becomes of it there."""
    if isinstance(expression, Comparison):
        yield expression
    elif isinstance(expression, Not):
        yield from comparisons(expression.other)
    elif isinstance(expression, Every | Either):
        for part in expression.parts:
            yield from comparisons(part)


def parsed(text: str) -> Expression:
    """The expression of a selector, `all()` of an empty one. Raises SelectorError."""
    if len(text) > MOST_LENGTH:
        raise SelectorError(f"holds {len(text)} characters, more than {MOST_LENGTH}")
    return _known(text) if len(text) <= _USUAL else _Parser(text).whole()


@lru_cache(16_384)
def _known(text: str) -> Expression:
    """Policies say the same again and again, and each is asked for when it is checked and when it is read."""
    return _Parser(text).whole()


class _Token(NamedTuple):
    """`kind` is `sign`, `word`, `value` or `end`; `at` is the place of its first character, from 0."""

    kind: str
    text: str
    at: int


_BLANK = re.compile(r"[ \t]*")
_TOKEN = re.compile(
    r"""(?P<sign>==|!=|&&|\|\||[(){},!])|(?P<word>[A-Za-z0-9_./-]+)|'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<end>\Z)"""
)
_LONGEST_KEY = 512
_OPERATORS = {
    ("contains",): "contains",
    ("starts", "with"): "starts with",
    ("ends", "with"): "ends with",
    ("in",): "in",
    ("not", "in"): "not in",
}


def _wrong(said: str, at: int) -> SelectorError:
    return SelectorError(f"{said} at character {at + 1}")


def _tokens(text: str) -> Iterator[_Token]:
    at, kind = 0, ""
    while kind != "end":
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        found = _TOKEN.match(text, at)
        if found is None:
            quote = text[at] in ("'", '"')
            raise _wrong("a value lacks its closing quote" if quote else f"{text[at]!r} means nothing", at)
        kind = str(found.lastgroup)
        yield _Token("value" if kind in ("single", "double") else kind, found[kind], at)
        at = found.end()


class _Parser:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._depth = 0
        self._next = next(self._tokens)

    def whole(self) -> Expression:
        if self._next.kind == "end":
            return ALL
        found = self._either()
        if self._next.kind != "end":
            raise self._expected("&&, || or the end")
        return found

    def _either(self) -> Expression:
        parts = [self._every()]
        while self._taken("||"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _every(self) -> Expression:
        parts = [self._negated()]
        while self._taken("&&"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _negated(self) -> Expression:
        negated = False
        while self._taken("!"):
            negated = not negated
        found = self._grouped() if self._next.text == "(" and self._next.kind == "sign" else self._term()
        return Not(found) if negated else found

    def _grouped(self) -> Expression:
        opened = self._take()
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise _wrong(f"more than {MOST_DEPTH} parentheses within one another", opened.at)
        found = self._either()
        self._must(")", f"a ) for the ( of character {opened.at + 1}")
        self._depth -= 1
        return found

    def _term(self) -> Expression:
        key = self._key("a label")
        called = self._next == _Token("sign", "(", key.at + len(key.text))  # nothing may stand between
        if called and key.text in ("has", "all", "global"):
            self._take()
            asked = self._key("a label").text if key.text == "has" else ""
            self._must(")", "a )")
            return Comparison(asked, "has") if asked else ALL if key.text == "all" else GLOBAL
        for sign in ("==", "!="):
            if self._taken(sign):
                return Comparison(key.text, sign, frozenset({self._value()}))
        operator = self._operator()
        values = self._values() if operator in ("in", "not in") else frozenset({self._value()})
        return Comparison(key.text, operator, values)

    def _operator(self) -> str:
        word = self._next
        for words, operator in _OPERATORS.items():
            if word.kind == "word" and word.text in (words[0], "".join(words)):
                self._take()
                if word.text == words[0] and len(words) > 1:
                    self._must(words[1], f'"{words[1]}" after "{words[0]}"')
                return operator
        raise self._expected("==, !=, in, not in, contains, starts with or ends with")

    def _values(self) -> frozenset[str]:
        found = set()
        self._must("{", "a { with values")
        while self._next.kind == "value":
            found.add(self._take().text)
            if not self._taken(","):
                break
        self._must("}", "a , or a }")
        return frozenset(found)

    def _value(self) -> str:
        if self._next.kind != "value":
            raise self._expected("a value in quotes")
        return self._take().text

    def _key(self, wanted: str) -> _Token:
        if self._next.kind != "word":
            raise self._expected(wanted)
        if len(self._next.text) > _LONGEST_KEY:
            raise _wrong(f"a label of more than {_LONGEST_KEY} characters", self._next.at)
        return self._take()

    def _take(self) -> _Token:
        taken = self._next
        if taken.kind != "end":
            self._next = next(self._tokens)
        return taken

    def _taken(self, sign: str) -> bool:
        found = self._next.kind == "sign" and self._next.text == sign
        if found:
            self._take()
        return found

    def _must(self, text: str, wanted: str) -> None:
        if self._next.kind not in ("sign", "word") or self._next.text != text:
            raise self._expected(wanted)
        self._take()

    def _expected(self, wanted: str) -> SelectorError:
        return _wrong(f"{wanted} should stand", self._next.at)
