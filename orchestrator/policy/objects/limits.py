"""How much one policy may hold: the API server takes more, and then every evaluation, probe and page would bear it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_EXPRESSIONS = 100  # in one selector
MOST_VALUES = 1000  # in one expression
MOST_ITEMS = 20_000  # rules, peers, ports, blocks and values of one policy


def too_much(obj: Mapping[str, Any]) -> Iterator[str]:
    """What a policy holds too much of, as `path: why`. Its shape was checked before."""
    count = 0
    for path, key, items in _lists(obj.get("spec") or {}, "spec"):
        count += len(items)
        most = {"matchExpressions": MOST_EXPRESSIONS, "values": MOST_VALUES}.get(key, MOST_ITEMS)
        if len(items) > most:
            yield f"{path}: holds {len(items)} items, more than {most}"
    if count > MOST_ITEMS:
        yield f"spec: holds {count} items in all its lists, more than {MOST_ITEMS}"


def _lists(value: Any, path: str) -> Iterator[tuple[str, str, list[Any]]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, list):
                yield f"{path}.{key}", str(key), item
            yield from _lists(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _lists(item, f"{path}[{number}]")
