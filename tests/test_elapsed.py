"""Time that passed is told from time that was set."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.elapsed import reading, since, steady
from orchestrator.sandbox.clock import SimulatedClock


class Wall:
    """A clock with nothing but the time of day."""

    def __init__(self):
        self.time = datetime(2026, 1, 5, tzinfo=UTC)

    def now(self):
        return self.time

    def pass_by(self, seconds):
        self.time += timedelta(seconds=seconds)


@pytest.mark.parametrize("step", [-600, -30, 30, 86400])
def test_setting_the_wall_clock_lets_no_time_pass(step):
    clock = SimulatedClock()
    began, wall = reading(clock), clock.now()
    clock.sleep(4)
    clock.set(step)
    clock.sleep(3)
    assert since(clock, began) == 7
    assert (clock.now() - wall).total_seconds() == 7 + step


@pytest.mark.parametrize("step", [-600, 30])
def test_a_steady_time_goes_on_as_time_passes(step):
    clock = SimulatedClock()
    began = steady(clock)
    clock.sleep(4)
    clock.set(step)
    assert (steady(clock) - began).total_seconds() == 4


def test_a_clock_with_nothing_but_the_time_of_day_is_measured_by_it():
    clock = Wall()
    began = reading(clock)
    clock.pass_by(20)
    assert since(clock, began) == 20


@pytest.mark.parametrize("step", [-600, -1, 31, 600])
def test_where_such_a_clock_was_set_nobody_can_tell(step):
    clock = Wall()
    began = reading(clock)
    clock.pass_by(5)
    assert since(clock, began) == 5
    clock.pass_by(step)
    assert since(clock, began) is None
    again = reading(clock)
    clock.pass_by(2)
    assert since(clock, again) == 2 and since(clock, began) is None


def test_without_a_reading_there_is_no_age():
    assert since(SimulatedClock(), None) is None
