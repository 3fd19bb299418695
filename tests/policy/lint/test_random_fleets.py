"""On random fleets lint ends in findings that a naive evaluator agrees with."""

import naive_calico
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_calico import Made
from random_cilium import worlds
from random_kubernetes import policies
from told_fleets import PLAIN, calico, cilium, kubernetes

from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.lint.linter import lint

pytestmark = pytest.mark.exhaustive
UNDER = st.tuples(policies, st.just("generic"), st.booleans())


@settings(max_examples=10)
@given(world=worlds)
def test_policies_of_cilium_are_looked_through(world):
    told = cilium(world)
    assert all(found.where.startswith("all.yaml:") for found in lint(told.fleet))


@settings(max_examples=25)
@given(seed=st.integers(0, 100_000))
def test_what_is_said_to_select_no_workload_selects_none(seed):
    made = Made(seed)
    told = calico(made)
    asked = naive_calico.Asked(made.fleet, PLAIN)
    for found in lint(told.fleet):
        assert found.where.startswith("all.yaml:")
        if found.rule.id == "NPC031" and found.message.startswith("spec."):
            pods = [pod for pod in made.pods if not pod.host_network]
            ways = (
                (tier, side, pod) for tier in _tiers(made) for side in ("Ingress", "Egress") for pod in pods
            )
            selecting = {bare(title(p)) for way in ways for p in asked.in_tier(*way)}
            assert found.subject not in selecting or made.twice(), found


def _tiers(made):
    return ["default", *(tier["metadata"]["name"] for tier in made.fleet.tiers)]


@settings(max_examples=60)
@given(drawn=UNDER)
def test_a_baseline_that_is_said_to_be_never_asked_decides_nothing(drawn):
    told = kubernetes(drawn)
    for found in lint(told.fleet):
        if found.rule.id == "NPC038":
            given_policies, cni, known = drawn
            without = kubernetes(([p for p in given_policies if title(p) != found.subject], cni, known))
            for src, dst in told.pairs():
                assert told.ports(src, dst) == without.ports(src, dst), found
