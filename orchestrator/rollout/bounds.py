"""The bounds of our resources' fields: read off the models, kept by everything that is written.

Two ways and no third: prose (MOST_IDENTITY < bound <= MOST_PROSE) is cut where it is written, here and nowhere else;
what is a name, a list or a manifest is refused, and planning builds what it will write, so that it is refused there.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from annotated_types import MaxLen
from pydantic import BaseModel, StringConstraints, ValidationError

from orchestrator.errors import BadInput

MOST_IDENTITY = 1000  # characters: below, a text names something, and half a name names something else
MOST_PROSE = 8192
CUT = "…"
T = TypeVar("T")


def most(model: type[BaseModel], field: str) -> int:
    """How many characters or items a field of a model takes."""
    for mark in model.model_fields[field].metadata:
        if isinstance(mark, MaxLen | StringConstraints) and mark.max_length is not None:
            return mark.max_length
    raise KeyError(f"{model.__name__}.{field} has no bound")


def cut(text: str, length: int) -> str:
    """A text of so many characters at most; that it was longer is seen."""
    return text if len(text) <= length else text[: length - len(CUT)] + CUT


def fitted(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """What is written of a model, its prose cut to the bounds. Raises ValidationError where that does not help."""
    for _ in range(2):
        try:
            model.model_validate(data)
            return data
        except ValidationError as error:
            for item in error.errors():
                _fit(data, item["loc"], item["type"], (item.get("ctx") or {}).get("max_length", 0))
    model.model_validate(data)
    return data


def _fit(data: Any, path: tuple[int | str, ...], kind: str, length: int) -> None:
    for part in path[:-1]:
        data = data[part]
    if kind == "string_too_long" and MOST_IDENTITY < length <= MOST_PROSE:
        data[path[-1]] = cut(data[path[-1]], length)
    elif kind == "finite_number":  # no JSON has infinity, or a value that is none
        value = data[path[-1]]
        data[path[-1]] = None if math.isnan(value) else math.copysign(sys.float_info.max, value)


def planned(build: Callable[[], T], where: str = "") -> T:
    """What `build` makes of a plan. Raises BadInput where a field of it does not take that much."""
    try:
        return build()
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        text = f"the rollout could not be kept: {first['msg']} ({error.title} {path})"
        raise BadInput(text, where, "split the change into several commits") from None
