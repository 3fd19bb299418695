"""Waves wait for windows, freezes and room, and go on by themselves; the way back waits for nothing."""

from datetime import timedelta

import pytest
from stage import OWN, POLICY, Rounds, Stage, begun, files, policy, work

from orchestrator.context import FREEZE, ROLLOUT, read
from orchestrator.engine.capacity import Limits
from orchestrator.engine.worker import Embedded
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.sandbox.clock import SimulatedClock

NAME = "shop-cccccccccc"
NINE = m.Window(schedule="0 9 * * *", duration_seconds=3600)


def freeze(stage, name="stop", **spec):
    stage.cluster.create(new("RolloutFreeze", name, OWN, m.RolloutFreezeSpec(reason="INC-42", **spec)))


def status(stage, name=NAME):
    return load(stage.cluster.get(ROLLOUT, name, OWN)).status


def until(stage, hour):
    """Let time pass until shortly before this hour of some day."""
    now = stage.clock.now()
    due = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    due += timedelta(days=1) if due <= now else timedelta()
    stage.clock.sleep((due - now).total_seconds() - 90)


def test_a_rollout_waits_for_its_window_without_a_worker_and_goes_on_when_it_opens():
    stage, rounds = begun(windows=[NINE])
    until(stage, 12)
    assert rounds.go() == {NAME: "Paused"}
    found = status(stage)
    assert found.paused_for == "window" and "09:00 UTC" in found.reason and found.waves_started == 0
    assert {c.type: c.status for c in found.conditions if c.type != "Succeeded"} == {
        "Reconciling": "True",
        "Stalled": "False",
    }
    writes = dict(stage.cluster.writes)
    rounds.go(5)
    assert dict(stage.cluster.writes) == writes
    until(stage, 9)
    assert rounds.go(1) == {NAME: "Paused"}
    assert rounds.go(2) == {NAME: "Succeeded"}


def test_a_freeze_in_mid_rollout_lets_the_wave_finish_and_holds_the_next():
    stage = Stage()
    reached = []

    def stop():
        state = stage.cluster.list(ROLLOUT, OWN)
        reached.append(bool(state) and load(state[0]).status.waves_started == 1)
        return reached[-1]

    work(stage.context(), "first", stop=stop)
    freeze(stage, sources=["shop"])
    rounds = Rounds(stage)
    assert rounds.go() == {NAME: "Paused"}
    found = status(stage)
    assert (found.wave, found.waves_started) == (1, 1) and "INC-42" in found.reason
    assert sorted(stage.names()["cart"]) == ["allow", "deny"] and stage.names()["web"] == []
    stage.remove(FREEZE, "stop")
    assert rounds.go() == {NAME: "Succeeded"}


@pytest.mark.parametrize("way", ["regression", "abort", "rollback"])
def test_while_everything_is_stopped_what_must_come_back_comes_back(way):
    stage = Stage(good=way != "regression", gates=[] if way == "rollback" else [m.Gate(wave=1)])
    before, rounds = stage.standing(), Rounds(stage)
    if way == "regression":
        calls = []
        work(stage.context(), "first", stop=lambda: len(calls) > 5 or calls.append(1))
        assert status(stage).waves_started == 1
        freeze(stage)
    else:
        rounds.go()
        freeze(stage)
        rounds.ask(NAME, way)
    assert rounds.go() == {NAME: "RolledBack"}
    assert stage.standing() == before


def test_a_newer_revision_takes_the_place_of_one_that_waits_for_its_window():
    stage, rounds = begun(windows=[NINE])
    until(stage, 12)
    rounds.go()
    stage.repository.push("d", files(policy("deny", {"podSelector": {}})))
    assert rounds.go(4) == {NAME: "RolledBack", "shop-dddddddddd": "Paused"}
    until(stage, 9)
    assert rounds.go()["shop-dddddddddd"] == "Succeeded"


def test_one_run_in_the_foreground_ends_where_the_window_is_closed():
    stage = Stage()
    freeze(stage)
    state = work(stage.context(), "run")
    assert (state.rollout.status.phase, state.rollout.status.paused_for) == ("Paused", "window")
    stage.remove(FREEZE, "stop")
    assert Embedded(stage.context(), "run").drive(NAME).rollout.status.phase == "Succeeded"


