"""Namespaces that were changed stay watched while the next wave waits for people."""

from contextlib import suppress

import pytest
from faulty_port import WRITES, FaultyPort, just_after
from stage import OWN, Inline, Rounds, work
from watched_canary import NAME, Gauge, go, go_bad, seen, watched

from orchestrator.context import ANALYSIS, read
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.worker import Embedded
from orchestrator.ports import Sample
from orchestrator.record.build import view
from orchestrator.rollout.resources import model as m


def waiting(**analysis):
    given = {"interval_seconds": 5, **analysis}
    stage, gauge, before = watched(strategy={"gates": [m.Gate(wave=1)]}, **given)
    assert work(stage.context(), "first").rollout.status.paused_for == "approval"
    return stage, gauge, before


def test_good_looks_are_noted_and_promote_nothing():
    stage, _, _ = waiting()
    promoted = seen(stage)
    for looks in (1, 2, 3):
        state = go(stage)
        assert (state.rollout.status.phase, state.rollout.status.wave) == ("Paused", 1)
        assert (seen(stage).watch.checks, seen(stage).watch.phase) == (looks, "Successful")
    assert (seen(stage).phase, seen(stage).reason) == ("Successful", promoted.reason)
    assert [t.reason for t in state.rollout.status.transitions][-1] == "ApprovalRequired"


@pytest.mark.parametrize("cause", ["metric", "probe"])
def test_a_look_that_fails_puts_everything_back(cause):
    stage, gauge, before = waiting()
    go(stage)
    go_bad(stage, gauge, cause)
    state = go(stage, 120)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    moved = [t for t in state.rollout.status.transitions if t.reason == "Regression"]
    assert len(moved) == 1 and ("errors" if cause == "metric" else "web-pay") in moved[0].message
    assert state.rollout.status.restored_seconds is not None


def test_an_unclear_look_is_shown_and_neither_promotes_nor_rolls_back():
    stage, gauge, _ = waiting(error_limit=0)
    gauge.value = None
    state = go(stage)
    assert state.rollout.status.phase == "Paused" and seen(stage).phase == "Successful"
    assert seen(stage).watch.phase == "Error" and "nobody answers" in seen(stage).watch.reason
    gauge.value = 0.0
    assert go(stage).rollout.status.phase == "Paused"


def test_looks_that_were_missed_are_not_made_up_for():
    stage, gauge, _ = waiting()
    del gauge.asked[:]
    go(stage, 3600)
    late = {at for at in gauge.asked if (stage.clock.now() - at).total_seconds() <= 5}
    assert seen(stage).watch.checks == 1 and late


def test_what_is_kept_of_a_long_wait_is_bounded():
    stage, _, _ = waiting()
    first = len(seen(stage).measurements)
    for _ in range(30):
        go(stage)
    assert seen(stage).watch.checks == 30
    assert len(seen(stage).measurements) <= first + 20 * 3
    assert len(read(stage.context(), NAME).rollout.status.transitions) < 10


