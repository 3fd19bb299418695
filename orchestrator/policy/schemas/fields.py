"""Checks for the fields of a manifest: their shapes, their names, labels. Each yields `path: why`."""

import difflib
import marshal
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from orchestrator.policy.files.shape import shown

Check = Callable[[Any, str], Iterator[str]]
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{DNS_LABEL.pattern}(\.{DNS_LABEL.pattern})*")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_MOST_KEPT, _MOST_BYTES = 512, 2048  # values, and bytes of one
_BY_VALUE = 2  # the format of `marshal` in which equal values of one order are the same bytes


def anything(value: Any, path: str) -> Iterator[str]:
    """Takes every value."""
    yield from ()


def mapping(
    fields: Mapping[str, Check], rules: Check = anything, elsewhere: Mapping[str, str] | None = None
) -> Check:
    """A mapping of known fields; `rules` then look at all of it, and `elsewhere` says where other ones belong."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: must be a mapping"
            return
        within = f"{path}." if path else ""
        for key, item in value.items():
            if key not in fields:
                yield f"{within}{shown(key)}: unknown field{_meant(shown(key), fields, elsewhere or {})}"
            elif item is not None:
                yield from fields[key](item, f"{within}{key}")
        # A misspelt field is one mistake: what then seems to be missing is not told as another.
        if rules is not anything and value.keys() <= fields.keys():
            yield from rules({k: v for k, v in value.items() if v is not None}, path)

    return check


def once(check: Check) -> Check:
    """A check of what many objects hold in the same words: of small values that are alike, one is looked at."""

    @lru_cache(_MOST_KEPT)
    def told(data: bytes, path: str) -> tuple[str, ...]:
        return tuple(check(marshal.loads(data), path))

    def of_value(value: Any, path: str) -> Iterator[str]:
        try:
            data = marshal.dumps(value, _BY_VALUE)
        except ValueError:  # nothing that JSON has
            data = b""
        yield from told(data, path) if 0 < len(data) <= _MOST_BYTES else check(value, path)

    return of_value


def _meant(key: str, fields: Iterable[str], elsewhere: Mapping[str, str]) -> str:
    """The end of a sentence about a field that is not known there."""
    if key in elsewhere:
        return f", put it into {elsewhere[key]}"
    lower = {f.lower(): f for f in fields}
    near = difflib.get_close_matches(key.lower(), lower, 1)
    return f', did you mean "{lower[near[0]]}"?' if near else ""


def list_of(item: Check, rules: Check = anything) -> Check:
    """A list; `rules` look at all of it."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path}: must be a list"
            return
        yield from rules(value, path)
        for number, one in enumerate(value):
            where = f"{path}[{number}]"
            # The server reads null as {}, which here may mean "allow everything": never by accident.
            yield from [f"{where}: is empty"] if one is None else item(one, where)

    return check


def string(rules: Check = anything) -> Check:
    """A string that `rules` look at."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            hint = "" if isinstance(value, dict | list) else ": put the value in quotes"
            yield f"{path}: must be a string{hint}"
        else:
            yield from rules(value, path)

    return check


def boolean(value: Any, path: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield f"{path}: must be true or false"


def one_of(*allowed: str) -> Check:
    """One of some strings."""

    def check(value: Any, path: str) -> Iterator[str]:
        if value not in allowed:
            same = next((f', write "{a}"' for a in allowed if a.lower() == value.lower()), "")
            yield f'{path}: "{shown(value)}" is not one of {", ".join(allowed)}{same}'

    return string(check)


def label_key(value: Any, path: str) -> Iterator[str]:
    """A label's or annotation's key."""
    prefix, slash, name = value.rpartition("/")
    prefixed = len(prefix) <= 253 and _SUBDOMAIN.fullmatch(prefix) if slash else True
    if not prefixed or len(name) > 63 or not _NAME.fullmatch(name):
        yield (
            f'{path}: "{shown(value)}" is no label key: up to 63 of A-Z a-z 0-9 - _ . that begin and end with a '
            "letter or digit, after an optional DNS name and a slash"
        )


def label_value(value: Any, path: str) -> Iterator[str]:
    """A label's value."""
    if value and (len(value) > 63 or not _NAME.fullmatch(value)):
        yield (
            f'{path}: "{shown(value)}" is no label value: up to 63 of A-Z a-z 0-9 - _ . that begin and end with a '
            "letter or digit"
        )


def strings(values: Check, keys: Check = label_key) -> Check:
    """A mapping of label keys, or others of a form, to strings."""
    of_key, of_value = string(keys), string(values)

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: must be a mapping of strings"
            return
        for key, item in value.items():
            yield from of_key(key, path)
            yield from of_value(item, f"{path}.{shown(key)}")

    return check


def dns_name(value: Any, path: str) -> Iterator[str]:
    """A DNS-1123 subdomain."""
    if len(value) > 253 or not _SUBDOMAIN.fullmatch(value):
        yield f'{path}: "{shown(value)}" is no DNS name: lower-case letters, digits, - and . (RFC 1123)'


def dns_label(value: Any, path: str) -> Iterator[str]:
    """A DNS-1123 label."""
    if len(value) > 63 or not DNS_LABEL.fullmatch(value):
        yield f'{path}: "{shown(value)}" is no DNS label: up to 63 lower-case letters, digits and - (RFC 1123)'
