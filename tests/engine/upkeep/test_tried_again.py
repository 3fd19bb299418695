"""Where the current revision was rolled back nothing tries it again by itself, whoever asks; what is elsewhere goes on."""

import pytest
from drifting import FIRST, Drifting
from stage import OWN, begun

from orchestrator.context import POLICY, ROLLOUT
from orchestrator.errors import Refused
from orchestrator.operations.start import find_source, start
from orchestrator.planning.newcomers import refused
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import Rollout, load

SECOND = f"{FIRST}-2"


def begin(rounds):
    """What `netpol-canary run` does."""
    ctx = rounds.stage.context()
    return start(ctx, find_source(ctx, "shop"))


def rolled_back_in_a_new_namespace():
    rounds = Drifting()
    rounds.stage.prober.good = False
    rounds.stage.namespace("fresh")
    rounds.go(12)
    assert rounds.rollouts()[SECOND] == "RolledBack"
    rounds.stage.prober.good = True
    return rounds


def test_a_run_by_hand_or_by_ci_says_where_it_was_rolled_back_and_what_helps():
    rounds = rolled_back_in_a_new_namespace()
    with pytest.raises(
        Refused, match=rf"is in force, but not in fresh: rolled back by {SECOND}; a new revision, or"
    ):
        begin(rounds)
    assert set(rounds.rollouts()) == {FIRST, SECOND}
    rounds.stage.remove(ROLLOUT, SECOND)
    assert begin(rounds).rollout == SECOND
    rounds.go(12)
    assert len(rounds.stage.cluster.list(POLICY, "fresh")) == 2


def test_what_differs_elsewhere_is_brought_back_and_the_namespace_stays_a_refused_one():
    rounds = rolled_back_in_a_new_namespace()
    rounds.edit("web")
    name = begin(rounds).rollout
    found: Rollout = load(rounds.stage.cluster.get(ROLLOUT, name, OWN))
    assert [n.name for wave in found.spec.waves for n in wave.namespaces] == ["web"]
    assert found.spec.selected == ["cart", "pay", "web"]  # so that `fresh` is reached once it may be
    rounds.go(12)
    assert rounds.rollouts()[name] == "Succeeded" and rounds.stage.cluster.list(POLICY, "fresh") == []
    assert "not in fresh: rolled back by" in rounds.condition().message


def test_what_refuses_is_kept_beyond_the_history_limit():
    rounds = rolled_back_in_a_new_namespace()
    rounds.set(revisionHistoryLimit=1, drift="repair")
    for _ in range(3):
        rounds.edit("web")
        rounds.go(12)
    assert rounds.rollouts()[SECOND] == "RolledBack"
    assert rounds.stage.cluster.list(POLICY, "fresh") == []


def test_an_attempt_before_the_one_that_verified_it_refuses_nothing():
    stage, rounds = begun(good=False)
    assert rounds.go() == {FIRST: "RolledBack"}
    stage.prober.good = True
    held = stage.shop()
    stage.cluster.replace_status(held.with_status(held.status.model_copy(update={"blocked_revision": ""})))
    assert rounds.go()[SECOND] == "Succeeded"
    found = [load(o) for o in stage.cluster.list(ROLLOUT, OWN)]
    assert refused(stage.shop(), found) == frozenset()


def lost(rounds, name):
    """The rollout says that it was rolled back since nobody worked on it any more."""
    found: Rollout = load(rounds.stage.cluster.get(ROLLOUT, name, OWN))
    kept = [t for t in found.status.transitions if t.phase != "RollingBack"]
    turned = m.Transition(
        time=rounds.stage.clock.now(), actor="guard", phase="RollingBack", reason="EngineLost"
    )
    status = found.status.model_copy(update={"transitions": [*kept[:-1], turned, kept[-1]]})
    rounds.stage.cluster.replace_status(found.with_status(status))


def test_a_lost_engine_says_nothing_of_the_revision_but_two_do():
    rounds = rolled_back_in_a_new_namespace()
    lost(rounds, SECOND)
    rounds.stage.prober.good = False
    rounds.go(12)
    third = f"{FIRST}-3"
    assert rounds.rollouts()[third] == "RolledBack"
    lost(rounds, third)
    rounds.go(12)
    assert set(rounds.rollouts()) == {FIRST, SECOND, third}
    assert f"rolled back by {third}" in rounds.condition().message
