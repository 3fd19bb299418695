"""On random fleets the evaluator answers as the text does, read by the letter: naive_calico.py."""

import naive_calico as naive
import pytest
from narrowing import left_out, told_apart
from random_calico import CLIENT, V3, Made

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.schemas.calico_schema import calico_problems, missing_tier


def differences(seed):
    """What is answered in another way than the text says, of the fleet that a number makes."""
    made = Made(seed)
    if made.twice() or not made.fleet.policies:
        return []
    network = made.network()
    sent = any(
        "ports" in r["source"]
        for p in made.fleet.policies
        for s in ("ingress", "egress")
        for r in p["spec"].get(s, ())
    )
    found = []
    for src, dst, protocol, port in made.questions():
        mask = (
            port_sets.icmp(protocol, *port)
            if protocol.startswith("ICMP")
            else port_sets.span(protocol, port, port)
        )
        given = network.judge(src, dst, mask).allowed
        wanted = naive.answer(made.fleet, src, dst, protocol, port, CLIENT if sent else CLIENT[:1])
        # Of the client's port more combinations are tried than one port can make.
        if given is not wanted and not (sent and given is None):
            found.append((seed, src, dst, protocol, port, f"answered {given}, by the text {wanted}"))
    return found


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(60))
def test_random_fleets_are_answered_as_the_text_says(seed):
    assert differences(seed) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_left_out_and_no_address_taken_for_another(seed):
    made = Made(seed)
    net, outside = made.network(), [*made.known["outside"], made.known["node"]]
    assert left_out(net, made.pods) == []
    assert told_apart(net, made.pods, [*outside, *(p.ip for p in made.pods)], {made.known["node"]}) == []


@pytest.mark.parametrize("seed", range(20))
def test_policies_of_kubernetes_alone_mean_what_they_mean_without_calicos(seed):
    made = Made(seed)
    policies = [made.kubernetes(number) for number in range(6)]
    staged = {"apiVersion": V3, "kind": "StagedGlobalNetworkPolicy", "metadata": {"name": "s"}, "spec": {}}
    calico = Network(made.fleet.namespaces, policies, further=[staged])
    settled = {**profile("calico"), "node_address_hidden": False}
    plain = Network(made.fleet.namespaces, policies, settled=settled)
    for src, dst, *_ in made.questions():
        if not any(isinstance(end, Pod) and end.host_network for end in (src, dst)):  # all are on one node
            same = calico.over_ports(src, dst, port_sets.ANY) == plain.over_ports(src, dst, port_sets.ANY)
            assert same, (src, dst)


def test_random_fleets_are_ones_that_calico_takes():
    for seed in range(60):
        made = Made(seed)
        tiers = {tier["metadata"]["name"] for tier in made.fleet.tiers}
        for obj in made.objects():
            assert [*calico_problems(obj), *missing_tier(obj, tiers)] == [], (seed, obj)
