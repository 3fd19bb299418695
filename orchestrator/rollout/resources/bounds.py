"""The bounds of our resources' fields: read off the models, kept by everything that is written.

What comes from Git or is frozen for a person to approve is refused in planning, with the reason (`planned`). What is seen
later (in the cluster, in answers of Prometheus and of probes, of people) is cut here and nowhere else (`built`, `fitted`):
prose to its length, a name to its length with a mark that tells it from others, a list to its first or its newest items, a
number to its limits. How many items were left out is counted, in `truncated` of a status or in `notes`. What no part can stand
for (a manifest, a walk) is never cut: it raises, and whoever makes it keeps to its bound.
"""

import hashlib
import math
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from annotated_types import MaxLen
from pydantic import BaseModel, StringConstraints, ValidationError

from orchestrator.errors import BadInput

MOST_IDENTITY = 1000  # characters: below, a text names something, and half a name names something else
MOST_PROSE = 8192
CUT = "…"
LINE = 200  # characters of what a table or a condition says
TAIL = 60  # of them those of its end, where it is longer
MARK = 12  # hexadecimal digits
PASSES = 6  # a list that was cut shows what is wrong within it; ours are four deep
WHOLE = frozenset({"writes", "before", "after", "waves"})  # lists of which a part is another thing
NEWEST = frozenset({"transitions", "measurements", "outbox", "repairs", "conditions"})
ROLLING = frozenset(
    {"transitions", "measurements"}
)  # lose items for good, write by write: what they lost adds up
COUNTS = "truncated"
M = TypeVar("M", bound=BaseModel)
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


def sentence(text: str) -> str:
    """The first line of a text, short enough for a condition: its beginning, and its end, where what to do is said."""
    line = next(iter(text.strip().splitlines()), "").rstrip()
    return line if len(line) <= LINE else cut(line, LINE - TAIL) + line[-TAIL:]


def marked(name: str, length: int) -> str:
    """A name of so many characters at most, and another than that of everybody who begins alike."""
    if len(name) <= length:
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:MARK]
    return (name[: length - MARK - len(CUT)] + CUT + mark)[-length:]


def built(model: type[M], **given: Any) -> M:
    """A model of what was seen, within its bounds. Raises ValidationError where that cannot be had."""
    fields = model.model_fields
    data = {fields[k].alias or k: list(v) if isinstance(v, list | tuple) else v for k, v in given.items()}
    return model.model_validate(fitted(model, data))


def fitted(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """What is written of a model, within its bounds. Raises ValidationError where that cannot be had."""
    _made_anew(model, data)
    for _ in range(PASSES):
        try:
            model.model_validate(data)
            return data
        except ValidationError as error:
            for item in error.errors(include_url=False):
                _fit(data, item["loc"], item["type"], item.get("ctx") or {})
    model.model_validate(data)
    return data


def _fit(whole: dict[str, Any], path: tuple[int | str, ...], kind: str, limits: dict[str, Any]) -> None:
    data: Any = whole
    for part in path[:-1]:
        data = data[part]
    last = path[-1] if path else ""
    if kind == "string_too_long" and limits["max_length"] <= MOST_PROSE:
        shorter = cut if limits["max_length"] > MOST_IDENTITY else marked
        data[last] = shorter(data[last], limits["max_length"])
    elif kind == "too_long" and last not in WHOLE:
        over = len(data[last]) - limits["max_length"]
        data[last] = data[last][over:] if last in NEWEST else data[last][:-over]
        counted(whole, ".".join(str(p) for p in path if isinstance(p, str)), over)
    elif kind == "finite_number":  # no JSON has infinity, or a value that is none
        value = data[last]
        data[last] = None if math.isnan(value) else math.copysign(sys.float_info.max, value)
    elif kind in ("greater_than_equal", "less_than_equal"):
        data[last] = next(iter(limits.values()))


def _made_anew(model: type[BaseModel], data: dict[str, Any]) -> None:
    """Forget what was left out of lists that have been made anew since, and have room."""
    bounds = {
        f.alias or k: most(model, k)
        for k, f in model.model_fields.items()
        if isinstance(data.get(f.alias or k), list)
    }
    for item in data.get(COUNTS) or []:
        size = len(data.get(item["field"]) or [])
        if size < (1 if item["field"] in ROLLING else bounds.get(item["field"], 0)):
            data[COUNTS] = [c for c in data[COUNTS] if c["field"] != item["field"]]


def counted(data: dict[str, Any], field: str, number: int) -> None:
    """Note in what is written that so many items of a list of it were left out."""
    if field == COUNTS:
        return
    if COUNTS in data:
        known = {c["field"]: c["count"] for c in data[COUNTS]}
        known[field] = number + (known.get(field, 0) if field.rpartition(".")[2] in ROLLING else 0)
        data[COUNTS] = [{"field": f, "count": n} for f, n in known.items()]
    elif field != "notes" and "notes" in data:
        text = f" more {field} were left out"
        before = [int(n.removesuffix(text)) for n in data["notes"] if re.fullmatch(rf"\d+{text}", n)]
        others = [n for n in data["notes"] if not re.fullmatch(rf"\d+{text}", n)]
        data["notes"] = [f"{number + sum(before)}{text}", *others]


def planned(build: Callable[[], T], where: str = "") -> T:
    """What `build` makes of a plan. Raises BadInput where a field of it does not take that much."""
    try:
        return build()
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        text = f"the rollout could not be kept: {first['msg']} ({error.title} {path})"
        raise BadInput(text, where, "split the change into several commits") from None
