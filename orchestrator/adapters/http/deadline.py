"""How much time is left of what something may take in all."""

import time


class Deadline:
    """`seconds` from now. Sockets wait in real time, whatever a Clock says."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._end = seconds, time.monotonic() + seconds

    @property
    def left(self) -> float:
        """In seconds; 0 once it has passed."""
        return max(0.0, self._end - time.monotonic())

    def patience(self) -> float:
        """What a socket may still wait. Raises TimeoutError where nothing is left."""
        if left := self.left:
            return left
        raise TimeoutError("it took too long")
