"""Sweeps bridges and labels of canaries that nobody needs any more, every so often."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from orchestrator.context import Context
from orchestrator.elapsed import Reading, reading, since
from orchestrator.errors import NetpolCanaryError
from orchestrator.writing import pod_labels
from orchestrator.writing.stray_bridges import sweep

EVERY = 30.0  # seconds between two sweeps
BOUND = 60.0  # seconds within which a bridge that landed late is gone, while somebody leads and the API server answers


@dataclass
class Sweeper:
    """One per process; `look` is called in every round of whoever leads.

    Labels are for a controller: what a guard rolled back bears none any more, and a guard may list no pods unless it may label them.
    """

    ctx: Context
    labels: bool = True
    every: float = EVERY
    _swept: Reading | None = field(default=None, repr=False)

    def look(self) -> int:
        """How many were removed. What goes wrong is logged and tried at the next sweep: it stops nothing else."""
        passed = since(self.ctx.clock, self._swept)
        if passed is not None and passed < self.every:
            return 0
        self._swept = reading(self.ctx.clock)
        bridges = self._tried(lambda: sum(1 for _ in sweep(self.ctx)))
        return bridges + (self._tried(lambda: pod_labels.sweep(self.ctx)) if self.labels else 0)

    def _tried(self, work: Callable[[], int]) -> int:
        try:
            return work()
        except NetpolCanaryError as error:
            structlog.get_logger().warning(
                "what was left could not be swept", error=str(error), hint="it is tried again"
            )
            return 0
