"""Two replicas: the one that leads is killed at every phase, the other finishes; no step and no status comes twice."""

import itertools
from collections import Counter

import pytest
from faulty_port import FaultyPort, Killed, kills
from receivers import Receivers, asking, courier, rollouts
from stage import Inline, Stage, check

from orchestrator.context import POLICY, read
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.lease import Lease

ROUNDS = 40


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
    """The stage, what the receivers got, what stood before, the end, and whether the leader was killed at that transition."""
    stage, receivers = asking(Stage(good)), Receivers()
    before = stage.standing()
    nth = lambda call: len(call.obj["status"].get("transitions", ())) == at  # noqa: E731
    mortal = kills(1, after, "replace_status", kind="PolicyRollout", where=nth)
    replicas = [Replica(stage, receivers, "one", FaultyPort(stage.cluster, mortal))]
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
