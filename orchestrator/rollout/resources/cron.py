"""Cron schedules as Debian's cron reads them, in a time zone: cronsim says when they come round."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import dropwhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = "minute hour day-of-month month day-of-week"
_SECOND = timedelta(seconds=1)
_CHANGE = timedelta(hours=3)  # a clock change moves the clock by less


@lru_cache(maxsize=256)
def check(text: str) -> None:
    """Raises ValueError, which says the field, for what cron would not take or what never comes round."""
    if len(text.split()) != 5:
        raise ValueError(f"{text!r} has {len(text.split())} fields; a schedule has 5: {FIELDS}")
    try:
        next(CronSim(text, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        said = f"{str(error)[:1].lower()}{str(error)[1:]}"
        raise ValueError(f"{text!r}: {said}; a schedule is {FIELDS}") from None
    except StopIteration:
        raise ValueError(f"{text!r} never comes round") from None


def following(text: str, zone: str, at: datetime) -> Iterator[datetime]:
    """Every time after this one, in UTC and in order; it ends where the schedule does not come round for 50 years."""
    begin = at - _CHANGE if _changes(zone, at) else at
    return dropwhile(lambda found: found <= at, _moments(text, zone, begin, back=False))


def latest(text: str, zone: str, at: datetime) -> datetime | None:
    """The last time that is not after this one, in UTC."""
    begin = (at + _CHANGE if _changes(zone, at) else at).replace(microsecond=0) + _SECOND
    return next(dropwhile(lambda found: found > at, _moments(text, zone, begin, back=True)), None)


def _moments(text: str, zone: str, begin: datetime, back: bool) -> Iterator[datetime]:
    """Those that the clock shows: of a schedule with a star cronsim names a midnight, too, that is skipped.

    On its way forward it names that one in place of the hour which the clock shows instead, where the schedule has this, too.
    """
    local = begin.astimezone(ZoneInfo(zone))
    for found in CronSim(text, local, reverse=back):
        moment = found.astimezone(UTC)
        shown = moment.astimezone(ZoneInfo(zone))
        if shown.replace(tzinfo=None) == found.replace(tzinfo=None) or (not back and _comes(text, shown)):
            yield moment


def _comes(text: str, shown: datetime) -> bool:
    """Whether a schedule has a moment, which cronsim is asked for on its way back."""
    return bool(next(CronSim(text, shown + _SECOND, reverse=True), None) == shown)


def _changes(zone: str, at: datetime) -> bool:
    """Whether the clock is changed about then: cronsim does not tell the two hours that it shows twice apart."""
    before, after = ((at + by).astimezone(ZoneInfo(zone)).utcoffset() for by in (-_CHANGE, _CHANGE))
    return before != after
