"""A clock that only moves when somebody sleeps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class SimulatedClock:
    """Sleeping advances it at once, in steps that tell its subscribers."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._passed = 0.0
        self._subscribers: list[tuple[Callable[[datetime], None], timedelta]] = []
        self._due: list[datetime] = []

    def subscribe(self, callback: Callable[[datetime], None], tick: float = 5.0) -> None:
        """Call back every `tick` seconds of simulated time."""
        self._subscribers.append((callback, timedelta(seconds=tick)))
        self._due.append(self._now + timedelta(seconds=tick))

    def now(self) -> datetime:
        """The simulated time, UTC."""
        return self._now

    def monotonic(self) -> float:
        """The seconds that were slept so far; setting the time changes nothing of it."""
        return self._passed

    def set(self, seconds: float) -> None:
        """Set the time forward, or back where that is negative, as somebody may do; nobody has slept meanwhile."""
        step = timedelta(seconds=seconds)
        self._now += step
        self._due = [due + step for due in self._due]

    def sleep(self, seconds: float) -> None:
        """Advance; whoever subscribed is called at the times that were due on the way."""
        end = self._now + timedelta(seconds=seconds)
        while self._due and min(self._due) <= end:
            number = self._due.index(min(self._due))
            callback, tick = self._subscribers[number]
            self._reach(self._due[number])
            self._due[number] += tick
            callback(self._now)
        self._reach(end)

    def _reach(self, time: datetime) -> None:
        """Unless it is later already: who is told may sleep, too."""
        self._passed += max((time - self._now).total_seconds(), 0.0)
        self._now = max(self._now, time)
