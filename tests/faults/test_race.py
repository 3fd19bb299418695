"""Two workers on one rollout, interleaved call by call by a seed: every rule holds each time."""

import pytest
from interleaved import two_workers_end_as_one
from stage import Stage, work

from orchestrator.rollout.resources import model as m

SEEDS = 40
LOOKS = 10


@pytest.mark.parametrize("good", [True, False])
def test_two_workers_end_as_one_does(good):
    for seed in range(SEEDS):
        stage = Stage(good, deadline_seconds=3600)
        two_workers_end_as_one(seed, stage, stage.standing())


def test_two_workers_that_look_at_a_gate_end_as_one_does():
    for seed in range(LOOKS):
        stage = Stage(deadline_seconds=3600, gates=[m.Gate(wave=1)])
        before = stage.standing()
        assert work(stage.context(), "first").rollout.status.phase == "Paused"
        stage.prober.turn_bad()
        stage.clock.sleep(90)
        two_workers_end_as_one(seed, stage, before)
