"""What a process has watched of rollouts that stand still, whatever anybody does to its wall clock."""

from datetime import timedelta

from rollout.test_expiry import LIMIT, NOW, moved, undecided, written

from orchestrator.rollout.next import next_action
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.standstill import Deadlines

LOOK = 60  # seconds that the wave waits for its first look
MOST = 90  # it may wait by its plan: to settle, and from one look to the next


def watched(seen, state):
    return seen.watched(state).watched


def test_seconds_count_from_when_this_process_first_saw_it():
    clock = SimulatedClock(NOW + timedelta(seconds=LOOK))
    seen, state = Deadlines(clock), written(moved(-5))
    assert watched(seen, state).still == 0
    clock.sleep(100)
    assert watched(seen, state).still == 100
    assert watched(seen, written(moved(-5, 200))).still == 0  # something moved
    clock.sleep(7)
    assert watched(Deadlines(clock), state).still == 0  # another process


def test_what_is_waited_for_by_plan_does_not_count():
    clock = SimulatedClock(NOW)
    seen, state = Deadlines(clock), written(moved(-5))
    assert watched(seen, state).still == -LOOK
    clock.sleep(LOOK + 10)
    assert watched(seen, state).still == 10


def test_a_clock_far_behind_makes_no_wait_longer_than_its_plan():
    clock = SimulatedClock(NOW - timedelta(days=1000))
    seen, state = Deadlines(clock), written(moved(-5))
    assert watched(seen, state).still == -MOST
    clock.sleep(MOST + LIMIT)
    found = seen.watched(state)
    assert next_action(found, clock.now()).reason == "ProgressDeadlineExceeded"


def test_a_clock_that_is_set_is_known_to_be_and_counts_again_once_it_is_set_back():
    clock = SimulatedClock(NOW)
    seen, state = Deadlines(clock), written(moved(-5))
    clock.sleep(1000)
    assert watched(seen, state).steady
    clock.set(600)
    assert not watched(seen, state).steady
    clock.set(-600)
    assert watched(seen, state).steady


def test_an_inconclusive_wave_is_watched_besides():
    clock = SimulatedClock(NOW)
    seen, state = Deadlines(clock), undecided(None)
    assert watched(seen, state).undecided == 0
    clock.set(-600)
    clock.sleep(90)
    assert watched(seen, state).undecided == 90
