"""What pydantic found wrong with an object, in our words: the field's path, what is wrong there, and one fix."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.policy.files.nearest import nearest
from orchestrator.policy.files.remedies import remedy
from orchestrator.policy.files.shape import shown

MOST_FIELDS = 12  # named where none is near
MOST_ELSEWHERE = 2
_QUOTED = re.compile(r"'([^']*)'")
_LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_SHAPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "model": "a mapping",
    "dict": "a mapping",
    "datetime": "a time such as 2026-12-27T09:00:00+01:00",
    "timezone": "a time with its zone, such as 2026-12-27T09:00:00+01:00",
    "date": "a day such as 2026-12-27",
}


class Problem(NamedTuple):
    """`field` is a path such as `strategy.steps[0].percent`; `fix` is empty where nothing is known to help."""

    field: str
    what: str
    fix: str


def first_problem(error: ValidationError, model: type[BaseModel], within: str = "") -> Problem:
    """A field that is not known comes first: what then seems to be missing may be that one, misspelt.

    Paths begin with `within`, the field that holds the model.
    """
    found = error.errors(include_url=False)
    first = next((item for item in found if item["type"] == "extra_forbidden"), found[0])
    above = f"{within}." if within else ""
    what, fix = _unknown(first, model, above) if first["type"] == "extra_forbidden" else _wrong(first)
    return Problem(f"{above}{path(first['loc'])}".rstrip("."), what, fix)


def path(parts: tuple[int | str, ...]) -> str:
    """`metrics[0].query`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in parts)
    return text.removeprefix(".")


def _unknown(item: ErrorDetails, model: type[BaseModel], within: str) -> tuple[str, str]:
    *parts, name = item["loc"]
    holder: type[BaseModel] | None = model
    for part in parts:
        if isinstance(part, str) and holder is not None:
            holder = dict(_fields(holder)).get(part)
    known = [field for field, _ in _fields(holder)] if holder else []
    elsewhere = sorted(_called(str(name), model, within), key=lambda found: (found.count("."), found))
    if near := nearest(str(name), known, 1):
        return "unknown field", f'did you mean "{near[0]}"?'
    if elsewhere:
        return "unknown field", f"did you mean {' or '.join(elsewhere[:MOST_ELSEWHERE])}?"
    return "unknown field", f"take one of {', '.join(known)}" if len(known) <= MOST_FIELDS else ""


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel] | None]]:
    """The fields as manifests call them, each with the model that it holds, or that its items are of."""
    for name, field in model.model_fields.items():
        yield field.alias or name, _held(field.annotation)


def _held(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((held for part in get_args(annotation) if (held := _held(part)) is not None), None)


def _called(name: str, model: type[BaseModel], above: str) -> Iterator[str]:
    """The paths of fields of that name below a model."""
    for field, held in _fields(model):
        if field == name:
            yield f"{above}{field}"
        if held is not None:
            yield from _called(name, held, f"{above}{field}.")


def _wrong(item: ErrorDetails) -> tuple[str, str]:
    kind, given, limits = item["type"], item["input"], item.get("ctx") or {}
    value = _said(given)
    if kind == "missing":
        return "is required", ""
    if kind == "literal_error":
        allowed = _QUOTED.findall(str(limits["expected"]))
        near = nearest(shown(given), allowed, 1)
        fix = f"did you mean {near[0]}?" if near else ""
        return f"{value} is not one of {', '.join(filter(None, allowed))}", fix
    if kind in _LIMITS:
        key, word = _LIMITS[kind]
        return f"must be {word} {limits[key]:g}, not {value}", ""
    if kind == "string_type":
        scalar = isinstance(given, int | float | bool)
        return "must be text", "put the value in quotes" if scalar else ""
    if kind == "string_too_long":
        return f"holds more than {limits['max_length']} characters", "shorten it"
    if kind == "string_pattern_mismatch":
        return f"{value} does not match {limits['pattern']}", ""
    if kind == "too_long":
        return f"holds more than {limits['max_length']} items", ""
    if kind == "too_short":
        return f"holds fewer than {limits['min_length']} items", ""
    if kind == "value_error":
        return remedy(str(limits["error"]), "")
    shape = _SHAPES.get(kind.partition("_")[0])
    if shape is not None:
        empty = given is None
        return f"must be {shape}, and is empty" if empty else f"must be {shape}, not {value}", _number(given)
    return f"{item['msg'][:1].lower()}{item['msg'][1:]}", ""


def _number(given: object) -> str:
    found = re.fullmatch(r"\s*(\d{1,9})\s*%\s*", given) if isinstance(given, str) else None
    return f"write {found[1]}" if found else ""


def _said(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{shown(value)}"' if isinstance(value, str) else shown(value)
