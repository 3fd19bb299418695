"""For how long a worker has failed in a row, and for how much of that something stood in its way."""

from dataclasses import dataclass

from orchestrator.elapsed import Reading, Wall, reading, since


@dataclass
class Failing:
    """Of one worker, whose Lease lasts `lease_seconds`: longer than that between two failures, it stood still itself."""

    clock: Wall
    lease_seconds: float
    _first: Reading | None = None
    _last: Reading | None = None
    _hindered: float = 0.0

    def again(self, late: bool = False) -> tuple[float, float]:
        """It failed once more: for how many seconds it has, and for how many of them something stood in its way.

        Nothing did before a failure that only says that the worker is `late`, nor while its process stood still.
        """
        whole, passed = since(self.clock, self._first), since(self.clock, self._last)
        now = reading(self.clock)
        if whole is None or passed is None:
            self._first, self._hindered, whole = now, 0.0, 0.0
        elif not late:
            self._hindered += min(passed, self.lease_seconds)
        self._last = now
        return whole, self._hindered

    def over(self) -> None:
        """Something succeeded, or it was given up."""
        self._first = self._last = None
        self._hindered = 0.0
