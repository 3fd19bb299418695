"""The sandbox's clock jumps, and then runs by itself."""

import threading
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
        clock.sleep(10)
        assert clock.now() - before >= timedelta(seconds=10)


def test_a_sleeper_wakes_when_it_ends():
    clock = PacedClock(START, factor=1.0)
    with clock.running():
        sleeper = threading.Thread(target=clock.sleep, args=(3600,))
        sleeper.start()
    sleeper.join(ENOUGH)
    assert not sleeper.is_alive()
