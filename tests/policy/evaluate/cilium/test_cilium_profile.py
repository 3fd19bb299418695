"""What the `cilium` profile makes of NetworkPolicies and cluster-wide policies, where that differs from the API's own text."""

import json
from copy import deepcopy
from pathlib import Path

import conformance
import pytest

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.objects.directions import EGRESS, Direction
from orchestrator.policy.objects.selector import matches

CASES = Path(__file__).parents[5] / "shared" / "conformance" / "cases"
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the shared conformance cases are not beside this clone"
)
CILIUM = profile("cilium")
AS_1_20 = CiliumAgent(quirks="1.20")
NOT_ASKED = {"self-traffic": True, "ipblock-vs-pod-ip": False, "baseline-direction": False}


@pytest.fixture(scope="module")
def cases():
    return [json.loads(path.read_text()) for path in sorted(CASES.glob("*.json"))]


def differing(case, settled=CILIUM, agent=None):
    """Queries of a case that the engine answers otherwise than all engines of the corpus do."""
    network, pods = conformance.network_of(case, settled, agent), conformance.pods_of(case)
    for query in case["queries"]:
        src, dst = (pods.get(query[end], query[end]) for end in ("src", "dst"))
        given = network.decide(src, dst, query["protocol"], query["port"]).allowed
        expected = query["allowed"]
        if expected is None:
            expected = NOT_ASKED.get(query["reason"], given)
        if given is not expected:
            yield query


def without_left_out(case):
    """The case without the rules that policyTypes leave out."""
    found = deepcopy(case)
    for policy in found["policies"]:
        for side in Direction:
            if not side.in_force(policy):
                policy["spec"].pop(side.part, None)
    return found


def test_network_policies_mean_what_they_mean_elsewhere_and_blocks_match_no_pod(cases):
    alone = [c for c in cases if not c.get("clusterPolicies")]
    assert sum(len(c["queries"]) for c in alone) == 14_483
    assert [q for c in alone for q in differing(c)] == []


@pytest.mark.exhaustive
def test_the_engine_of_1_20_enforces_what_policy_types_leave_out_and_differs_in_nothing_else(cases):
    found = {c["name"]: len(list(differing(c, agent=AS_1_20))) for c in cases if not c.get("clusterPolicies")}
    other = {name: number for name, number in found.items() if number}
    assert (len(other), sum(other.values())) == (9, 132)
    for case in cases:
        if case["name"] in other:
            assert list(differing(without_left_out(case), agent=AS_1_20)) == []


@pytest.mark.exhaustive
def test_networks_of_cluster_wide_policies_match_pods_only_where_the_agent_is_told_so(cases):
    tiered = [c for c in cases if c.get("clusterPolicies")]
    told = CiliumAgent(blocks_match=frozenset(("pods", "nodes")))
    assert sum(len(list(differing(c))) for c in tiered) == 49
    assert [q for c in tiered for q in differing(c, agent=told) if q["allowed"] is not None] == []


def test_the_engine_of_1_20_asks_baseline_before_it_denies_and_takes_what_is_negated_for_all(cases):
    told = CiliumAgent(blocks_match=frozenset(("pods", "nodes")), quirks="1.20")
    found = {c["name"]: list(differing(c, agent=told)) for c in cases if c.get("clusterPolicies")}
    names = {name for name, queries in found.items() if queries}
    assert names == {"cnp-baseline-overridden-deny", "cnpfleet-07", "cnpfleet-11"}


def test_egress_to_the_own_node_is_enforced_and_no_block_matches_a_node(cases):
    """Of all pods and the nodes they run on: a closed pod reaches a node by a rule for everybody alone."""
    asked = closed = 0
    for case in cases:
        if case.get("clusterPolicies"):
            continue
        network = conformance.network_of(case, CILIUM)
        for pod in conformance.pods_of(case).values():
            if not pod.node_ip or pod.host_network:
                continue
            mine = [
                p
                for p in case["policies"]
                if p["metadata"]["namespace"] == pod.namespace
                and EGRESS.in_force(p)
                and matches(p["spec"].get("podSelector"), pod.labels)
            ]
            everybody = [r for p in mine for r in EGRESS.rules(p) if not r.get("to")]
            open_ = not mine or any(not r.get("ports") for r in everybody)
            if not everybody or open_:
                asked, closed = asked + 1, closed + (not open_)
                assert network.allowed(pod, pod.node_ip, "TCP", 7) is open_, (case["name"], pod.name)
            assert network.allowed(pod.node_ip, pod, "TCP", 7), (case["name"], pod.name)
    assert asked > 1000 and closed > 300
