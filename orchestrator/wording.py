"""How many there are, in words: `2 waves`, `one, two and 3 more`."""

import re
from collections.abc import Sequence

_FIRST = ("No", "One", "Two", "Three", "Four", "Five")
_IRREGULAR = {"analysis": "analyses", "series": "series"}


def many(number: float, noun: str) -> str:
    """`1 wave`, `2 waves`; every counted noun takes its plural here. A float is written as short as it can be."""
    shown = f"{number:g}" if isinstance(number, float) else str(number)
    return f"{shown} {noun if number == 1 else plural(noun)}"


def many_first(number: int, noun: str) -> str:
    """`One wave`, `6 waves`, as a sentence begins."""
    word = _FIRST[number] if number < len(_FIRST) else str(number)
    return f"{word} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`policies`, `network policies`, `ways of netpol-canary's own`: the last word before `of` takes the ending."""
    head, of, rest = noun.partition(" of ")
    *before, last = head.split(" ")
    several = _IRREGULAR.get(last) or (f"{last[:-1]}ies" if re.search("[^aeiou]y$", last) else f"{last}s")
    return " ".join([*before, several]) + of + rest


def agreeing(number: int, one: str, several: str) -> str:
    """The verb that goes with so many: `agreeing(1, "holds", "hold")`."""
    return one if number == 1 else several


def numbered(noun: str, numbers: Sequence[int]) -> str:
    """`wave 3`, `waves 3 to 5`: of consecutive ones."""
    return f"{noun} {numbers[0]}" if len(numbers) == 1 else f"{plural(noun)} {numbers[0]} to {numbers[-1]}"


def few(items: Sequence[str], most: int, between: str = ", ", last: str = " and") -> str:
    """`one, two and 3 more`: the first of them, and how many there are beyond."""
    more = f"{last} {len(items) - most} more" if len(items) > most else ""
    return between.join(items[:most]) + more


def first(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and one that says how many there are beyond."""
    return [*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])]
