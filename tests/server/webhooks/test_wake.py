"""Many pushes wake a source a few times, and the last one never goes unseen."""

import asyncio
import random

import pytest
from deliveries import Service, github, payload
from stage import DENY, OWN, Inline, Rounds, Stage, files

from orchestrator.context import SOURCE
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.errors import Conflict, Forbidden, NotFound, RetryLater, Unreachable
from orchestrator.rollout.polling import REQUESTED_AT
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.server.webhooks.wake import Wakes


class Written:
    """When each source was written; `failing` is raised while it is set."""

    def __init__(self, clock):
        self.clock, self.times, self.failing = clock, [], None

    def __call__(self, source):
        if self.failing:
            raise self.failing
        self.times.append((source, self.clock.now()))


@pytest.fixture
def wakes():
    clock = SimulatedClock()
    return Wakes(Written(clock), clock, 5.0)


def pass_by(wakes, seconds, step=0.5):
    for _ in range(int(seconds / step)):
        wakes.clock.sleep(step)
        wakes.work()


def test_the_first_push_is_written_at_once_and_the_rest_once_after_the_interval(wakes):
    start = wakes.clock.now()
    for _ in range(100):
        wakes.ask("shop")
        wakes.work()
    pass_by(wakes, 30)
    assert [(t - start).total_seconds() for _, t in wakes.write.times] == [0, 5]
    wakes.ask("shop")
    wakes.work()
    assert (wakes.write.times[-1][1] - start).total_seconds() == 30


@pytest.mark.exhaustive
def test_five_thousand_pushes_wake_a_source_a_handful_of_times_and_the_last_is_seen():
    service, dice = Service(), random.Random(1)
    body, clock, seen = payload("github_push"), service.stage.clock, []
    headers = github(body)

    async def burst():
        for number in range(5000):
            assert await service.deliver("github", body, headers) == 202
            clock.sleep(dice.random() * 0.008)
            if number % 20 == 0:
                service.wakes.work()
                seen.append(asked(service))
        return clock.now()

    last = asyncio.run(burst())
    pass_by(service.wakes, 10)
    assert 2 <= len(set(seen)) <= 6
    assert asked(service) >= last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert service.stage.cluster.writes["replace", "PolicySource"] <= 7


def asked(service):
    return service.stage.cluster.get(SOURCE, "policies", OWN)["metadata"]["annotations"][REQUESTED_AT]


def test_whatever_was_pushed_last_is_rolled_out_long_before_the_next_poll():
    stage = Stage()
    wakes = Wakes(lambda name: _look(stage, name), stage.clock, 5.0)
    controller = Controller(stage.context(), "one", Instruments(), poll_seconds=3600)
    for _ in range(5):
        stage.clock.sleep(3)
        controller.tick(Inline())
    for mark in "def":
        stage.repository.push(mark, files(DENY))
        wakes.ask("shop")
        wakes.work()
        stage.clock.sleep(0.1)
    for _ in range(10):
        stage.clock.sleep(3)
        wakes.work()
        controller.tick(Inline())
    assert stage.shop().status.current_revision == "f" * 40


def test_a_replayed_delivery_costs_a_look_and_rolls_nothing_out():
    service = Service()
    stage, body = service.stage, payload("github_push")
    rounds = Rounds(stage)
    before = rounds.go()
    for _ in range(3):
        assert service.post("github", body, github(body)).status == "accepted"
        assert rounds.go() == before


def _look(stage, name):
    from orchestrator.operations.poll import look

    look(stage.context(), name)


@pytest.mark.parametrize("error", [Unreachable("no answer"), Conflict("changed")])
def test_what_cannot_be_written_is_written_later(wakes, error):
    wakes.write.failing = error
    wakes.ask("shop")
    pass_by(wakes, 60)
    assert wakes.write.times == []
    wakes.write.failing = None
    pass_by(wakes, 6)
    assert len(wakes.write.times) == 1


def test_a_wall_clock_that_is_set_back_delays_no_push(wakes):
    wakes.ask("shop")
    pass_by(wakes, 1)
    wakes.ask("shop")
    wakes.clock.set(-3600)
    pass_by(wakes, 6)
    assert len(wakes.write.times) == 2


def test_it_is_tried_for_minutes_and_then_left_to_polling(wakes):
    wakes.write.failing = Unreachable("no answer")
    wakes.ask("shop")
    pass_by(wakes, 605, step=5)
    wakes.write.failing = None
    pass_by(wakes, 20)
    assert wakes.write.times == []
    wakes.ask("shop")
    wakes.work()
    assert len(wakes.write.times) == 1


@pytest.mark.parametrize("error", [NotFound("gone"), Forbidden("no right")])
def test_what_no_patience_helps_is_forgotten(wakes, error):
    wakes.write.failing = error
    wakes.ask("shop")
    wakes.work()
    wakes.write.failing = None
    pass_by(wakes, 20)
    assert wakes.write.times == []


def test_one_source_does_not_hold_up_another(wakes):
    wakes.ask("a")
    wakes.work()
    wakes.ask("a")
    wakes.ask("b")
    wakes.work()
    assert [source for source, _ in wakes.write.times] == ["a", "b"]


def test_so_many_sources_wait_and_no_more(wakes, monkeypatch):
    monkeypatch.setattr("orchestrator.server.webhooks.wake.MOST_WAITING", 2)
    for name in ("a", "b", "a"):
        wakes.ask(name)
    with pytest.raises(RetryLater):
        wakes.ask("c")


def test_what_waits_is_written_when_the_process_stops(wakes):
    with wakes:
        wakes.ask("a")
        wakes.ask("b")
    wakes.ask("a")
    wakes.flush()
    assert sorted({source for source, _ in wakes.write.times}) == ["a", "b"]
    assert [source for source, _ in wakes.write.times].count("a") == 2


def test_stopping_is_bounded_while_nothing_answers(wakes):
    def slow(source):
        wakes.clock.sleep(5)
        raise Unreachable("no answer")

    wakes.write = slow
    for number in range(100):
        wakes.ask(str(number))
    start = wakes.clock.now()
    wakes.flush()
    assert (wakes.clock.now() - start).total_seconds() <= 10
