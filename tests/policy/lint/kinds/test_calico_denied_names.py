"""lint finds tiers of Calico that end in deny, and let the pods that they select ask no resolver."""

import pytest
from cni_policies import calico, tier
from linted import linted, rules, said
from written import pod, policy, written

PODS = pod("shop/web") + pod("shop/db")
SECURITY = tier("security", "{order: 10}")
DNS = written("Pod", "kube-system/coredns", "{containers: [{name: c, image: dns, ports: [{containerPort: 53, protocol: UDP}]}]}", "labels: {k8s-app: kube-dns}")  # fmt: skip
WEB = "{action: Allow, protocol: TCP, destination: {ports: [443]}}"


def closing(*egress, place="security.out", more="tier: security, selector: app == 'db'"):
    return calico(place, f"{{{more}, types: [Egress], egress: [{', '.join(egress)}]}}")


@pytest.mark.parametrize("resolver", ["", DNS])
def test_a_tier_that_denies_the_rest_without_dns_is_found(resolver):
    texts = PODS, resolver, SECURITY, closing(WEB)
    assert rules(*texts) == ["NPC034"]
    (found,) = linted("NPC034", *texts)
    assert found.subject == "GlobalNetworkPolicy/security.out"
    text = "the tier security selects shop/db[Pod] for egress, and its policies let nobody there ask DNS"
    assert found.message == text


@pytest.mark.parametrize(
    "rule",
    [
        "{action: Allow, protocol: UDP, destination: {ports: [53]}}",
        "{action: Allow, protocol: 17, destination: {ports: ['50:60']}}",
        "{action: Pass}",
        "{action: Allow, protocol: UDP}",
        "{action: Allow, destination: {namespaceSelector: projectcalico.org/name == 'kube-system'}}",
        "{action: Allow, destination: {namespaceSelector: all()}}",
        "{action: Allow, notProtocol: TCP}",
        "{action: Allow, protocol: UDP, destination: {notPorts: [80]}}",
    ],
)
def test_a_tier_that_lets_dns_through_is_right(rule):
    for resolver in ("", DNS):
        assert rules(PODS, resolver, SECURITY, closing(WEB, rule)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "{action: Allow, protocol: UDP, destination: {ports: [54]}}",
        "{action: Allow, protocol: UDP, destination: {notPorts: [53]}}",
        "{action: Allow, notProtocol: UDP}",
        "{action: Allow, destination: {selector: app == 'web', namespaceSelector: all()}}",
        "{action: Log}",
    ],
)
def test_rules_of_other_ports_and_other_pods_do_not_help(rule):
    for resolver in ("", DNS):
        assert rules(PODS, resolver, SECURITY, closing(rule)) == ["NPC034"]


def test_what_may_be_the_resolver_is_right_where_none_is_known():
    for rule in (
        "{action: Allow, destination: {nets: [10.0.0.0/8]}}",
        "{action: Allow, destination: {selector: all(), namespaceSelector: projectcalico.org/name == 'dns'}}",
        "{action: Allow, protocol: UDP, destination: {ports: [dns]}}",
        "{action: Allow, destination: {services: {name: kube-dns, namespace: kube-system}}}",
    ):
        assert said("NPC034", PODS, SECURITY, closing(rule)) == []


def test_a_tier_that_passes_and_one_that_comes_later_deny_nothing_of_their_own():
    passing = tier("security", "{order: 10, defaultAction: Pass}")
    assert said("NPC034", PODS, passing, closing(WEB)) == []
    first = closing("{action: Allow}", place="first.all", more="tier: first, selector: app == 'db'")
    assert said("NPC034", PODS, SECURITY, tier("first", "{order: 1}"), first, closing(WEB)) == []
    passed = closing("{action: Pass}", place="first.all", more="tier: first, selector: app == 'db'")
    assert rules(PODS, SECURITY, tier("first", "{order: 1}"), passed, closing(WEB)) == ["NPC034"]


def test_a_rule_that_denies_dns_is_meant():
    assert said("NPC034", PODS, DNS, SECURITY, closing("{action: Deny}")) == []


def test_several_workloads_are_one_finding_and_networkpolicies_keep_their_own():
    (text,) = said("NPC034", PODS, SECURITY, closing(WEB, more="tier: security, selector: all()"))
    assert "selects shop/db[Pod] and 1 more workload for egress" in text
    out = policy("shop/out", "{podSelector: {}, policyTypes: [Egress]}")
    elsewhere = calico("shop/in", "{selector: app == 'db', ingress: [{action: Allow}]}")
    found = [f.subject for f in linted("NPC005", PODS, DNS, out, elsewhere)]
    assert found == ["NetworkPolicy shop/out"] * 2 and rules(PODS, DNS, out, elsewhere) == ["NPC005"]
    opened = calico(
        "shop/dns", "{types: [Egress], egress: [{action: Allow, protocol: UDP, destination: {ports: [53]}}]}"
    )
    for resolver in ("", DNS):
        assert rules(PODS, resolver, out, opened) == []


def test_what_a_cluster_wide_policy_denies_is_no_rest_of_a_tier():
    rule = "{action: Deny, to: [{namespaces: {}}]}"
    wide = written(
        "ClusterNetworkPolicy",
        "shut",
        f"{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: [{rule}]}}",
    )
    assert said("NPC034", PODS, DNS, SECURITY, wide, closing("{action: Pass}")) == []
