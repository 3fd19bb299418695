"""Two workers, one of whose wall clocks is set in the middle of it: every rule holds each time."""

import random
from datetime import timedelta

import pytest
from interleaved import Waiting, two_workers_end_as_one
from stage import OWN, Stage

from orchestrator.context import ROLLOUT

SEEDS = 5


class Blind(Waiting):
    """A clock with nothing but the time of day, which is set at some call; `monotonic` is not offered."""

    def __init__(self, turns, worker, seed, step):
        super().__init__(turns, worker)
        dice = random.Random(seed)
        self._left, self._step = (dice.randrange(5, 400) if worker == seed % 2 else -1), step
        self._wrong = timedelta(0)

    def __getattribute__(self, name):
        if name == "monotonic":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def now(self):
        if self._left > 0:
            self._left -= 1
            self._wrong = timedelta(seconds=0 if self._left else self._step)
        return super().now() + self._wrong


class Measuring(Blind):
    """One that can measure as well, as real ones can."""

    def __getattribute__(self, name):
        return object.__getattribute__(self, name)


def race(seed, step, kind=Measuring):
    stage = Stage(good=seed % 4 < 2, deadline_seconds=3600)
    two_workers_end_as_one(seed, stage, stage.standing(), lambda *given: kind(*given, seed, step))
    assert len(stage.cluster.list(ROLLOUT, OWN)) == 1


@pytest.mark.parametrize("kind", [Blind, Measuring])
@pytest.mark.parametrize("step", [-600, -30, 30, 600])
def test_a_wall_clock_that_is_set_makes_no_second_writer(kind, step):
    for seed in range(7000, 7000 + SEEDS):
        race(seed, step, kind)
