"""A rollout that is stopped at any write and started again ends all before, or all after."""

import pytest
from sampling import sampled, way
from stage import OWN, Stage, check, work

from orchestrator.context import NAMESPACE_ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.operations.approve import Decision, decide
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m


class Killed(BaseException):
    """The process is gone."""


WRITES = ("create", "replace", "replace_status", "delete", "run", "hold", "release")
EVERY = 5


class Counter:
    """Counts the calls of all ports together; the n-th kills, before or after its effect."""

    def __init__(self, at=0, after=False):
        self.at, self.after, self.calls, self.named, self.ways = at, after, 0, [], []

    def points(self):
        """What leaves something behind, and some of the readings between: to die at one or the next of them is the same."""
        return [n for n, name in enumerate(self.named, 1) if name in WRITES or n % EVERY == 0]

    def way(self, number):
        """What was called, and how the program came to it."""
        return self.named[number - 1], self.ways[number - 1]

    def around(self, port):
        return Dying(port, self)

    def call(self, real, name, *args, **kwargs):
        self.calls += 1
        self.named.append(name)
        self.ways.append(way())
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
        return lambda *args, **kwargs: self._counter.call(real, name, *args, **kwargs)


def outcome(good, at=0, after=False):
    stage, counter = Stage(good), Counter(at, after)
    before = stage.standing()
    ports = {"repository": counter.around(stage.repository), "prober": counter.around(stage.prober)}
    try:
        state = work(stage.context(counter.around(stage.cluster), **ports), "first")
    except Killed:
        state = work(stage.context(), "second")
    return stage, before, state, counter


@pytest.mark.parametrize("good", [True, False])
def test_a_rollout_ends_at_after_or_at_before(good):
    stage, before, state, counter = outcome(good)
    check(stage, before, state)
    assert counter.calls > 50 and len(counter.points()) > 40
    assert stage.cluster.list(Kind(m.API_VERSION, "WaveAnalysis"), OWN)
    assert stage.cluster.list(NAMESPACE_ROLLOUT, OWN)


@pytest.mark.parametrize("after", [True, False])
def test_stopped_at_every_write_and_started_again_it_ends_the_same(after):
    """Of a good and of a bad change; sampled, at one of the calls that one function makes in the same step."""
    counters = {good: outcome(good)[3] for good in (True, False)}
    cases = [(good, at) for good, counter in counters.items() for at in counter.points()]
    for good, at in sampled(cases, lambda case: counters[case[0]].way(case[1]), after):
        stage, before, state, _ = outcome(good, at, after)
        check(stage, before, state)


def test_a_finished_rollout_run_again_writes_nothing_but_its_lease():
    stage = Stage()
    state = work(stage.context(), "first")
    before = {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"}
    Embedded(stage.context(), "second").drive(state.rollout.name)
    assert {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"} == before


def gated(at=0, after=False, late=True):
    """A gate before the second wave, and mia's approval; or what was promoted turns out bad while it waits."""
    stage, counter = Stage(gates=[m.Gate(wave=1, approvals=1)]), Counter(at, after)
    fresh = stage.shop()
    known = [{"mail": "ann@example.com", "user": "ann"}]
    stage.cluster.replace({**fresh.manifest, "spec": {**fresh.manifest["spec"], "identities": known}})
    before, name = stage.standing(), work(stage.context(), "zero").rollout.name
    mia = stage.context(stage.cluster.acting_as("mia"))
    if late:
        stage.prober.turn_bad()
    else:
        decide(mia, read(mia, name), Decision(comment="fine"))
    stage.clock.sleep(90)
    try:
        ctx = stage.context(counter.around(stage.cluster), prober=counter.around(stage.prober))
        state = work(ctx, "first")
    except Killed:
        state = work(stage.context(), "second")
    return stage, before, state, counter


@pytest.mark.parametrize(("late", "after"), [(True, False), (False, True)])
def test_stopped_at_every_write_before_or_behind_a_gate_it_ends_the_same(late, after):
    """At each of the points; sampled, at one of the calls that one function makes in the same step."""
    counter = gated(late=late)[3]
    for at in sampled(counter.points(), counter.way, (late, after)):
        stage, before, state, _ = gated(at, after, late)
        check(stage, before, state)
        reasons = [t.reason for t in state.rollout.status.transitions]
        assert reasons.count("Approved") == (not late) and "Unvouched" not in reasons
