"""A process that dies at any call of its courier, of a cluster or of a receiver, loses no message and doubles no status."""

import itertools

import pytest
from faulty_port import FaultyPort, Killed, kills
from receivers import Receivers, asking, courier, rollouts
from sampling import sampled
from stage import Stage, check, work


def outcome(good, at=0, after=False):
    """A rollout and its courier in one process that dies at a call of the courier, and another that goes on."""
    stage, receivers, death = asking(Stage(good)), Receivers(), kills(at, after)
    before = stage.standing()
    ctx = stage.context(FaultyPort(stage.cluster, death))
    looking = courier(ctx, FaultyPort(receivers, death), "first")
    try:
        state = work(stage.context(), "first", watch=lambda state, action: looking.look(rollouts(stage)))
        looking.look(rollouts(stage))
    except Killed:
        state = work(stage.context(), "second")
    ctx = stage.context()
    looking = courier(ctx, receivers, "second")
    for _ in range(6):
        stage.clock.sleep(40)
        looking.look(rollouts(stage))
    check(stage, before, state)
    return stage, receivers, death


def ends_well(stage, receivers, good):
    (rollout,) = rollouts(stage)
    assert not rollout.status.outbox and not rollout.manifest["metadata"].get("finalizers")
    numbers = [int(message.id.rpartition("/")[2]) for message in receivers.messages]
    told = list(dict.fromkeys(numbers))
    assert told == list(range(1, rollout.status.notification_sequence + 1)), "each once, in order"
    assert len(numbers) - len(told) <= 1, "and again only the one that it died with"
    for statuses in receivers.history.values():
        assert all(a != b for a, b in itertools.pairwise(statuses)), "no status twice"
    assert receivers.states("netpol-canary/shop")[-1] == ("success" if good else "failure")
    assert len(receivers.comments) == 1 and len(receivers.pulls) == (0 if good else 1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_stopped_at_any_call_everything_is_told_in_order(good, after):
    """At every fourth call; sampled, at one of those that one function makes in the same step."""
    death = outcome(good)[2]
    assert len(death.seen) > 50
    fourth = range(1 + after, len(death.seen) + 1, 4)
    for at in sampled(fourth, death.way, (good, after)):
        stage, receivers, _ = outcome(good, at, after)
        ends_well(stage, receivers, good)
