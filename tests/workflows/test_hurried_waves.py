"""Waves that an emergency opens together are one Workflow, whose pods write and judge all of them."""

import pytest
from stage import check, work
from stand_in import Theatre

from orchestrator.context import read
from orchestrator.operations.declare_emergency import declare
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"
CLOSED = m.Window(schedule="0 0 29 2 *", duration_seconds=60)


def shut(**strategy):
    """Three waves behind a window that never opens, which settle for ten minutes."""
    allowed = m.Emergency(skip=["windows", "waits", "waves"])
    given = {"windows": [CLOSED], "steps": [m.WaveStep(count=1)], "settle_seconds": 600, **strategy}
    return Theatre(emergency=allowed, **given)


def says(stage):
    ctx = stage.context(stage.cluster.acting_as("mia", "on-call"))
    return declare(ctx, read(ctx, NAME), "the shop is down")


def seconds(state, first, last):
    times = {t.reason: t.time for t in state.rollout.status.transitions}
    return (times[last] - times[first]).total_seconds()


@pytest.mark.parametrize("size", [1, 50])
def test_argo_writes_and_judges_waves_that_open_together(size):
    theatre = shut(shard_size=size)
    stage = theatre.stage
    assert work(stage.context(), "engine", **theatre.engine()).rollout.status.paused_for == "window"
    says(stage)
    state = work(stage.context(), "engine", **theatre.engine())
    check(stage, theatre.before, state)
    assert theatre.argo.names() == [f"{NAME}-w{wave}-0" for wave in (0, 1)]
    assert {p.code for p in theatre.pods} == {0}
    assert seconds(state, "Emergency", "Succeeded") < 120
    applied = {tuple(p.argv[-3:]) for p in theatre.pods if p.step == "apply"}
    assert len(applied) == (3 if size == 1 else 2)


def test_argo_goes_on_where_one_is_declared_while_its_pods_work():
    theatre = shut(windows=[])
    stage, done = theatre.stage, []

    def hurry(now):
        if not done and any(p.step == "settle" for p in theatre.pods):
            done.append(says(stage))

    theatre.on_round.append(hurry)
    state = work(stage.context(), "engine", **theatre.engine())
    check(stage, theatre.before, state)
    assert {p.code for p in theatre.pods} == {0} and seconds(state, "Emergency", "Succeeded") < 200
    assert theatre.argo.names() == [f"{NAME}-w{wave}-0" for wave in (0, 1)]
