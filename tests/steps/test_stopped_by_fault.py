"""A wave that a fault of our own has stopped after it was written is watched as every other paused one is."""

from contextlib import suppress

import pytest
from faulty_port import FaultyPort, just_before
from stage import Rounds, work
from watched_canary import NAME, go, go_bad, seen, watched

from orchestrator.context import read
from orchestrator.steps import by_action

CAUSES = ("metric", "probe")


def stopped(monkeypatch, verb, **analysis):
    """The canary was written, and then the step that comes next breaks for good."""
    stage, gauge, before = watched(**{"interval_seconds": 5, **analysis})
    right = by_action.STEPS[verb]

    def broken(ctx, state, action):
        raise KeyError("what nobody foresaw")

    monkeypatch.setitem(by_action.STEPS, verb, broken)
    with suppress(KeyError):  # while it is paused the look is tried again
        work(stage.context(), "first")
    assert read(stage.context(), NAME).rollout.status.paused_for == "error" and stage.standing() != before
    monkeypatch.setitem(by_action.STEPS, verb, right)
    return stage, gauge, before


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("verb", ["analyze", "promote"])
def test_a_regression_puts_everything_back_though_nobody_resumes(monkeypatch, verb, cause):
    stage, gauge, before = stopped(monkeypatch, verb)
    for _ in range(6):
        assert go(stage).rollout.status.phase == "Paused"
    go_bad(stage, gauge, cause)
    state = go(stage, 120)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    assert "Regression" in [t.reason for t in state.rollout.status.transitions]


def test_the_controller_watches_it_by_itself(monkeypatch):
    stage, gauge, before = stopped(monkeypatch, "promote")
    rounds = Rounds(stage)
    assert rounds.go(4) == {NAME: "Paused"} and seen(stage).watch.checks >= 3
    gauge.value = 0.9
    assert rounds.go(2) == {NAME: "RolledBack"} and stage.standing() == before


def half_written():
    """Of a wave of two namespaces one was written; at the other the API client breaks in a way that nobody foresaw."""
    stage, gauge, before = watched(strategy={"max_parallel": 1}, interval_seconds=5)
    stage.strategy = stage.strategy.model_copy(update={"canary": ["cart", "pay"]})
    stage.cluster._objects.pop(next(k for k in stage.cluster._objects if k[0].kind == "PolicySource"))
    stage.source("shop")
    broken = just_before(
        KeyError("what nobody foresaw"), "create", kind="NetworkPolicy", namespace="pay", dry_run=False
    )
    state = work(stage.context(FaultyPort(stage.cluster, broken)), "first")
    assert state.rollout.status.paused_for == "error"
    phases = {n.spec.namespace: n.status.phase for n in state.namespaces.values()}
    assert phases == {"cart": "Applied", "pay": "Pending", "web": "Pending"}
    return stage, gauge, before


def test_what_was_written_of_a_wave_is_watched_where_the_rest_could_not_be():
    stage, gauge, before = half_written()
    for looks in (1, 2, 3):
        state = go(stage)
        assert (state.rollout.status.phase, seen(stage).watch.checks) == ("Paused", looks)
    assert (seen(stage).checks, seen(stage).measurements) == (0, [])
    gauge.value = 0.9
    state = go(stage)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    assert "errors" in next(t.message for t in state.rollout.status.transitions if t.reason == "Regression")


def test_a_wave_that_was_half_written_is_judged_by_its_own_looks_once_a_person_goes_on():
    stage, _, _ = half_written()
    for _ in range(5):
        go(stage)
    Rounds(stage).ask(NAME, "resume")
    state = go(stage)
    assert state.rollout.status.phase == "Succeeded"
    assert seen(stage).checks == stage.strategy.analysis.count


def test_a_half_written_wave_is_not_looked_at_more_often_than_another():
    stage, gauge, _ = half_written()
    go(stage)
    asked = len(gauge.asked)
    for _ in range(4):
        go(stage, 1)
    assert len(gauge.asked) == asked
    assert read(stage.context(), NAME).rollout.status.phase == "Paused"
