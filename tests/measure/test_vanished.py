"""A namespace that is deleted while its change is watched says nothing any more: a person hears of it before the next wave."""

import pytest
from faulty_port import FaultyPort, instead, just_before
from stage import OWN, Rounds, Stage, work
from watched_canary import ERRORS, NAME, go

from orchestrator.context import ANALYSIS, NAMESPACE, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Forbidden
from orchestrator.operations.approve import Decision, decide
from orchestrator.ports import Sample
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

VOLUME = m.MetricSpec(name="requests", kind="volume", query="requests", min_ratio=0.5)


class Living:
    """Answers for the namespaces that there are; `bad` are those in which it goes wrong."""

    def __init__(self):
        self.stage, self.bad, self.asked = None, set(), 0

    def query(self, expression, at):
        self.asked += 1
        there = {o["metadata"]["name"] for o in self.stage.cluster.list(NAMESPACE)} - {OWN}
        return [Sample({"namespace": n}, 9.0 if n in self.bad else 0.1, at) for n in sorted(there)]


def begun(looks=1, probes=(), **strategy):
    """A rollout whose canary was written and looked at so often."""
    living = Living()
    stage = living.stage = Stage(
        metrics=living,
        analysis={"metrics": [ERRORS, VOLUME], "count": 4, "probes": list(probes)},
        **strategy,
    )
    ticks = []

    def enough():
        ticks[:] = [a.status.checks for a in states(stage)]
        return bool(ticks) and ticks[0] >= looks

    work(stage.context(), "first", stop=enough)
    return stage, living


def states(stage):
    return sorted((load(o) for o in stage.cluster.list(ANALYSIS, OWN)), key=lambda a: a.spec.wave)


def test_a_canary_that_vanishes_is_no_regression_and_no_success():
    stage, _ = begun()
    stage.remove(NAMESPACE, "cart", None)
    state = go(stage, 0)
    status = state.rollout.status
    assert (status.phase, status.paused_for, status.waves_started) == ("Paused", "inconclusive", 1)
    assert "cart: deleted while the change was watched there" in status.reason
    assert stage.names()["pay"] == stage.names()["web"] == []


def test_who_has_heard_of_it_goes_on_without_it():
    stage, _ = begun()
    stage.remove(NAMESPACE, "cart", None)
    go(stage, 0)
    Rounds(stage).ask(NAME, "resume")
    assert go(stage, 0).rollout.status.phase == "Succeeded"
    assert states(stage)[0].status.reason == "nothing is left of the wave, and a person went on"


def test_a_canary_of_the_same_name_that_is_another_one_has_vanished():
    stage, _ = begun()
    stage.remove(NAMESPACE, "cart", None)
    stage.namespace("cart")
    assert "cart: deleted while" in go(stage, 0).rollout.status.reason


def test_while_the_canary_is_gone_the_rest_goes_on_being_watched():
    living = Living()
    stage = living.stage = Stage(
        metrics=living, analysis={"metrics": [ERRORS], "count": 4, "probes": [], "watch": ["web"]}
    )
    work(stage.context(), "first", stop=lambda: any(a.status.checks for a in states(stage)))
    stage.remove(NAMESPACE, "cart", None)
    assert go(stage, 0).rollout.status.paused_for == "inconclusive"
    living.bad = {"web"}
    assert go(stage, 7).rollout.status.phase == "RolledBack"
    assert stage.names()["pay"] == stage.names()["web"] == []


def test_a_canary_that_failed_before_it_went_has_failed():
    stage, living = begun()
    living.bad = {"cart"}
    stage.metrics = living
    state = read(stage.context(), NAME)
    assert state.rollout.status.phase == "Progressing"
    Embedded(stage.context(), "next", stop=lambda: states(stage)[0].status.checks >= 2).drive(NAME)
    stage.remove(NAMESPACE, "cart", None)
    assert go(stage, 0).rollout.status.phase == "RolledBack"


def test_a_namespace_of_the_last_wave_that_vanishes_wedges_nothing():
    stage, _ = begun(looks=4)
    go_until(stage, 1)
    stage.remove(NAMESPACE, "pay", None)
    state = go(stage, 0)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason


def test_the_last_wave_is_not_promoted_by_nothing():
    stage, _ = begun(looks=4)
    go_until(stage, 1)
    stage.remove(NAMESPACE, "pay", None)
    stage.remove(NAMESPACE, "web", None)
    status = go(stage, 0).rollout.status
    assert (status.phase, status.paused_for) == ("Paused", "inconclusive")
    assert "pay, web: deleted while" in status.reason


def go_until(stage, wave):
    """To the first look at a wave."""

    def looked():
        found = states(stage)
        return len(found) > wave and found[wave].status.checks >= 1

    Embedded(stage.context(), "next", stop=looked).drive(NAME)


def test_a_canary_that_vanishes_while_the_next_wave_waits_is_told_before_that_opens():
    stage, _ = begun(gates=[m.Gate(wave=1)])
    assert go(stage, 0).rollout.status.paused_for == "approval"
    stage.remove(NAMESPACE, "cart", None)
    state = go(stage, 7)
    assert (state.rollout.status.phase, state.rollout.status.paused_for) == ("Paused", "approval")
    assert states(stage)[0].status.phase == "Inconclusive"
    approved(stage)
    state = go(stage, 0)
    assert (state.rollout.status.paused_for, state.rollout.status.waves_started) == ("inconclusive", 1)
    assert "cart: deleted while" in state.rollout.status.reason
    Rounds(stage).ask(NAME, "resume")
    state = go(stage, 0)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    assert states(stage)[0].status.reason.startswith("eve went on: cart: deleted")


def approved(stage):
    """By two people, since who wrote the change is nobody that the source knows."""
    for user in ("mia", "bob"):
        ctx = stage.context(stage.cluster.acting_as(user))
        decide(ctx, read(ctx, NAME), Decision(comment="fine"))


def test_a_neighbour_that_vanishes_is_no_regression():
    living = Living()
    stage = living.stage = Stage(
        metrics=living, analysis={"metrics": [VOLUME], "count": 3, "probes": [], "watch": ["beside"]}
    )
    stage.namespace("beside")
    meta = stage.cluster.get(NAMESPACE, "beside")
    stage.cluster.replace({**meta, "metadata": {**meta["metadata"], "labels": {}}})
    work(stage.context(), "w", stop=lambda: any(a.status.checks for a in states(stage)))
    stage.remove(NAMESPACE, "beside", None)
    state = go(stage, 0)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason


@pytest.mark.parametrize("refuse", [False, True])
def test_a_list_that_is_cut_short_or_refused_makes_nothing_vanish(refuse):
    stage, _ = begun()
    which = {"kind": "Namespace", "labels": ""}
    if refuse:
        fault = just_before(Forbidden("namespaces"), "list", **which)
    else:
        fault = instead(lambda call: call.go_on()[:1], "list", **which)
    state = Embedded(stage.context(FaultyPort(stage.cluster, fault)), "next").drive(NAME)
    assert fault.met and state.rollout.status.phase == "Succeeded", state.rollout.status.reason


def test_a_probe_into_a_vanished_namespace_accuses_nobody():
    probe = m.ProbeSpec(name="web-cart", source="web/a", destination="cart/a", port=80)
    stage, _ = begun(probes=[probe])
    stage.remove(NAMESPACE, "cart", None)
    stage.prober.turn_bad()
    status = go(stage, 0).rollout.status
    assert (status.phase, status.paused_for) == ("Paused", "inconclusive")
    assert "cart: deleted while" in status.reason
