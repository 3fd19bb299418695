"""What one worker knows of writes that may still land: a former worker's, or its own that were never answered.

A replacement or deletion that lands late is refused where its object was written meanwhile. A creation cannot be refused:
it is looked for once more, when nothing can land any more.
"""

import threading
from dataclasses import dataclass, field

from orchestrator.elapsed import Reading, Wall, reading, since

LATE = 15.0  # seconds after a worker stopped waiting for an answer, or was replaced, within which a write may land


@dataclass
class Tenure:
    """Of one worker on one rollout. Safe under threads."""

    doubted: Reading | None = None
    _fenced: set[str] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def doubt(self, clock: Wall) -> None:
        """Something may land from now on that nobody here waits for."""
        with self._lock:
            self.doubted = reading(clock)
            self._fenced.clear()

    def left(self, clock: Wall) -> float:
        """For how many seconds something may land yet; 0 where nothing may."""
        if self.doubted is None:
            return 0.0
        passed = since(clock, self.doubted)
        if passed is None:  # nobody can tell
            self.doubt(clock)
            return LATE
        return max(0.0, LATE - passed)

    def fenced(self, place: str) -> None:
        """What was asked for in this place before is refused from now on."""
        with self._lock:
            self._fenced.add(place)

    def open(self, place: str) -> bool:
        """Whether something that was asked for in it may replace or delete an object yet."""
        with self._lock:
            return self.doubted is not None and place not in self._fenced
