"""The sandbox's clock jumps, and then runs by itself."""

import threading
import time
from datetime import UTC, datetime, timedelta

from patience import ENOUGH

from orchestrator.sandbox.pace import PacedClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_jump_tells_nobody_what_was_between():
    clock, told = PacedClock(START), []
    clock.subscribe(told.append, 5.0)
    clock.jump(START + timedelta(days=1))
    assert told == []
    clock.sleep(10)
    assert told == [START + timedelta(days=1, seconds=s) for s in (5, 10)]
    clock.jump(START)
    assert clock.now() == START + timedelta(days=1, seconds=10), "time never goes back"


def test_it_runs_quicker_than_the_wall_and_calls_subscribers_meanwhile():
    clock, told = PacedClock(START, factor=1000.0), threading.Event()
    clock.subscribe(lambda now: told.set(), 5.0)
    with clock.running():
        before = clock.now()
        assert told.wait(ENOUGH)
        while clock.now() - before < timedelta(seconds=10):
            clock.sleep(10)


def test_a_sleeper_wakes_when_it_ends():
    clock = PacedClock(START, factor=1.0)
    with clock.running():
        sleeper = threading.Thread(target=clock.sleep, args=(3600,))
        sleeper.start()
    sleeper.join(ENOUGH)
    assert not sleeper.is_alive()


def test_time_stands_still_where_a_subscriber_is_called_late_and_nothing_of_it_is_left_out():
    clock, told, held = PacedClock(START, factor=1000.0), [], threading.Event()

    def called(at):
        told.append((at, clock.now()))
        if len(told) == 2:
            held.wait(ENOUGH)

    clock.subscribe(called, 5.0)
    with clock.running():
        while len(told) < 2:
            time.sleep(0.001)
        stood = [clock.now() for _ in range(20) if not time.sleep(0.005)]
        assert set(stood) == {START + timedelta(seconds=10)}
        clock.sleep(20)
        held.set()
        while clock.now() < START + timedelta(seconds=60):
            clock.sleep(10)
    assert [at for at, _ in told] == [START + timedelta(seconds=5 * n) for n in range(1, len(told) + 1)]
    assert all(at == now for at, now in told)