def test_between_two_looks_nothing_is_done():
    stage, _, _ = waiting()
    go(stage)
    writes = {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"}
    Embedded(stage.context(), "next").drive(NAME)
    assert {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"} == writes


def rounds(stage, controller, number):
    """Of three seconds each."""
    for _ in range(number):
        stage.clock.sleep(3)
        controller.tick(Inline())


def test_the_controller_looks_when_it_is_due_and_is_idle_between():
    stage, gauge, before = waiting(interval_seconds=30)
    controller = Controller(stage.context(), "one", Instruments(), poll_seconds=30)
    rounds(stage, controller, 40)
    assert seen(stage).watch.checks == 4
    gauge.value = 0.9
    rounds(stage, controller, 11)
    assert stage.standing() == before
    assert stage.cluster.list(ANALYSIS, OWN)[0]["status"]["phase"] == "Failed"


def test_a_regression_while_a_person_has_stopped_the_wave_puts_everything_back():
    stage, gauge, before = watched(count=4)
    looked = []
    work(stage.context(), "first", stop=lambda: len(gauge.asked) > 4 and not looked.append(1))
    Rounds(stage).ask(NAME, "pause")
    assert go(stage, 1).rollout.status.paused_for == "user"
    for _ in range(6):
        state = go(stage)
        assert (state.rollout.status.phase, state.rollout.status.wave) == ("Paused", 0)
    assert seen(stage).phase == "Successful" and seen(stage).watch.checks > 0
    gauge.value = 0.9
    assert go(stage, 120).rollout.status.phase == "RolledBack" and stage.standing() == before


class Half(Gauge):
    """Answers nothing that could be used once the change is there; then as it is set."""

    def __init__(self):
        super().__init__()
        self.clear = True

    def query(self, expression, at):
        found = super().query(expression, at)
        return found if self.clear else [Sample(s.labels, float("nan"), at) for s in found]


def inconclusive(**analysis):
    stage, gauge, before = watched(Half(), **{"count": 2, **analysis})
    state = work(stage.context(), "first", stop=lambda: len(gauge.asked) > 1 and unclear(gauge))
    while state.rollout.status.phase == "Progressing":
        state = Embedded(stage.context(), "first").drive(NAME)
    return stage, gauge, before, state


def unclear(gauge):
    gauge.clear = False
    return False


def test_clients_that_begin_to_fail_in_an_inconclusive_wave_are_not_left_to_a_person():
    stage, gauge, before, state = inconclusive()
    assert state.rollout.status.paused_for == "inconclusive" and stage.standing() != before
    for looks in (1, 2, 3):
        state = go(stage)
        assert (state.rollout.status.phase, seen(stage).watch.checks) == ("Paused", looks)
    gauge.clear, gauge.value = True, 0.9
    state = go(stage)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    (moved,) = [t for t in state.rollout.status.transitions if t.phase == "RollingBack"]
    assert moved.reason == "Regression" and "errors" in moved.message


def test_an_inconclusive_wave_whose_metrics_answer_again_waits_for_a_person_all_the_same():
    stage, gauge, _, _ = inconclusive()
    gauge.clear = True
    state = go(stage)
    assert (state.rollout.status.phase, seen(stage).phase) == ("Paused", "Inconclusive")
    assert seen(stage).watch.phase in ("Successful", "Running")
    Rounds(stage).ask(NAME, "resume")
    assert go(stage).rollout.status.phase == "Succeeded"


def test_what_could_not_be_asked_and_answers_again_is_shown():
    stage, gauge, _ = watched(count=2, error_limit=0)
    asked = []

    def silent():
        if len(gauge.asked) > 1 and not asked:
            asked.append(1)
            gauge.value = None
        return False

    assert work(stage.context(), "first", stop=silent).rollout.status.paused_for == "inconclusive"
    assert seen(stage).phase == "Error"
    go(stage)
    assert seen(stage).watch.phase == "Error"
    gauge.value = 0.0
    go(stage)
    assert (seen(stage).phase, seen(stage).watch.phase) == ("Error", "Running")


def test_an_inconclusive_wave_on_which_nobody_decides_is_rolled_back_in_the_end():
    stage, _, before, _ = inconclusive(inconclusive_seconds=600)
    state = go(stage, 500)
    assert state.rollout.status.phase == "Paused"
    shown = view(state, stage.clock.now())
    assert "it is rolled back at 2026-" in shown.waits_for and shown.waves[0].state == "waiting"
    assert any("since the wave's verdict" in note for note in shown.waves[0].notes)
    state = go(stage, 120)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    assert "Undecided" in [t.reason for t in state.rollout.status.transitions]
    assert stage.shop().status.blocked_revision == state.rollout.spec.revision


def test_looking_again_gives_a_person_the_whole_time_again():
    stage, _, _, _ = inconclusive(inconclusive_seconds=600)
    go(stage, 500)
    Rounds(stage).ask(NAME, "resume")
    state = go(stage)
    assert state.rollout.status.paused_for == "inconclusive" and seen(stage).watch.checks == 0
    assert go(stage, 500).rollout.status.phase == "Paused"


def test_a_source_that_does_not_wait_has_an_inconclusive_wave_rolled_back_at_once():
    stage, _, before, state = inconclusive(on_inconclusive="rollback")
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before


def test_the_controller_watches_an_inconclusive_wave_by_itself():
    stage, gauge, before, _ = inconclusive(interval_seconds=30)
    controller = Controller(stage.context(), "one", Instruments(), poll_seconds=30)
    gauge.clear, gauge.value = True, 0.9
    rounds(stage, controller, 11)
    assert stage.standing() == before


@pytest.mark.parametrize("at", range(1, 30))
def test_a_worker_that_dies_while_an_inconclusive_wave_goes_wrong_leaves_it_to_the_next(at):
    stage, gauge, before, _ = inconclusive()
    gauge.clear, gauge.value = True, 0.9
    stage.clock.sleep(7)
    died = just_after(KeyboardInterrupt, *WRITES, at=at)
    with suppress(KeyboardInterrupt):
        Embedded(stage.context(FaultyPort(stage.cluster, died)), "dies").drive(NAME)
    stage.clock.sleep(120)
    state = Embedded(stage.context(), "next").drive(NAME)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
    assert [t.reason for t in state.rollout.status.transitions].count("Regression") == 1
