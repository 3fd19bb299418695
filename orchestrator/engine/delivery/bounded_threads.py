"""Work that may hang without holding anything up: so many threads at once, none of which keeps the process alive."""

import contextvars
import threading
from collections.abc import Callable

MOST_AT_ONCE = 8


class BoundedThreads:
    """Called with a piece of work: True where it was begun, False where all threads are taken."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._room = threading.Semaphore(most)

    def __call__(self, work: Callable[[], None]) -> bool:
        if not self._room.acquire(blocking=False):
            return False

        def body() -> None:
            try:
                work()
            finally:
                self._room.release()

        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(body,), name="errand", daemon=True).start()
        return True
