"""On random fleets of NetworkPolicies and cluster-wide policies the evaluator answers as the texts read, "depends" among it."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_kubernetes import World, answer
from random_kubernetes import NAMESPACES, NODES, OUTSIDE, PODS, policies
from sampling import FULL
from told_fleets import WORDS, kubernetes_fleet
from whole_fleet import stands

from orchestrator.policy.evaluate.cni_profiles import profile

pytestmark = pytest.mark.exhaustive
ASKED = [("TCP", 80), ("TCP", 85), ("TCP", 443), ("UDP", 53), ("UDP", 80), ("SCTP", 80)]


@settings(max_examples=150 if FULL else 10)
@given(
    found=policies,
    cni=st.sampled_from(["generic", "calico", "kube-router"]),
    known=st.booleans(),
    asked=st.sampled_from(ASKED),
)
def test_every_answer_is_the_one_of_the_texts(found, cni, known, asked):
    fleet, settled = kubernetes_fleet(found, known), profile(cni)
    world = World(NAMESPACES, found, NODES if known else None)
    chosen = {WORDS.get(name, name): value for name, value in settled.items()}
    net = fleet.network(settled)
    pods = {(w.pod.namespace, w.pod.name): w.pod for w in fleet.workloads}
    for src, dst in product([*PODS, *OUTSIDE, *NODES], repeat=2):
        if isinstance(src, str) and isinstance(dst, str):
            continue
        ends = [e if isinstance(e, str) else pods[e.namespace, e.name] for e in (src, dst)]
        given_answer = net.decide(*ends, *asked)
        assert given_answer.allowed is answer(world, src, dst, *asked, chosen), ends
        assert (given_answer.allowed is None) is bool(given_answer.depends)
        for why in given_answer.why:
            assert why.rules and all(stands(fleet, rule) for rule in why.rules), why
