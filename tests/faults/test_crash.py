"""A rollout that is stopped at any write and started again ends all before, or all after."""

import pytest
from faulty_port import WRITES, FaultyPort, Killed, kills
from sampling import sampled
from stage import OWN, Stage, check, work

from orchestrator.context import NAMESPACE_ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.operations.approve import Decision, decide
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m

LEAVE_SOMETHING = (*WRITES, "run", "hold", "release")
EVERY = 5


def points(death):
    """What leaves something behind, and some of the readings between: to die at one or the next of them is the same."""
    return [n for n, call in enumerate(death.seen, 1) if call.verb in LEAVE_SOMETHING or n % EVERY == 0]


def outcome(good, at=0, after=False):
    stage, death = Stage(good), kills(at, after)
    before = stage.standing()
    ports = {name: FaultyPort(getattr(stage, name), death) for name in ("cluster", "repository", "prober")}
    try:
        state = work(stage.context(**ports), "first")
    except Killed:
        state = work(stage.context(), "second")
    assert len(death.seen) >= at
    return stage, before, state, death


@pytest.mark.parametrize("good", [True, False])
def test_a_rollout_ends_at_after_or_at_before(good):
    stage, before, state, death = outcome(good)
    check(stage, before, state)
    assert len(death.seen) > 50 and len(points(death)) > 40
    assert stage.cluster.list(Kind(m.API_VERSION, "WaveAnalysis"), OWN)
    assert stage.cluster.list(NAMESPACE_ROLLOUT, OWN)


@pytest.mark.exhaustive
@pytest.mark.parametrize("after", [True, False])
def test_stopped_at_every_write_and_started_again_it_ends_the_same(after):
    """Of a good and of a bad change; sampled, at one of the calls that one function makes in the same step."""
    deaths = {good: outcome(good)[3] for good in (True, False)}
    cases = [(good, at) for good, death in deaths.items() for at in points(death)]
    for good, at in sampled(cases, lambda case: deaths[case[0]].way(case[1]), after):
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
    stage, death = Stage(gates=[m.Gate(wave=1, approvals=1)]), kills(at, after)
    stage.change(identities=[{"email": "ann@example.com", "user": "ann"}])
    before, name = stage.standing(), work(stage.context(), "zero").rollout.name
    mia = stage.context(stage.cluster.acting_as("mia"))
    if late:
        stage.prober.turn_bad()
    else:
        decide(mia, read(mia, name), Decision(comment="fine"))
    stage.clock.sleep(90)
    try:
        ctx = stage.context(FaultyPort(stage.cluster, death), prober=FaultyPort(stage.prober, death))
        state = work(ctx, "first")
    except Killed:
        state = work(stage.context(), "second")
    return stage, before, state, death


@pytest.mark.exhaustive
@pytest.mark.parametrize(("late", "after"), [(True, False), (False, True)])
def test_stopped_at_every_write_before_or_behind_a_gate_it_ends_the_same(late, after):
    """At each of the points; sampled, at one of the calls that one function makes in the same step."""
    death = gated(late=late)[3]
    for at in sampled(points(death), death.way, (late, after)):
        stage, before, state, _ = gated(at, after, late)
        check(stage, before, state)
        reasons = [t.reason for t in state.rollout.status.transitions]
        assert reasons.count("Approved") == (not late) and "ApprovalsUnproven" not in reasons
