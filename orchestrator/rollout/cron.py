"""Cron's five fields, and when they come round on a day of a time zone: across clock changes, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS: tuple[tuple[str, int, int, Sequence[str], int], ...] = (
    ("minute", 0, 59, (), 0),
    ("hour", 0, 23, (), 0),
    ("day of month", 1, 31, (), 0),
    ("month", 1, 12, _MONTHS, 1),
    ("day of week", 0, 7, _DAYS, 0),
)


@dataclass(frozen=True)
class Cron:
    """Which minutes, hours, days, months and weekdays (0 is Sunday) a schedule names.

    As in crontab(5), a day counts where either day field names it, if neither of them is `*`.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_hour: bool
    any_day: bool
    any_weekday: bool

    def names(self, day: date) -> bool:
        """Whether the schedule comes round on this day at all."""
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (of_month and of_week) if self.any_day or self.any_weekday else (of_month or of_week)


@lru_cache(maxsize=256)
def parse(text: str) -> Cron:
    """Raises ValueError, which says the field, for what cron would not take or what never comes round."""
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{text!r} has {len(parts)} fields; a schedule has 5: minute hour day month weekday")
    minutes, hours, days, months, weekdays = (
        _field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    stars = [part.startswith("*") for part in parts]
    if stars[4] and not any(day <= _LONGEST[month - 1] for day in days for month in months):
        raise ValueError(f"{text!r} never comes round: no such day in these months")
    return Cron(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        stars[1],
        stars[2],
        stars[4],
    )


def _field(text: str, name: str, low: int, high: int, words: Sequence[str], first: int) -> frozenset[int]:
    """`*`, numbers, names, ranges and steps, in a list."""

    def number(part: str) -> int:
        found = words.index(part) + first if part in words else int(part) if part.isdecimal() else -1
        if not low <= found <= high:
            raise ValueError(f"the {name} {part!r} is not {low} to {high}")
        return found

    chosen: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        if slash and (not step.isdecimal() or int(step) < 1):
            raise ValueError(f"the {name} {item!r} has no step above 0")
        start, dash, end = span.partition("-")
        if span == "*":
            begin, last = low, high
        else:
            begin = number(start)
            last = number(end) if dash else high if slash else begin
        if last < begin:
            raise ValueError(f"the {name} {item!r} ends before it begins")
        chosen |= set(range(begin, last + 1, int(step) if slash else 1))
    return frozenset(chosen)


@lru_cache(maxsize=4096)
def moments(text: str, zone: str, day: date) -> tuple[datetime, ...]:
    """When a schedule comes round on a local day, in UTC and in order.

    What the clock skips comes as much later as it skips. What the clock shows twice comes the first time only, but
    both times where the hour is `*`: then it is an interval that is meant.
    """
    cron = parse(text)
    if not cron.names(day):
        return ()
    local = ZoneInfo(zone)
    found: set[datetime] = set()
    for hour in cron.hours:
        for minute in cron.minutes:
            for fold in (0, 1) if cron.any_hour else (0,):
                found.add(datetime.combine(day, time(hour, minute, fold=fold), local).astimezone(UTC))
    return tuple(sorted(found))
