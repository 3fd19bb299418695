"""The Leases of rollouts as this process has seen them, look after look: which of them stand still, and since when."""

from dataclasses import dataclass, field, replace

import structlog

from orchestrator.context import ROLLOUT, Context
from orchestrator.engine.lease import Lease, of_rollout
from orchestrator.engine.worker import REQUEST_TIMEOUT
from orchestrator.errors import PortError
from orchestrator.rollout.resources.model import TERMINAL

MOST_STATED = 300.0  # seconds; a Lease that claims more is not believed


@dataclass
class LeaseWatch:
    """For one thread. Only time in which it could look counts: after an outage every Lease has to stand still anew."""

    ctx: Context
    holder: str
    seconds: float
    _leases: dict[str, Lease] = field(default_factory=dict, repr=False)

    def look(self) -> dict[str, float]:
        """For each rollout that is worked on the seconds until its Lease counts as lost, none left where it does."""
        listed = self.ctx.cluster.list(ROLLOUT, self.ctx.namespace)
        working = [o for o in listed if (o.get("status") or {}).get("phase") not in {*TERMINAL, "Paused"}]
        names = [str(o["metadata"]["name"]) for o in working]
        self._leases = {n: lease for n, lease in self._leases.items() if n in names}
        found = {}
        for name in names:
            lease = self._leases.get(name) or of_rollout(self.ctx, name, self.holder, self.seconds)
            try:
                found[name] = self._limit(lease.unchanged(), lease)
                self._leases[name] = lease
            except PortError as error:
                self._leases.pop(name, None)
                structlog.get_logger().warning("a Lease cannot be read", rollout=name, error=str(error))
        return found

    def lease(self, name: str) -> Lease:
        """One to take, that knows what was seen of it so far."""
        known = self._leases.get(name)
        return replace(known) if known else of_rollout(self.ctx, name, self.holder, self.seconds)

    def forget(self) -> None:
        """Begin anew."""
        self._leases.clear()

    def _limit(self, unchanged: float, lease: Lease) -> float:
        """Twice what it was taken for, and never so soon that a request of its holder may still be on its way."""
        stated = min(lease.stated or self.seconds, MOST_STATED)
        return max(0.0, max(2 * stated, stated + REQUEST_TIMEOUT) - unchanged)