def crowded(**limits):
    """Three sources, of one namespace each besides the shop's three, and a controller with limits."""
    stage = Stage()
    for name in ("more", "most"):
        meta = {"name": name, "labels": {"team": name}}
        stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        spec = {"namespaces": m.NamespaceScope(names=[name]), "strategy": m.Strategy(gates=[m.Gate(wave=9)])}
        stage.source(name, **spec)
    rounds = Rounds(stage)
    for field, value in limits.items():
        setattr(rounds.controller.ctx.capacity, field, value)
    return stage, rounds


def test_what_finds_no_room_is_queued_says_for_what_and_goes_on_in_its_turn():
    stage, rounds = crowded(most_rollouts=1)
    work(stage.context(), "first", stop=lambda: bool(opened(stage)))
    hold(rounds, NAME)
    rounds.go(2)
    assert status(stage, "more-cccccccccc").paused_for == "limit"
    assert "at most 1 rollout at once, now shop-cccccccccc" in status(stage, "more-cccccccccc").reason
    assert "1 in the queue before it, the first is more-cccccccccc" in status(stage, "most-cccccccccc").reason
    assert stage.cluster.list(POLICY, "more") == stage.cluster.list(POLICY, "most") == []
    rounds.controller._work.clear()
    assert set(rounds.go(6).values()) == {"Succeeded"}


def opened(stage):
    return [r for o in stage.cluster.list(ROLLOUT, OWN) if (r := load(o)).status.waves_started]


def hold(rounds, name):
    """As if a worker were busy with it."""

    class Busy:
        def done(self):
            return False

    rounds.controller._work[name] = Busy()


def test_namespaces_count_and_a_wave_that_is_too_large_goes_alone():
    stage, _ = crowded()
    work(stage.context(), "first", stop=lambda: bool(opened(stage)))
    waiting = load(
        new(
            "PolicyRollout",
            "other",
            OWN,
            m.PolicyRolloutSpec(
                source="other",
                revision="r",
                strategy=m.Strategy(),
                plan_digest="d",
                waves=[
                    m.Wave(namespaces=[m.WaveNamespace(name=f"n{i}", before="", after="") for i in range(9)])
                ],
            ),
        )
    )
    assert Limits(stage.cluster, OWN, 16, 10).lacking(waiting) == ""
    said = "at most 9 namespaces at once, 1 is taken by shop-cccccccccc, this wave has 9"
    assert said in Limits(stage.cluster, OWN, 16, 9).lacking(waiting)
    work(stage.context(), "first")
    assert Limits(stage.cluster, OWN, 16, 5).lacking(waiting) == ""


def test_a_wave_that_nobody_looked_at_for_too_long_is_put_back_with_its_reason():
    stage = Stage(progress_deadline_seconds=300)
    before = stage.standing()
    work(stage.context(), "first", stop=lambda: any(n.status.applied_at for n in applied(stage)))
    stage.clock.sleep(400)
    state = work(stage.context(), "second")
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    assert "no progress for 300 s" in state.rollout.status.reason
    assert "ProgressDeadlineExceeded" in [t.reason for t in state.rollout.status.transitions]
    assert stage.shop().status.blocked_revision == "c" * 40


def test_a_wave_that_was_written_by_somebody_with_a_clock_far_behind_is_not_put_back_for_it():
    stage = Stage(progress_deadline_seconds=300)
    api = stage.cluster._clock = SimulatedClock(stage.clock.now())
    stage.clock.set(-600)
    work(stage.context(), "first", stop=lambda: any(n.status.applied_at for n in applied(stage)))
    stage.clock.set(600)
    state = work(stage.context(), "second")
    assert api.now() <= stage.clock.now()
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason


def applied(stage):
    found = stage.cluster.list(ROLLOUT, OWN)
    return read(stage.context(), NAME).namespaces.values() if found else []


def test_a_freeze_that_cannot_be_read_freezes_and_wedges_nothing():
    stage = Stage()
    freeze(stage)
    fresh = stage.cluster.get(FREEZE, "stop", OWN)
    stage.cluster.strict = False
    stage.cluster.replace({**fresh, "spec": {**fresh["spec"], "ofTomorrow": True}})
    rounds = Rounds(stage)
    assert rounds.go() == {NAME: "Paused"}
    assert "RolloutFreeze stop): it cannot be read" in status(stage).reason
    rounds.ask(NAME, "abort")
    assert rounds.go() == {NAME: "RolledBack"}
