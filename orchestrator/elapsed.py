"""How much time has passed, however often and however far somebody sets the wall clock meanwhile."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

MOST_GAP = (
    30.0  # seconds between two readings, beyond which a clock without a monotonic reading may have been set
)
_SOMEWHEN = datetime(2000, 1, 1, tzinfo=UTC)


class Wall(Protocol):
    """A clock that may be set at any time."""

    def now(self) -> datetime:
        """Now, in UTC."""


class Reading(NamedTuple):
    """Two readings may be subtracted only where `leaps` is the same."""

    leaps: int
    seconds: float


@dataclass
class _Course:
    """What was seen of a clock that offers nothing but the time of day."""

    last: datetime
    leaps: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def read(self, now: datetime) -> Reading:
        with self.lock:
            passed = (now - self.last).total_seconds()
            self.last = now
            if 0 <= passed <= MOST_GAP:
                self.seconds += passed
            else:
                self.leaps += 1
            return Reading(self.leaps, self.seconds)


_courses: WeakKeyDictionary[Wall, _Course] = WeakKeyDictionary()
_lock = threading.Lock()


def reading(clock: Wall) -> Reading:
    """Of its monotonic clock; where it has none, of the time of day, with a leap wherever that may have been set."""
    monotonic = getattr(clock, "monotonic", None)
    if monotonic is not None:
        return Reading(0, float(monotonic()))
    now = clock.now()
    with _lock:
        course = _courses.setdefault(clock, _Course(now))
    return course.read(now)


def steady(clock: Wall) -> datetime:
    """A time to count from in this process's memory alone: it goes on as time passes, and nobody can set it."""
    return _SOMEWHEN + timedelta(seconds=reading(clock).seconds)


def since(clock: Wall, then: Reading | None) -> float | None:
    """The seconds since a reading; None where there was none, or nobody can tell."""
    now = reading(clock)
    if then is None or then.leaps != now.leaps:
        return None
    return now.seconds - then.seconds
