"""Who has a Lease, whatever the wall clocks of those who want it say."""

from datetime import timedelta

import pytest
from stage import OWN, Stage

from orchestrator.engine.lease import LEASE, Lease

STEPS = [-86400, -600, -30, 30, 600, 86400]


class Off:
    """A process whose time of day is wrong by some seconds from some moment on; `mono` where it can measure."""

    def __init__(self, clock):
        self._clock, self.wrong = clock, 0.0

    def now(self):
        return self._clock.now() + timedelta(seconds=self.wrong)

    def sleep(self, seconds):
        self._clock.sleep(seconds)


class Measuring(Off):
    def monotonic(self):
        return self._clock.monotonic()


def pair(kind):
    stage = Stage()
    clocks = [kind(stage.clock), kind(stage.clock)]
    return (
        stage,
        clocks,
        [Lease(stage.context(clock=c), "rollout-x", n) for c, n in zip(clocks, "ab", strict=True)],
    )


@pytest.mark.parametrize("kind", [Off, Measuring])
@pytest.mark.parametrize("step", STEPS)
def test_who_waits_takes_it_only_after_its_holder_has_stopped_writing(kind, step):
    for of in (0, 1):
        stage, clocks, (holder, other) = pair(kind)
        assert holder.acquire() and not other.acquire()
        clocks[of].wrong = step
        for _ in range(30):
            stage.clock.sleep(1)
            if other.acquire():
                break
            assert not (other.renewed and holder.safe(5.0))
        assert other.renewed is not None and other.taken_over
        assert not holder.safe(5.0) and not holder.acquire()


@pytest.mark.parametrize("kind", [Off, Measuring])
@pytest.mark.parametrize("step", STEPS)
def test_a_holder_that_goes_on_renewing_keeps_it_whatever_the_clocks_say(kind, step):
    for of in (0, 1):
        stage, clocks, (holder, other) = pair(kind)
        assert holder.acquire()
        for second in range(90):
            if second == 20:
                clocks[of].wrong = step
            stage.clock.sleep(1)
            assert holder.acquire() and not other.acquire()


def test_one_that_somebody_deleted_is_known_to_be_made_anew():
    stage, _, (holder, other) = pair(Measuring)
    assert holder.acquire() and holder.created
    found = stage.cluster.get(LEASE, "rollout-x", OWN)
    stage.cluster.delete(LEASE, "rollout-x", OWN, uid=found["metadata"]["uid"], resource_version="")
    assert other.acquire() and other.created
