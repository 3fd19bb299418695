"""A stage whose engine was lost on its way, and the guard that looks after it."""

from faulty_port import WRITES, kills
from stage import OWN, Inline

from orchestrator.cli.operate.guard_service import alone
from orchestrator.context import ROLLOUT, read
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments

INTERVAL, LIMIT = 5.0, 30.0


def kills_at_write(at, late):
    """The end of a process right before or right after its n-th write, but for those of Leases."""
    return kills(at, late, *WRITES, dry_run=False, where=lambda call: call.kind != "Lease")


class Post:
    """A Guard over a stage, with nothing but its API server."""

    def __init__(self, stage, holder="guard", cluster=None):
        self.stage = stage
        self.guard = Guard(
            alone(cluster or stage.cluster, stage.clock, OWN), holder, GuardInstruments(), INTERVAL
        )

    def look(self, seconds=LIMIT + INTERVAL):
        """Rounds for so long, or until everything has ended."""
        end = self.stage.clock.now().timestamp() + seconds
        while (now := self.stage.clock.now().timestamp()) < end:
            self.stage.clock.sleep(min(self.guard.round(Inline()), end - now))
        self.guard.round(Inline())
        return self

    def count(self, name, **labels):
        return self.guard.instruments.registry.get_sample_value(f"netpol_canary_guard_{name}", labels)


def state_of(stage):
    """The latest rollout; None where there is none."""
    found = stage.cluster.list(ROLLOUT, OWN)
    return read(stage.context(), found[-1]["metadata"]["name"]) if found else None


def unpromoted(state, stage, before):
    """Whether the open wave differs from what stood before."""
    status, now = state.rollout.status, stage.standing()
    names = state.wave_names(status.wave) if status.waves_started > status.wave else []
    return status.phase in ("Progressing", "RollingBack") and any(now[n] != before[n] for n in names)
