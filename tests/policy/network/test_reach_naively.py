"""On random fleets `reach` and `changes` say of every pair and port what a naive evaluator does: no short cut leaves any out."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_calico import Made
from random_cilium import PODS, worlds
from random_kubernetes import policies
from sampling import FULL
from told_fleets import calico, calico_change, cilium, cilium_change, kubernetes, kubernetes_change
from whole_fleet import Rows, stands

from orchestrator.policy.files.doubles import is_copy
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import reach
from orchestrator.policy.objects import port_sets

SO_MANY = 60 if FULL else 10
pytestmark = pytest.mark.exhaustive
SEEDS = st.integers(0, 100_000)
UNDER = st.tuples(policies, st.sampled_from(["generic", "calico", "kube-router"]), st.booleans())
FLEETS = {
    "kubernetes": UNDER.map(kubernetes),
    "cilium": worlds.map(cilium),
    "calico": SEEDS.map(Made).map(calico),
}
OTHERS = st.sampled_from([None, {"app": "web"}, {"app": "db", "canary": ""}])
CHANGES = {
    "kubernetes": st.tuples(UNDER, UNDER, st.integers(0, 4)).map(kubernetes_change),
    "cilium": st.tuples(worlds, worlds, st.integers(0, 4), st.sampled_from(["", "", *PODS]), OTHERS).map(
        cilium_change
    ),
    "calico": SEEDS.map(calico_change),
}


@pytest.mark.parametrize("cni", FLEETS)
@settings(max_examples=SO_MANY)
@given(data=st.data())
def test_every_connection_is_listed_as_the_naive_evaluator_has_it(cni, data):
    told = data.draw(FLEETS[cni])
    rows, every = Rows(reach(told.fleet, told.settled, replicas=True)), told.every_asked
    for src, dst in told.pairs():
        row = rows.of(src, dst)
        found = row.ports & every if row else port_sets.NONE
        assert port_sets.text(found) == port_sets.text(told.ports(src, dst)), (src, dst)


@pytest.mark.parametrize("cni", FLEETS)
@settings(max_examples=SO_MANY)
@given(data=st.data())
def test_every_answer_has_reasons_that_are_there(cni, data):
    told = data.draw(FLEETS[cni])
    net, pods = told.fleet.network(told.settled), told.pods
    ends = data.draw(st.lists(st.sampled_from(told.pairs()), min_size=1, max_size=12, unique=True))
    port = data.draw(st.sampled_from(told.asked))
    for src, dst in ends:
        found = net.decide(pods.get(src, src), pods.get(dst, dst), *port)
        assert found.allowed in (None, told.allowed(src, dst, *port)), (src, dst)
        assert found.allowed is None or all(why.allowed for why in found.why) is found.allowed
        assert all(why.rules for why in found.why)
        assert all(stands(told.fleet, rule) for why in found.why for rule in why.rules), found.why


@pytest.mark.parametrize("cni", FLEETS)
@settings(max_examples=SO_MANY)
@given(data=st.data())
def test_nothing_differs_from_itself_in_whatever_order_its_policies_stand(cni, data):
    told = data.draw(FLEETS[cni])
    assert changes(told.fleet, told.fleet, told.settled) == []
    policies, further = told.fleet.policies, told.fleet.further
    if not any(map(is_copy, (*policies, *further))):  # of two with one name the order decides
        turned = replace(told.fleet, policies=policies[::-1], further=further[::-1])
        assert changes(told.fleet, turned, told.settled) == []


@pytest.mark.parametrize("cni", CHANGES)
@settings(max_examples=SO_MANY)
@given(data=st.data())
def test_what_differs_is_what_the_naive_evaluator_answers_otherwise(cni, data):
    old, new = data.draw(CHANGES[cni])
    by_rules_alone = _beside(old.fleet) == _beside(new.fleet)
    rows, every = Rows(changes(old.fleet, new.fleet, old.settled, replicas=True)), old.every_asked
    for src, dst in dict.fromkeys([*old.pairs(), *new.pairs()]):
        row, before, after = rows.of(src, dst), old.ports(src, dst), new.ports(src, dst)
        found = (row.before & every, row.after & every) if row else (before, before)
        assert [*map(port_sets.text, found)] == [*map(port_sets.text, (before, after))], (src, dst)
        assert row is None or row.because or not by_rules_alone, (src, dst)


def _beside(fleet):
    """What decides connections beside the policies."""
    return fleet.workloads, fleet.namespaces, fleet.referred
