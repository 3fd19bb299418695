"""What a CNI does not enforce counts for nothing in any answer under its profile, and is named."""

from typing import get_args

import pytest
from cni_policies import calico, cilium
from linted import read
from written import pod, policy, written

from orchestrator.adapters.kube.cni import AUTO
from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.cni_profiles import PROFILES, covers_nodes, profile
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS
from orchestrator.rollout.resources.model import Strategy

PODS = pod("shop/web") + pod("shop/db")
DENY = "{action: Deny, from: [{namespaces: {}}]}"
SUBJECT = "subject: {namespaces: {}}"


def admin(name="wall", priority=5, rule=DENY):
    return written("AdminNetworkPolicy", name, f"{{priority: {priority}, {SUBJECT}, ingress: [{rule}]}}")


BASELINE = written("BaselineAdminNetworkPolicy", "default", f"{{{SUBJECT}, ingress: [{DENY}]}}")
CLUSTER = written(
    "ClusterNetworkPolicy", "wall", f"{{tier: Admin, priority: 5, {SUBJECT}, ingress: [{DENY}]}}"
)
NAMESPACED = cilium(
    "shop/wall", "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {no: body}}]}]}"
)
CLUSTERWIDE = cilium(
    "wall", "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {no: body}}]}]}"
)
OF_CALICO = calico("shop/wall", "{ingress: [{action: Deny}]}")
GLOBAL = calico(
    "wall", "{namespaceSelector: kubernetes.io/metadata.name == 'shop', ingress: [{action: Deny}]}"
)
WALLS = {
    "AdminNetworkPolicy": admin(),
    "BaselineAdminNetworkPolicy": BASELINE,
    "ClusterNetworkPolicy": CLUSTER,
    "CiliumNetworkPolicy": NAMESPACED,
    "CiliumClusterwideNetworkPolicy": CLUSTERWIDE,
    "Calico NetworkPolicy": OF_CALICO,
    "GlobalNetworkPolicy": GLOBAL,
}
OF_KUBERNETES = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
BY_CILIUM = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "ClusterNetworkPolicy")
ENFORCES = {
    "generic": tuple(WALLS),
    "calico": ("Calico NetworkPolicy", "GlobalNetworkPolicy", "ClusterNetworkPolicy", *OF_KUBERNETES),
    "cilium": BY_CILIUM,
    "cilium:1.20": BY_CILIUM,
    "kube-router": (),
    "ovn-kubernetes": OF_KUBERNETES,
    "antrea": ("ClusterNetworkPolicy", *OF_KUBERNETES),
    "eks-vpc-cni": (),
    "gke-dataplane-v2": BY_CILIUM,
    "azure-npm": (),
    "azure-cilium": BY_CILIUM,
}


def reaches(fleet, cni):
    web, db = (fleet.find(f"shop/{name}")[0].pod for name in ("web", "db"))
    return fleet.network(profile(cni)).allowed(web, db, "TCP", 80)


def config(*options):
    data = ", ".join(f'{option}: "{value}"' for option, value in options)
    return written("ConfigMap", "kube-system/cilium-config", data=f"{{{data}}}")


@pytest.mark.parametrize("cni", PROFILES)
@pytest.mark.parametrize("kind", WALLS)
def test_each_profile_counts_the_kinds_that_its_cni_enforces_and_names_each_other(cni, kind):
    found = read(PODS, WALLS[kind]).under(cni)
    enforced = kind in ENFORCES[cni]
    assert reaches(found, cni) is not enforced
    told = [what for what in found.skipped if f"{PROFILES[cni].said} does not enforce it" in what]
    assert bool(told) is not enforced and all(what.endswith(("wall", "default")) for what in told)
    assert [f.rule.id for f in lint(found)].count("NPC040") == (not enforced)


def test_every_kind_that_is_evaluated_is_in_this_test_and_every_profile_may_be_chosen_in_a_source():
    assert len(WALLS) == len(POLICY_KINDS)
    assert {*get_args(Strategy.model_fields["cni"].annotation)} == {AUTO, *PROFILES}


@pytest.mark.parametrize(
    ("cni", "kind", "why"),
    [
        ("antrea", "AdminNetworkPolicy", "its feature gate AdminNetworkPolicy"),
        ("antrea", "ClusterNetworkPolicy", "its feature gate ClusterNetworkPolicy"),
        ("gke-dataplane-v2", "CiliumNetworkPolicy", "what Google's documentation does not say"),
        ("gke-dataplane-v2", "CiliumClusterwideNetworkPolicy", "the cluster's option"),
        ("azure-cilium", "ClusterNetworkPolicy", "what Microsoft's documentation does not say"),
        ("cilium", "ClusterNetworkPolicy", "its agent's enable-k8s-cluster-network-policy"),
        ("calico", "AdminNetworkPolicy", "its version: up to 3.31 alone"),
    ],
)
def test_what_counts_though_it_is_not_sure_to_be_enforced_is_said(cni, kind, why):
    (told,) = read(PODS, WALLS[kind]).under(cni).skipped
    assert told.startswith(f"whether {PROFILES[cni].said} enforces ") and why in told


def test_another_profile_starts_from_all_that_was_read():
    """Nothing is lost on the way from one to another."""
    found = read(PODS, *WALLS.values())
    assert {p["kind"] for p, _ in found.unenforced} == {
        *OF_KUBERNETES,
        "NetworkPolicy",
        "GlobalNetworkPolicy",
    }
    back = found.under("kube-router").under("calico").under("generic")
    assert [[p["kind"] for p in f.further] for f in (found, back)] == [[*BY_CILIUM[2:], *BY_CILIUM[:2]]] * 2
    assert back.skipped == found.skipped and len(found.under("calico").unenforced) == 2


