"""lint finds policies of one order or priority that disagree, where it matters to a connection which comes first."""

import pytest
from cni_policies import calico, cilium, tier
from linted import linted, rules, said
from written import pod, policy, written

PODS = pod("shop/web") + pod("shop/db")
FROM_WEB = "{action: Allow, source: {selector: app == 'web'}}"
DENY = "{action: Deny}"


def of_calico(name, rule, order="order: 5, ", more="selector: app == 'db'"):
    return calico(f"shop/{name}", f"{{{order}{more}, ingress: [{rule}]}}")


def admin(name, rule, priority=5, subject="{namespaces: {}}"):
    spec = f"{{priority: {priority}, subject: {subject}, ingress: [{rule}]}}"
    return written("AdminNetworkPolicy", name, spec)


ALLOW_WEB = "{action: Allow, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}]}"
DENY_ALL = "{action: Deny, from: [{namespaces: {}}]}"


@pytest.mark.parametrize(
    ("order", "said_of_it"), [("order: 5, ", "that of both is 5"), ("", "both have none")]
)
def test_calico_policies_of_one_order_that_disagree_are_found_once(order, said_of_it):
    texts = PODS, of_calico("a", FROM_WEB, order), of_calico("b", DENY, order)
    assert rules(*texts) == ["NPC032"]
    (found,) = linted("NPC032", *texts)
    assert found.subject == "Calico NetworkPolicy shop/a"
    text = "spec.order does not say whether it or Calico NetworkPolicy shop/b comes first in the tier default"
    assert found.message == f"{text} ({said_of_it}), and they disagree on shop/web to shop/db"


@pytest.mark.parametrize(
    "other",
    [
        of_calico("b", DENY, "order: 6, "),
        of_calico("b", "{action: Allow}"),
        of_calico("b", DENY, more="selector: app == 'web'"),
        of_calico("b", "{action: Deny, source: {selector: app == 'db'}}"),
        of_calico("b", "{action: Log}"),
        of_calico("b", "{action: Deny, source: {nets: [198.51.100.0/24]}}"),
    ],
)
def test_those_that_agree_or_mean_other_connections_are_right(other):
    assert rules(PODS, of_calico("a", FROM_WEB), other) == []


def test_what_is_decided_before_them_is_no_tie():
    tied = of_calico("a", FROM_WEB) + of_calico("b", DENY)
    assert said("NPC032", PODS, tied, of_calico("c", DENY, "order: 1, ")) == []
    first = tier("first", "{order: 1}")
    assert said("NPC032", PODS, tied, first, of_calico("first.c", "{action: Allow}", "tier: first, ")) == []
    assert said("NPC032", PODS, tied, first, of_calico("first.c", "{action: Pass}", "tier: first, ")) != []


def test_ports_decide_and_a_networkpolicy_has_the_order_1000():
    one = "{action: Deny, protocol: TCP, destination: {ports: ['80:90']}}"
    own = policy("shop/np", "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 85}]}]}")
    (found,) = linted("NPC032", PODS, own, of_calico("b", one, "order: 1000, "))
    assert found.subject == "Calico NetworkPolicy shop/b" and "NetworkPolicy shop/np comes" in found.message
    assert found.message.endswith("(TCP 85)")
    assert said("NPC032", PODS, own, of_calico("b", one, "order: 999, ")) == []


def test_cluster_wide_policies_of_one_priority_that_disagree_are_found():
    texts = PODS, admin("a", ALLOW_WEB), admin("b", DENY_ALL)
    assert rules(*texts) == ["NPC039"]
    (found,) = linted("NPC039", *texts)
    assert found.subject == "AdminNetworkPolicy/a"
    assert (
        found.message
        == "spec.priority is that of AdminNetworkPolicy/b, too, and they disagree on shop/web to shop/db"
    )


@pytest.mark.parametrize(
    "other",
    [
        admin("b", DENY_ALL, 6),
        admin("b", "{action: Allow, from: [{namespaces: {}}]}"),
        admin("b", DENY_ALL, subject="{namespaces: {matchLabels: {kubernetes.io/metadata.name: stock}}}"),
        admin("b", "{action: Pass, from: [{namespaces: {}}]}"),  # what comes after lets everything pass
        admin("b", DENY_ALL) + admin("c", "{action: Allow, from: [{namespaces: {}}]}", 1),
        admin("b", DENY_ALL) + cilium("shop/db", "{endpointSelector: {}, ingress: [{}]}"),
    ],
)
def test_cluster_wide_policies_that_agree_or_come_in_an_order_are_right(other):
    assert said("NPC039", PODS, admin("a", ALLOW_WEB), other) == []


BASELINE = written(
    "BaselineAdminNetworkPolicy", "default", f"{{subject: {{namespaces: {{}}}}, ingress: [{DENY_ALL}]}}"
)


def test_a_baseline_of_which_networkpolicies_select_every_pod_is_never_asked():
    closed = policy("shop/all", "{podSelector: {}, policyTypes: [Ingress]}")
    assert rules(PODS, closed, BASELINE) == ["NPC038"]
    (found,) = linted("NPC038", PODS, closed, BASELINE)
    assert found.subject == "BaselineAdminNetworkPolicy/default"
    assert "leave open for ingress" in found.message


@pytest.mark.parametrize(
    "spec",
    ["{podSelector: {matchLabels: {app: db}}}", "{podSelector: {}, policyTypes: [Egress], egress: [{}]}"],
)
def test_a_baseline_that_is_asked_about_one_pod_is_right(spec):
    assert said("NPC038", PODS, policy("shop/all", spec), BASELINE) == []
    assert said("NPC038", BASELINE) == []


@pytest.mark.parametrize(
    ("rule", "policies"),
    [
        (
            "NPC032",
            of_calico("a", "{action: Allow, source: {nets: [198.51.100.0/24]}}")
            + of_calico("b", "{action: Deny, source: {nets: [203.0.113.0/24]}}"),
        ),
        (
            "NPC039",
            admin("a", ALLOW_WEB)
            + admin("b", "{action: Deny, from: [{namespaces: {matchLabels: {no: body}}}]}"),
        ),
    ],
)
def test_where_there_are_too_many_connections_it_is_said_that_not_all_are_asked(monkeypatch, rule, policies):
    assert linted(rule, PODS, policies) == []
    monkeypatch.setattr("orchestrator.policy.lint.kinds.clashes.MOST_OF_PAIR", 2)
    (found,) = linted(rule, PODS, policies)
    assert found.rule.severity == "info" and found.subject.endswith("/a")
    assert "/b was asked of some connections alone: there are too many" in found.message


def test_of_pairs_that_are_told_nothing_more_is_said(monkeypatch):
    monkeypatch.setattr("orchestrator.policy.lint.kinds.clashes.MOST_OF_PAIR", 4)
    (found,) = linted("NPC032", PODS, of_calico("a", FROM_WEB), of_calico("b", DENY))
    assert found.rule.severity == "warning"
