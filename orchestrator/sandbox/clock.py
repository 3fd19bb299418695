"""A clock that only moves when somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class SimulatedClock:
    """Sleeping advances it at once, in steps that tell its subscribers."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._subscribers: list[Callable[[datetime], None]] = []
        self._tick = 5.0

    def subscribe(self, callback: Callable[[datetime], None], tick: float = 5.0) -> None:
        """Call back after every step of at most `tick` seconds."""
        self._subscribers.append(callback)
        self._tick = min(self._tick, tick)

    def now(self) -> datetime:
        """The simulated time, UTC."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Advance."""
        left = seconds
        while left > 0:
            step = min(left, self._tick) if self._subscribers else left
            self._now += timedelta(seconds=step)
            left -= step
            for callback in self._subscribers:
                callback(self._now)
