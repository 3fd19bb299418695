"""Wakes sources: at once, then at most once in so many seconds, and once more for what came in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType

import structlog

from orchestrator.elapsed import steady
from orchestrator.errors import Forbidden, Invalid, NetpolCanaryError, NotFound, RetryLater
from orchestrator.ports import Clock

MOST_WAITING = 10_000
PATIENCE = timedelta(minutes=10)
FLUSH = timedelta(seconds=5)
IDLE = 1.0


@dataclass
class Wakes:
    """`write` sets the source's annotation; what fails is tried again after `seconds`, for PATIENCE.

    After that, and where the process is killed or lacks the right to write, a push is left to polling.
    """

    write: Callable[[str], None]
    clock: Clock
    seconds: float = 5.0
    _wanted: set[str] = field(default_factory=set, repr=False)
    _next: dict[str, datetime] = field(default_factory=dict, repr=False)
    _failing: dict[str, datetime] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _signal: threading.Event = field(default_factory=threading.Event, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def ask(self, source: str) -> None:
        """Raises RetryLater where too many sources wait already."""
        with self._lock:
            if source not in self._wanted and len(self._wanted) >= MOST_WAITING:
                raise RetryLater("too many sources wait to be woken", self.seconds)
            self._wanted.add(source)
            now = self._next.get(source) is None
        if now:
            self._signal.set()

    def work(self) -> float:
        """Write what is due; gives the seconds until something will be."""
        now = steady(self.clock)
        with self._lock:
            due = sorted(s for s in self._wanted if self._next.get(s, now) <= now)
            self._wanted.difference_update(due)
            past = [s for s, time in self._next.items() if time <= now and s not in due]
            for source in past:
                if source not in self._wanted:
                    del self._next[source]
            for source in due:
                self._next[source] = now + timedelta(seconds=self.seconds)
        for source in due:
            self._one(source)
        with self._lock:
            times = [self._next.get(s, now) for s in self._wanted]
        return max(0.0, min(((t - steady(self.clock)).total_seconds() for t in times), default=IDLE))

    def flush(self) -> None:
        """Write all that waits, whether it is due or not; for at most FLUSH."""
        end = steady(self.clock) + FLUSH
        with self._lock:
            left = sorted(self._wanted)
            self._wanted.clear()
        for number, source in enumerate(left):
            if steady(self.clock) >= end:
                structlog.get_logger().warning("pushes are left to polling", sources=left[number:][:20])
                return
            self._one(source)

    def _one(self, source: str) -> None:
        try:
            self.write(source)
            self._failing.pop(source, None)
        except NotFound:
            self._failing.pop(source, None)
        except NetpolCanaryError as error:
            now = steady(self.clock)
            since = self._failing.setdefault(source, now)
            if isinstance(error, Forbidden | Invalid) or now - since >= PATIENCE:
                self._failing.pop(source, None)
                structlog.get_logger().warning(
                    "pushes are left to polling", sources=[source], error=str(error)
                )
                return
            structlog.get_logger().warning("a source is woken later", source=source, error=str(error))
            with self._lock:
                self._wanted.add(source)

    def __enter__(self) -> Wakes:
        self._thread = threading.Thread(target=self._run, name="wakes", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._signal.set()
        if self._thread is not None:
            self._thread.join(FLUSH.total_seconds())
        self.flush()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                due = self.work()
            except Exception as error:  # whatever it is, pushes that come later are not to wait for polling
                structlog.get_logger().error("wakes could not be written", error=repr(error))
                due = IDLE
            self._signal.wait(min(due or 0.05, IDLE))
            self._signal.clear()
