"""The engine is lost at any write and does not come back: the guard puts everything back in time, or only tells."""

import contextlib

import pytest
from stage import OWN, Inline, Stage, work
from test_crash import Killed

from orchestrator.cli.guard import alone
from orchestrator.engine.guard import Guard
from orchestrator.engine.guard_instruments import GuardInstruments
from orchestrator.engine.lease import LEASE
from orchestrator.ports import Kind
from orchestrator.rollout import model as m
from orchestrator.rollout.outbox import turned_back
from orchestrator.steps.context import ROLLOUT, read

INTERVAL, LIMIT = 5.0, 30.0
WRITES = ("create", "replace", "replace_status", "delete")


class Mortal:
    """A cluster whose caller is killed at the n-th write but for those of Leases, before or after its effect."""

    def __init__(self, cluster, at=0, after=False):
        self._cluster, self._at, self._after, self.writes = cluster, at, after, 0

    def __getattr__(self, name):
        real = getattr(self._cluster, name)
        if name not in WRITES:
            return real

        def call(*args, **kwargs):
            lease = args[0] == LEASE or (isinstance(args[0], dict) and args[0]["kind"] == "Lease")
            counts = not lease and not kwargs.get("dry_run")
            self.writes += counts
            mine = counts and self.writes == self._at
            if mine and not self._after:
                raise Killed
            found = real(*args, **kwargs)
            if mine:
                raise Killed
            return found

        return call


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


def killed(good, at=0, after=False, **strategy):
    """A stage whose engine was killed there, what stood before, and how many writes there were."""
    stage = Stage(good, **strategy)
    before, mortal = stage.standing(), Mortal(stage.cluster, at, after)
    with contextlib.suppress(Killed):
        work(stage.context(mortal), "engine")
    return stage, before, mortal.writes


def state_of(stage):
    found = stage.cluster.list(ROLLOUT, OWN)
    return read(stage.context(), found[-1]["metadata"]["name"]) if found else None


def events(stage, reason):
    return [e for e in stage.cluster.list(Kind("v1", "Event"), OWN) if e["reason"] == reason]


def unpromoted(state, stage, before):
    """Whether the open wave differs from what stood before."""
    status, now = state.rollout.status, stage.standing()
    names = state.wave_names(status.wave) if status.opened > status.wave else []
    return status.phase in ("Progressing", "RollingBack") and any(now[n] != before[n] for n in names)


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_killed_at_any_write_what_is_not_promoted_is_back_in_time(good, after):
    writes = killed(good)[2]
    assert writes > 20
    for at in range(1, writes + 1):
        stage, before, _ = killed(good, at, after)
        state, left, lost = state_of(stage), stage.standing(), stage.clock.now()
        stage.clock.sleep(INTERVAL * 0.99)  # the guard's last look was just before
        post = Post(stage).look()
        if state is None:
            assert stage.standing() == before
            continue
        phase, now = state.rollout.status.phase, state_of(stage).rollout.status
        if unpromoted(state, stage, before) or phase == "RollingBack":
            assert now.phase == "RolledBack", (at, now.reason)
        if now.phase == "RolledBack" and phase not in m.TERMINAL:
            assert stage.standing() == before, at
            judged = any(a.status.phase == "Failed" for a in state.analyses.values())
            assert turned_back(now) == ("Regression" if judged else "EngineLost"), at
            assert (now.restored_at - lost).total_seconds() <= LIMIT + INTERVAL
            assert now.epoch == state.rollout.status.epoch + 1
            assert post.count("rescues_total", phase="RolledBack") == 1
            assert stage.shop().status.active_rollout == ""
            assert stage.shop().status.held_revision == ("c" * 40 if judged else "")
        else:
            assert (now.phase, stage.standing()) == (phase, left), at
            assert post.count("alerts_total") == (phase not in m.TERMINAL)
