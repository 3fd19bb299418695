"""A clock for the sandbox that people look at: it jumps at first, and then runs by itself, quicker than the wall's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from orchestrator.sandbox.clock import SimulatedClock


class PacedClock(SimulatedClock):
    """Until `running` it is a SimulatedClock; while it runs, sleeping takes real time, divided by `factor`."""

    def __init__(self, start: datetime, factor: float = 10.0) -> None:
        super().__init__(start)
        self._factor = factor
        self._began: float | None = None
        self._stop = threading.Event()

    def jump(self, to: datetime) -> None:
        """Be at a later time without telling anybody what was between."""
        missed = to - self._now
        self._now = max(self._now, to)
        self._due = [due + max(missed, timedelta(0)) for due in self._due]

    def now(self) -> datetime:
        if self._began is None:
            return self._now
        return self._now + timedelta(seconds=(time.monotonic() - self._began) * self._factor)

    def monotonic(self) -> float:
        if self._began is None:
            return super().monotonic()
        return super().monotonic() + (time.monotonic() - self._began) * self._factor

    def sleep(self, seconds: float) -> None:
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
        while not self._stop.is_set():
            number = self._due.index(min(self._due)) if self._due else -1
            if number < 0:
                return
            left = (self._due[number] - self.now()).total_seconds()
            if left > 0:
                self._stop.wait(min(left / self._factor, 1.0))
                continue
            callback, tick = self._subscribers[number]
            callback(self._due[number])
            self._due[number] = max(self._due[number] + tick, self.now() - 10 * tick)
