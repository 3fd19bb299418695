"""lint finds Calico's selectors that mean nothing of what is known, and none of which that cannot be known."""

import pytest
from cni_policies import CALICO, calico
from linted import linted, rules, said
from written import pod, written

PODS = pod("shop/web") + pod("shop/db")
FROM_WEB = "ingress: [{action: Allow, source: {selector: app == 'web'}}]"
OWN = "selector: app == 'db'"


def own(selector, rules_=FROM_WEB):
    return calico("shop/db", f"{{{selector}, {rules_}}}")


def source(text, where="shop/db"):
    return calico(where, f"{{{OWN}, ingress: [{{action: Allow, source: {{{text}}}}}]}}")


def test_a_policy_that_selects_nobody_is_found_with_the_likely_label():
    texts = PODS, own("selector: app == 'bd'")
    assert rules(*texts) == ["NPC031"]
    (found,) = linted("NPC031", *texts)
    assert found.message == "spec.selector matches no workload" and found.fix == "did you mean app: db?"
    assert found.subject == "Calico NetworkPolicy shop/db" and found.where == "all.yaml:12"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("selector: app == 'wbe'", "selector"),
        ("selector: \"app in {'wbe'} || has(ap)\"", "selector"),
        ("selector: app == 'web' && app == 'db'", "selector"),
        (
            "namespaceSelector: kubernetes.io/metadata.name == 'shpo', selector: app == 'web'",
            "namespaceSelector",
        ),
        ("serviceAccounts: {selector: projectcalico.org/name == 'x'}", "serviceAccounts.selector"),
    ],
)
def test_a_rule_that_means_nobody_is_found_at_its_selector(text, field):
    texts = PODS, source(text)
    assert rules(*texts) == ["NPC031"]
    assert said("NPC031", *texts) == [f"ingress[0].source.{field} matches nothing that is known here"]


@pytest.mark.parametrize(
    "text",
    [
        "selector: app == 'web'",
        "selector: all()",
        "selector: app != 'web'",
        "notSelector: app == 'wbe'",
        "nets: [198.51.100.0/24]",
        "namespaceSelector: all()",
        "namespaceSelector: global()",
        "selector: k8s-app == 'kube-dns', namespaceSelector: projectcalico.org/name == 'kube-system'",
        "selector: projectcalico.org/namespace == 'shop'",
        "selector: projectcalico.org/serviceaccount == 'default'",
        "namespaceSelector: team == 'a'",  # the Namespace is not among the manifests
        "selector: pcns.team == 'a'",
        "serviceAccounts: {names: [web]}",
    ],
)
def test_what_means_somebody_or_cannot_be_known_is_right(text):
    assert rules(PODS, source(text)) == []


def test_a_set_of_networks_is_somebody():
    text = source("selector: partner == 'x'")
    nets = "{nets: [198.51.100.0/24]}"
    assert said("NPC031", PODS, text) != []
    assert (
        said("NPC031", PODS, text, written("NetworkSet", "shop/x", nets, "labels: {partner: x}", CALICO))
        == []
    )
    everywhere = written("GlobalNetworkSet", "x", nets, "labels: {partner: x}", CALICO)
    assert said("NPC031", PODS, text, everywhere) != []  # a namespaced policy does not see that
    assert said("NPC031", PODS, source("selector: partner == 'x'", "db"), everywhere) == []


def test_labels_of_namespaces_decide_where_all_of_them_are_known():
    team = source("namespaceSelector: team == 'a'")
    space = written("Namespace", "shop", about="labels: {team: b}")
    assert said("NPC031", PODS, team, space) == [
        "ingress[0].source.namespaceSelector matches nothing that is known here"
    ]


@pytest.mark.parametrize("selector", ["has(node-role.kubernetes.io/control-plane)", "quarantine == 'true'"])
def test_a_policy_for_all_may_mean_hosts_unless_its_label_is_spelt_like_that_of_a_pod(selector):
    assert rules(PODS, calico("db", f"{{selector: {selector}, {FROM_WEB}}}")) == []
    near = calico("db", f"{{selector: app == 'bd', {FROM_WEB}}}")
    assert rules(PODS, near) == ["NPC031"]
    spaces = f"{{selector: {selector}, namespaceSelector: projectcalico.org/name == 'shop', {FROM_WEB}}}"
    assert rules(PODS, calico("db", spaces)) == ["NPC031"]  # hosts are in no namespace


def test_nothing_is_said_of_namespaces_and_workloads_that_are_not_known():
    assert rules(own("selector: app == 'bd'")) == []
    assert rules(PODS, calico("stock/db", f"{{selector: app == 'bd', {FROM_WEB}}}")) == []


@pytest.mark.parametrize(
    "more", ["doNotTrack: true, applyOnForward: true", "preDNAT: true, applyOnForward: true"]
)
def test_a_policy_of_hosts_alone_is_about_no_pod(more):
    assert rules(PODS, calico("db", f"{{selector: app == 'bd', {more}, {FROM_WEB}}}")) == []
