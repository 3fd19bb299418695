"""A long list in parts; each begins after the last item of the one before, whatever came or went meanwhile."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Query

from orchestrator.errors import BadInput

MOST, USUAL = 200, 50
MOST_TOKEN = 1000
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Continue = Annotated[
    str,
    Query(alias="continue", max_length=MOST_TOKEN, description="Where the part before ended, by its answer."),
]
Place = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """Some items, the token of what comes after them, and how many that are."""

    items: list[T]
    token: str
    remaining: int


def part(
    items: Sequence[T], place: Callable[[T], Place], limit: int, token: str, falling: bool = False
) -> Part[T]:
    """Of items that are sorted by their places, `falling` or rising, the first after the token. Raises BadInput."""
    left = list(items)
    if token:
        last = _place(token)
        left = [i for i in items if (place(i) < last if falling else place(i) > last)]
    found, remaining = left[:limit], max(0, len(left) - limit)
    return Part(found, _token(place(found[-1])) if remaining else "", remaining)


def _token(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place(token: str) -> Place:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise BadInput("continue: this was never given out", hint="begin anew without it")
    return tuple(found)
