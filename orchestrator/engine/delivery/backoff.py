"""When a receiver that failed is tried again: ever later, never all at once, and no later than is bearable."""

import threading
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRST, MOST, MOST_ASKED = 5.0, 900.0, 3600.0  # seconds


@dataclass
class Backoff:
    """By name; `seed` spreads what several processes do. Safe under threads."""

    seed: str = ""
    _failed: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def due(self, name: str, now: datetime) -> datetime:
        """When to try; `now` where nothing went wrong."""
        with self._lock:
            return self._failed[name][1] if name in self._failed else now

    def failed(self, name: str, now: datetime, asked: float = 0) -> int:
        """Once more; how often in a row by now. `asked` is what the receiver wants to be left alone for, in seconds."""
        with self._lock:
            count = self._failed[name][0] + 1 if name in self._failed else 1
            wait = min(FIRST * 2 ** min(count - 1, 10), MOST)
            spread = zlib.crc32(f"{self.seed}/{name}/{count}".encode()) / 2**32
            seconds = max(wait * (0.75 + spread / 2), min(max(asked, 0.0), MOST_ASKED))
            self._failed[name] = (count, now + timedelta(seconds=seconds))
            return count

    def good(self, name: str) -> None:
        """All is well with it again."""
        with self._lock:
            self._failed.pop(name, None)

    def keep(self, names: Collection[str]) -> None:
        """Forget all others."""
        with self._lock:
            self._failed = {n: f for n, f in self._failed.items() if n in names}
