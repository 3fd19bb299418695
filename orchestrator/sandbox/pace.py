"""A clock for the sandbox that people look at: it jumps at first, and then runs by itself, quicker than the wall's."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from orchestrator.sandbox.clock import SimulatedClock

SHORTEST = 0.001  # real seconds waited for at once


class PacedClock(SimulatedClock):
    """Until `running` it is a SimulatedClock; while it runs, sleeping takes real time, divided by `factor`.

    Time never runs ahead of what happens in it: where a busy machine calls a subscriber late, it stands still meanwhile.
    """

    def __init__(self, start: datetime, factor: float = 10.0) -> None:
        super().__init__(start)
        self._factor = factor
        self._began: float | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def jump(self, to: datetime) -> None:
        """Be at a later time without telling anybody what was between."""
        missed = to - self._now
        self._now = max(self._now, to)
        self._due = [due + max(missed, timedelta(0)) for due in self._due]

    def now(self) -> datetime:
        return self._now + self._ran()

    def monotonic(self) -> float:
        return super().monotonic() + self._ran().total_seconds()

    def _ran(self) -> timedelta:
        """For how long it has run, up to what the subscribers wait for next."""
        with self._lock:
            if self._began is None:
                return timedelta(0)
            ran = timedelta(seconds=(time.monotonic() - self._began) * self._factor)
            return min([ran, *(due - self._now for due in self._due)])

    def sleep(self, seconds: float) -> None:
        """For so long on the wall's clock, also where time stands still: who sleeps may hold what a subscriber waits for."""
        if self._began is None:
            super().sleep(seconds)
        else:
            self._stop.wait(max(seconds, 0) / self._factor)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let time pass until the end of the block; subscribers are called in one thread of their own."""
        self._began = time.monotonic()
        thread = threading.Thread(target=self._tick, name="sandbox-clock", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(5)

    def _tick(self) -> None:
        while self._due and not self._stop.is_set():
            number = self._due.index(min(self._due))
            left = (self._due[number] - self.now()).total_seconds()
            if left > 0:
                self._stop.wait(min(max(left / self._factor, SHORTEST), 1.0))
                continue
            callback, tick = self._subscribers[number]
            callback(self._due[number])
            self._called(number, tick)

    def _called(self, number: int, tick: timedelta) -> None:
        """It goes on from where it stood, however late the call ended."""
        with self._lock:
            passed = (self._due[number] - self._now).total_seconds() / self._factor
            self._began = max(self._began or 0.0, time.monotonic() - passed)
            self._due[number] += tick
