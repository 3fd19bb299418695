"""How many there are, in words: `2 waves`, `one, two and 3 more`."""

from collections.abc import Sequence


def many(number: int, noun: str) -> str:
    """`1 wave`, `2 waves`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def few(items: Sequence[str], most: int, between: str = ", ", last: str = " and") -> str:
    """`one, two and 3 more`: the first of them, and how many there are beyond."""
    more = f"{last} {len(items) - most} more" if len(items) > most else ""
    return between.join(items[:most]) + more


def first(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and one that says how many there are beyond."""
    return [*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])]
