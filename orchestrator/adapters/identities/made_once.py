"""What one process makes once and keeps: identities and their tokens, for the many that ask by the same proof."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MOST_KEPT = 10_000  # more than there are sources: else each query, and each poll, would have its token made
Made = TypeVar("Made")


class MadeOnce(Generic[Made]):
    """By what it is made of; of too many the one goes for which nobody asked the longest."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: dict[Hashable, Made] = {}

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made before, else what is made now, while the others wait; where that fails nothing is kept."""
        with self._lock:
            found = self._kept.pop(key) if key in self._kept else make()
            while len(self._kept) >= self._most:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found
        return found
