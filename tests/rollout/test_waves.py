"""Waves: the canary first, then the steps, stable and explained."""

import pytest

from orchestrator.errors import BadInput
from orchestrator.rollout.order.waves import arrange
from orchestrator.rollout.resources.model import Label, Strategy, WaveStep
from orchestrator.rollout.resources.places import CLUSTER

SHOP = {name: {"tier": "back" if name in ("db", "pay") else "front"} for name in ("cart", "db", "pay", "web")}


def names(waves):
    return [list(w.namespaces) for w in waves]


def test_without_a_strategy_the_first_by_name_is_the_canary_and_the_rest_follow():
    assert names(arrange(SHOP, Strategy())) == [["cart"], ["db", "pay", "web"]]


def test_a_named_canary_comes_first_and_steps_take_counts_and_percentages():
    strategy = Strategy(canary=["web"], steps=[WaveStep(count=1), WaveStep(percent=75)])
    assert names(arrange(SHOP, strategy)) == [["web"], ["cart"], ["db"], ["pay"]]


def test_labels_choose_the_canary_and_a_step():
    back = [Label(key="tier", value="back")]
    strategy = Strategy(
        canary_match_labels=back, steps=[WaveStep(match_labels=[Label(key="tier", value="front")])]
    )
    assert names(arrange(SHOP, strategy)) == [["db", "pay"], ["cart", "web"]]


def test_nothing_changed_makes_no_wave():
    assert arrange({}, Strategy(canary=["web"])) == []


def test_a_canary_that_does_not_exist_is_bad_input():
    with pytest.raises(BadInput, match="canary namespace nope"):
        arrange(SHOP, Strategy(canary=["nope"]), known=frozenset(SHOP))


def test_a_step_takes_exactly_one_rule():
    with pytest.raises(BadInput, match="exactly one"):
        arrange(SHOP, Strategy(steps=[WaveStep(count=1, percent=10)]))


def test_every_changed_namespace_is_in_exactly_one_wave():
    strategy = Strategy(canary=["pay"], steps=[WaveStep(percent=50), WaveStep(percent=50)])
    flat = [n for wave in names(arrange(SHOP, strategy)) for n in wave]
    assert sorted(flat) == sorted(SHOP)


def test_what_is_for_the_whole_cluster_comes_last_by_itself_and_counts_in_no_step():
    strategy = Strategy(canary=["web"], steps=[WaveStep(percent=50)])
    found = arrange({**SHOP, CLUSTER: {}}, strategy, known=frozenset(SHOP))
    assert names(found) == [["web"], ["cart"], ["db", "pay"], [CLUSTER]]
    assert found[-1].why == "cluster-wide, at once"
    assert names(arrange({CLUSTER: {}}, strategy, known=frozenset(SHOP))) == [[CLUSTER]]
