"""Two replicas: the one that leads is killed at every phase, the other finishes; no step and no status comes twice."""

import itertools
from collections import Counter

import pytest
from receivers import Receivers, asking, courier, rollouts
from stage import Inline, Stage, check

from orchestrator.context import POLICY, read
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.lease import Lease

ROUNDS = 40


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A cluster whose caller is killed at the n-th transition that it writes, before or after; then nothing works."""

    def __init__(self, cluster, at, after):
        self._cluster, self._at, self._after = cluster, at, after
        self.dead = False

    def __getattr__(self, name):
        if self.dead:
            raise Killed
        return getattr(self._cluster, name)

    def replace_status(self, obj):
        if self.dead:
            raise Killed
        mine = obj["kind"] == "PolicyRollout" and len(obj["status"].get("transitions", ())) == self._at
        if mine and not self._after:
            self.dead = True
            raise Killed
        found = self._cluster.replace_status(obj)
        if mine:
            self.dead = True
            raise Killed
        return found


class Replica:
    """A process with a controller and a courier; it works while it holds the controller's Lease."""

    def __init__(self, stage, receivers, name, cluster=None):
        ctx = stage.context(cluster)
        told = courier(ctx, receivers, name)
        self.lease = Lease(ctx, "controller", name)
        self.controller = Controller(ctx, name, Instruments(), poll_seconds=5, courier=told)
        self.alive = True

    def round(self):
        try:
            if self.alive and self.lease.acquire():
                self.controller.tick(Inline())
        except Killed:
            self.alive = False


def played(good, at=0, after=False):
    """The stage, what the receivers got, what stood before, the end, and whether the leader was killed."""
    stage, receivers = asking(Stage(good)), Receivers()
    before = stage.standing()
    replicas = [Replica(stage, receivers, "one", Mortal(stage.cluster, at, after))]
    replicas.append(Replica(stage, receivers, "two"))
    for _ in range(ROUNDS):
        for replica in replicas:
            replica.round()
        found = rollouts(stage)
        if found and not found[0].manifest["metadata"].get("finalizers") and not found[0].status.outbox:
            break
        stage.clock.sleep(10)
    return stage, receivers, before, read(stage.context(), rollouts(stage)[0].name), not replicas[0].alive


def story(stage, receivers, state):
    """What happened and what was told of it, without times; that another process took over is no step."""
    steps = [(t.phase, t.reason) for t in state.rollout.status.transitions if t.reason != "TakenOver"]
    writes = Counter({k: n for k, n in stage.cluster.writes.items() if POLICY.kind in k})
    told = {name: [(s.state, s.description) for s in found] for name, found in receivers.history.items()}
    titles = [message.title for message in receivers.distinct()]
    return steps, writes, told, titles, len(receivers.comments), len(receivers.pulls)


@pytest.mark.parametrize("good", [True, False])
def test_the_leader_killed_at_any_phase_the_other_finishes_and_nothing_comes_twice(good):
    stage, receivers, before, state, _ = played(good)
    check(stage, before, state)
    undisturbed = story(stage, receivers, state)
    steps = undisturbed[0]
    assert len(steps) >= 4
    for at, after in itertools.product(range(1, len(steps) + 1), (False, True)):
        stage, receivers, before, state, killed = played(good, at, after)
        assert killed, (at, after)
        check(stage, before, state)
        found = story(stage, receivers, state)
        assert found[:2] == undisturbed[:2] and found[3:] == undisturbed[3:], (at, after)
        for name, told in found[2].items():
            assert told[-1] == undisturbed[2][name][-1]
            assert len(set(told)) == len(told), (name, told)
