"""A rule that is said to cover another one opens every connection that the other one opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_policies import ADDRESSES, PODS, PORTS, SPACES, peers, policy, ports

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.lint.network_policies.covering import covers
from orchestrator.policy.objects.directions import INGRESS

lone_rules = st.fixed_dictionaries(
    {}, optional={"from": st.lists(peers, max_size=2), "ports": st.lists(ports, max_size=2)}
)


def opened(rule):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}
    net = Network(SPACES, [policy("p", spec)])
    ends = [*PODS, *ADDRESSES]
    return {
        (str(src), dst.name, port)
        for src in ends
        for dst in PODS[:2]
        for port in [*PORTS, 8080]
        if src is not dst and net.allowed(src, dst, "TCP", port)
    }


@given(lone_rules, lone_rules)
def test_what_covers_opens_as_much_on_random_rules(outer, inner):
    if covers(outer, inner, INGRESS):
        assert opened(inner) <= opened(outer)


def of_pods(key, operator, *values):
    entry = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"from": [{"podSelector": {"matchExpressions": [entry]}}]}


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({}, {"from": [{"podSelector": {}}], "ports": [{"port": 80}]}),
        ({"ports": [{"port": 80, "endPort": 90}]}, {"ports": [{"port": 85}, {"port": 80, "endPort": 82}]}),
        ({"ports": [{"protocol": "UDP"}]}, {"ports": [{"protocol": "UDP", "port": "dns"}]}),
        ({"from": [{"namespaceSelector": {}}]}, {"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}),
        (of_pods("app", "Exists"), {"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}),
        (of_pods("app", "In", "a", "b"), of_pods("app", "In", "a")),
        (of_pods("app", "NotIn", "c"), of_pods("app", "In", "a")),
        (of_pods("app", "NotIn", "c"), of_pods("app", "DoesNotExist")),
        (of_pods("app", "NotIn", "c"), of_pods("app", "NotIn", "c", "d")),
    ],
)
def test_what_is_wider_in_words_covers_and_not_the_other_way_round(outer, inner):
    assert covers(outer, inner, INGRESS) and not covers(inner, outer, INGRESS)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "UDP"}]}),
        ({"ports": [{"port": "http"}]}, {"ports": [{"port": 80}]}),
        ({"from": [{"podSelector": {}}]}, {"from": [{"podSelector": {}, "namespaceSelector": {}}]}),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}, {"from": [{"ipBlock": {"cidr": "10.1.2.0/24"}}]}),
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, {"from": [{"ipBlock": {"cidr": "::/0"}}]}),
    ],
)  # fmt: skip
def test_what_is_left_open_elsewhere_does_not_cover(outer, inner):
    assert not covers(outer, inner, INGRESS)
