"""A rollout that is stopped at any call of a port and started again ends all before, or all after."""

import pytest
from stage import OWN, Stage, check, work

from orchestrator.engine.embedded import Embedded
from orchestrator.ports import Kind
from orchestrator.rollout import model as m
from orchestrator.steps.context import NAMESPACE_ROLLOUT


class Killed(BaseException):
    """The process is gone."""


class Counter:
    """Counts the calls of all ports together; the n-th kills, before or after its effect."""

    def __init__(self, at=0, after=False):
        self.at, self.after, self.calls = at, after, 0

    def around(self, port):
        return Dying(port, self)

    def call(self, real, *args, **kwargs):
        self.calls += 1
        mine = self.calls == self.at
        if mine and not self.after:
            raise Killed
        result = real(*args, **kwargs)
        if mine:
            raise Killed
        return result


class Dying:
    """A port whose calls go through a Counter."""

    def __init__(self, port, counter):
        self._port, self._counter = port, counter

    def __getattr__(self, name):
        real = getattr(self._port, name)
        if not callable(real):
            return real
        return lambda *args, **kwargs: self._counter.call(real, *args, **kwargs)


def outcome(good, at=0, after=False):
    stage, counter = Stage(good), Counter(at, after)
    before = stage.standing()
    ports = {"repository": counter.around(stage.repository), "prober": counter.around(stage.prober)}
    try:
        state = work(stage.context(counter.around(stage.cluster), **ports), "first")
    except Killed:
        state = work(stage.context(), "second")
    return stage, before, state, counter.calls


@pytest.mark.parametrize("good", [True, False])
def test_a_rollout_ends_at_after_or_at_before(good):
    stage, before, state, calls = outcome(good)
    check(stage, before, state)
    assert calls > 50
    assert stage.cluster.list(Kind(m.API_VERSION, "WaveAnalysis"), OWN)
    assert stage.cluster.list(NAMESPACE_ROLLOUT, OWN)


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_stopped_at_every_call_and_started_again_it_ends_the_same(good, after):
    calls = outcome(good)[3]
    for at in range(1, calls + 1):
        stage, before, state, _ = outcome(good, at, after)
        check(stage, before, state)


def test_a_finished_rollout_run_again_writes_nothing_but_its_lease():
    stage = Stage()
    state = work(stage.context(), "first")
    before = {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"}
    Embedded(stage.context(), "second").drive(state.rollout.name)
    assert {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"} == before