def test_admin_policies_of_a_priority_that_ovn_kubernetes_does_not_know_are_not_enforced():
    found = read(PODS, admin("low", 100), admin("lower", 1000)).under("ovn-kubernetes")
    assert reaches(found, "ovn-kubernetes")
    api = "policy.networking.k8s.io/v1alpha1"
    assert found.skipped == (
        f"2 AdminNetworkPolicy ({api}): OVN-Kubernetes enforces none with a priority above 99: low, lower",
    )
    last = read(PODS, admin("last", 99)).under("ovn-kubernetes")
    assert not reaches(last, "ovn-kubernetes") and last.skipped == ()


def test_lint_asks_for_a_priority_for_each_where_ovn_kubernetes_is_the_cni():
    texts = PODS, admin("a"), admin("b"), admin("c", 6), admin("d", 1000), admin("e", 1000)

    def said(cni):
        return [(f.subject, f.message) for f in lint(read(*texts).under(cni)) if f.rule.id == "NPC039"]

    text = "spec.priority is that of AdminNetworkPolicy/a, too: OVN-Kubernetes wants one for each, and does not say which comes first"
    assert said("ovn-kubernetes") == [("AdminNetworkPolicy/b", text)]
    assert said("generic") == said("antrea") == []


@pytest.mark.parametrize(
    ("option", "text", "kind"),
    [
        ("enable-k8s-networkpolicy", policy("shop/wall", "{podSelector: {}}"), "NetworkPolicy"),
        ("enable-cilium-network-policy", NAMESPACED, "CiliumNetworkPolicy"),
        ("enable-cilium-clusterwide-network-policy", CLUSTERWIDE, "CiliumClusterwideNetworkPolicy"),
        ("enable-k8s-cluster-network-policy", CLUSTER, "ClusterNetworkPolicy"),
    ],
)
def test_kinds_that_cilium_s_agent_is_told_to_leave_alone_are_not_enforced(option, text, kind):
    off, on = (read(PODS, text, config((option, value))).under("cilium") for value in ("false", "true"))
    assert reaches(off, "cilium") and not reaches(on, "cilium")
    assert on.skipped == () and not on.unenforced
    (told,) = off.skipped
    assert told.startswith(f"1 {kind} (") and told.endswith(
        f"unless its options say so ({option}): {told.rpartition(': ')[2]}"
    )
    assert told.rpartition(": ")[2] in ("wall", "shop/wall")
    alone = read(PODS, text, config((option, "false")))
    assert bool(alone.unenforced) is kind.startswith("Cilium")  # nothing else says that it is Cilium


@pytest.mark.parametrize("option", [("enable-policy", "never"), ("policy-audit-mode", "true")])
def test_where_the_agent_only_looks_on_nothing_is_denied_and_that_is_said(option):
    found = read(PODS, policy("shop/wall", "{podSelector: {}}"), config(option)).under("cilium")
    assert reaches(found, "cilium")
    assert found.skipped == (
        "any connection that policies deny: Cilium's agent enforces none, by its option enable-policy or policy-audit-mode",
    )


def test_what_the_agent_of_cilium_says_is_no_answer_of_another_cni():
    found = read(
        PODS, CLUSTER, config(("enable-k8s-cluster-network-policy", "true"), ("policy-audit-mode", "true"))
    )
    (told,) = found.under("antrea").skipped
    assert "its feature gate ClusterNetworkPolicy" in told and not reaches(found.under("antrea"), "antrea")


def test_labels_that_the_agent_chooses_itself_are_said():
    found = read(PODS, config(("labels", "k8s:app"))).under("cilium")
    (told,) = found.skipped
    assert told.startswith("which labels of pods selectors see: ") and "k8s:app" in told
    assert read(PODS, config(("labels", ""))).under("cilium").skipped == ()


LEFT_OUT = policy("shop/db", "{podSelector: {}, policyTypes: [Egress], egress: [{}], ingress: [{from: [{podSelector: {}}], ports: [{port: 1}]}]}")  # fmt: skip


def test_the_bugs_of_a_version_decide_where_the_profile_names_it():
    found = read(PODS, LEFT_OUT)
    assert reaches(found.under("cilium"), "cilium") and not reaches(found.under("cilium:1.20"), "cilium:1.20")


@pytest.mark.parametrize(
    ("cni", "covered"),
    [("ovn-kubernetes", True), ("azure-npm", True), ("antrea", None), ("eks-vpc-cni", None)],
)
def test_blocks_cover_pods_where_the_documentation_says_so_and_else_it_depends(cni, covered):
    rule = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    pods = "".join(
        written(
            "Pod", f"shop/{name}", "{containers: []}", status=f"{{podIP: 10.0.0.{at}, hostIP: 192.0.2.1}}"
        )
        for at, name in enumerate(("web", "db"), 1)
    )
    found = read(pods, policy("shop/all", rule)).under(cni)
    web, db = (found.find(f"shop/{name}")[0].pod for name in ("web", "db"))
    assert found.network(profile(cni)).decide(web, db, "TCP", 80).allowed is covered
    assert covers_nodes(cni) is covered


def test_policies_of_the_clouds_own_apis_are_named():
    texts = (
        written("ClusterNetworkPolicy", "wall", "{}", version="networking.k8s.aws/v1alpha1"),
        written("PolicyEndpoint", "shop/wall", "{}", version="networking.k8s.aws/v1alpha1"),
        written("FQDNNetworkPolicy", "shop/wall", "{}", version="networking.gke.io/v1alpha3"),
    )
    named = [what.partition(" (")[0] for what in read(PODS, *texts).skipped]
    assert named == ["1 ClusterNetworkPolicy", "1 FQDNNetworkPolicy"]


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match=r"cilium:1\.19 is not known"):
        profile("cilium:1.19")
