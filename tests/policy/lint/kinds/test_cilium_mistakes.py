"""lint finds what Cilium takes otherwise than it was meant, and nothing in policies that are as they should be."""

import pytest
from cni_policies import cilium
from linted import linted, rules, said
from written import pod, policy, written

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

PODS = pod("shop/web") + pod("shop/db")
SERVICE = written("Service", "shop/web", "{selector: {app: web}, ports: [{port: 80}]}")
DB = "endpointSelector: {matchLabels: {app: db}}"
PORTS = 'toPorts: [{ports: [{port: "80"}]}]'


def to_services(entry, more=PORTS, name="egress"):
    return cilium("shop/db", f"{{{DB}, {name}: [{{toServices: [{entry}], {more}}}]}}")


def test_services_that_are_not_there_open_their_ports_to_everybody():
    texts = PODS, SERVICE, to_services("{k8sService: {serviceName: wbe, namespace: shop}}")
    assert rules(*texts) == ["NPC035"]
    (found,) = linted("NPC035", *texts)
    assert found.subject == "CiliumNetworkPolicy shop/db" and found.fix == "did you mean the Service web?"
    assert (
        found.message == "spec.egress[0].toServices means no Service: its ports are open to every destination"
    )
    assert found.where == "all.yaml:17"


@pytest.mark.parametrize(
    ("entry", "more"),
    [
        ("{k8sService: {serviceName: web, namespace: shop}}", PORTS),
        ("{k8sService: {serviceName: web}}", PORTS),
        ("{k8sServiceSelector: {selector: {matchExpressions: [{key: x, operator: DoesNotExist}]}}}", PORTS),
        ("{k8sService: {serviceName: wbe, namespace: shop}}", ""),  # without ports it opens nothing
        ("{k8sService: {serviceName: wbe, namespace: shop}}", "toPorts: [{}]"),
        ("{k8sService: {serviceName: wbe}}, {k8sService: {serviceName: web}}", PORTS),
        ("{k8sService: {serviceName: kubernetes, namespace: default}}", PORTS),  # of that nothing is known
        ("{k8sService: {serviceName: kube-dns}}", PORTS),
    ],
)
def test_services_that_are_there_or_elsewhere_are_right(entry, more):
    assert rules(PODS, SERVICE, to_services(entry, more)) == []


def test_services_are_asked_for_where_any_is_known_and_in_denials_too():
    wrong = "{k8sService: {serviceName: wbe, namespace: shop}}"
    assert rules(PODS, to_services(wrong)) == []
    (text,) = said("NPC035", PODS, SERVICE, to_services(wrong, name="egressDeny"))
    assert text.endswith(
        "egressDeny[0].toServices means no Service: its ports are closed to every destination"
    )
    several = written("CiliumNetworkPolicy", "shop/db", version="cilium.io/v2", specs=f"[{{{DB}, ingress: [{{}}]}}, {{{DB}, egress: [{{toServices: [{wrong}], {PORTS}}}]}}]")  # fmt: skip
    (text,) = said("NPC035", PODS, SERVICE, several)
    assert text.startswith("specs[1].egress[0].toServices means no Service")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("{egress: true}", "egress"),
        ("{ingress: true, egress: true}", "egress"),
        ("{egress: true}, egress: []", "egress"),
    ],
)
def test_a_default_deny_without_a_rule_is_none(told, field):
    texts = PODS, cilium("shop/db", f"{{{DB}, ingress: [{{}}], enableDefaultDeny: {told}}}")
    assert rules(*texts) == ["NPC036"]
    (found,) = linted("NPC036", *texts)
    assert found.message.startswith(f"spec.enableDefaultDeny.{field}: true denies nothing")
    assert found.fix == "add egress: [{}], which denies, or delete the field"


@pytest.mark.parametrize(
    "more",
    [
        "enableDefaultDeny: {ingress: true}",
        "enableDefaultDeny: {egress: false}",
        "enableDefaultDeny: {egress: true}, egress: [{}]",
        "enableDefaultDeny: {egress: true}, egressDeny: [{}]",
    ],
)
def test_a_default_deny_with_a_rule_and_one_that_is_taken_away_are_right(more):
    assert rules(PODS, cilium("shop/db", f"{{{DB}, ingress: [{{}}], {more}}}")) == []


@pytest.mark.parametrize(
    "key",
    [
        "kubernetes.io/os",
        "topology.kubernetes.io/zone",
        "statefulset.kubernetes.io/pod-name",
        "k8s:kubernetes.io/os",
        "any:kubernetes.io/os",
    ],
)
def test_a_label_that_cilium_leaves_out_is_found_at_both_ends(key):
    selector = f"{{matchLabels: {{app: db, '{key}': x}}}}"
    for text, place in (
        (f"{{endpointSelector: {selector}, ingress: [{{}}]}}", "spec.endpointSelector"),
        (f"{{{DB}, ingress: [{{fromEndpoints: [{{}}, {selector}]}}]}}", "spec.ingress[0].fromEndpoints[1]"),
        (f"{{{DB}, egressDeny: [{{toEndpoints: [{selector}]}}]}}", "spec.egressDeny[0].toEndpoints[0]"),
    ):
        assert rules(PODS, cilium("shop/db", text)) == ["NPC037"]
        (told,) = said("NPC037", PODS, cilium("shop/db", text))
        assert (
            told.startswith(f"{place} asks for {key.rpartition(':')[2]}, which") and "matches no pod" in told
        )


def test_networkpolicies_beside_those_of_cilium_do_not_see_such_labels_either():
    own = cilium("shop/db", f"{{{DB}, ingress: [{{}}]}}")
    peer = "{podSelector: {matchExpressions: [{key: topology.kubernetes.io/zone, operator: NotIn, values: [a]}]}}"
    zone = policy("shop/db", f"{{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}")
    (text,) = said("NPC037", PODS, own, zone)
    assert text.startswith("ingress[0].from[0].podSelector asks for topology.kubernetes.io/zone")
    assert text.endswith("it excludes no pod")
    assert said("NPC037", PODS, zone) == []
    chosen = written("ConfigMap", "kube-system/cilium-config", data='{labels: "k8s:topology"}')
    assert said("NPC037", PODS, own, zone, chosen) == []


@pytest.mark.parametrize(
    "key",
    [
        "app.kubernetes.io/name",
        "k8s:io.kubernetes.pod.namespace",
        "io.cilium.k8s.policy.serviceaccount",
        "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name",
        "reserved:host",
    ],
)
def test_labels_that_cilium_keeps_or_adds_are_right(key):
    text = f"{{{DB}, ingress: [{{fromEndpoints: [{{matchLabels: {{'{key}': x}}}}]}}]}}"
    assert rules(PODS, cilium("shop/db", text)) == []


def test_policies_that_cilium_does_not_know_are_found_beside_its_own_and_named_by_every_command():
    own = cilium("shop/db", f"{{{DB}, ingress: [{{}}]}}")
    spec = "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}"
    admin = written("AdminNetworkPolicy", "all", spec)
    cluster = written("ClusterNetworkPolicy", "all", f"{{tier: Admin, {spec[1:]}")
    (found,) = linted("NPC040", PODS, own, admin)
    assert found.subject == "AdminNetworkPolicy/all" and rules(PODS, own, admin) == ["NPC040"]
    for texts in ((PODS, own, cluster), (PODS, admin)):
        assert said("NPC040", *texts) == []
    read = fleet(parse((PODS + own + admin).encode(), "all.yaml"))
    assert read.skipped == (
        "1 AdminNetworkPolicy (policy.networking.k8s.io/v1alpha1): Cilium, whose policies stand beside, does not enforce it: all",
    )


def test_an_empty_list_alone_is_refused_and_so_no_rule_of_its_own():
    texts = PODS + cilium("shop/db", f"{{{DB}, ingress: []}}")
    found = lint(fleet(parse(texts.encode(), "all.yaml"), keep_invalid=True))
    assert "refuses a policy without any" in next(f.message for f in found if f.rule.id == "NPC026")


def test_a_pod_that_cilium_s_policies_keep_from_the_resolver_cannot_resolve():
    dns = written("Pod", "kube-system/coredns", "{containers: [{name: c, image: dns, ports: [{containerPort: 53, protocol: UDP}]}]}", "labels: {k8s-app: kube-dns}")  # fmt: skip
    web = "{fromEndpoints: [{matchLabels: {app: web}}]}"
    shut = cilium("shop/db", f"{{{DB}, ingress: [{web}], egress: [{{toEndpoints: [{{}}]}}]}}")
    (found,) = linted("NPC005", PODS, dns, shut)
    assert found.subject == "CiliumNetworkPolicy shop/db"
    assert found.message == "shop/db[Pod] cannot reach any DNS server"
    system = "matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system}"
    for opened in (
        f"toEndpoints: [{{{system}}}]",
        "toEntities: [cluster]",
        "toFQDNs: [{matchName: a.example}]}, {toEntities: [all]",
    ):
        right = cilium("shop/db", f"{{{DB}, ingress: [{web}], egress: [{{{opened}}}]}}")
        assert said("NPC005", PODS, dns, right) == []
    assert said("NPC005", PODS, shut) == []  # nobody knows the resolver


@pytest.mark.parametrize(
    "opening",
    [
        f"{{{DB}, egress: [{{toEntities: [kube-apiserver, host]}}]}}",
        f"{{{DB}, ingress: [{{fromEntities: [all]}}]}}",
    ],
)
def test_rules_that_ask_networkpolicies_alone_leave_pods_of_cilium_s_policies_out(opening):
    """What NetworkPolicies keep out, a policy of Cilium beside them may let in."""
    closed = policy("shop/all", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
    bound = written("RoleBinding", "shop/db", roleRef="{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}", subjects="[{kind: ServiceAccount, name: default, namespace: shop}]")  # fmt: skip
    before, found = rules(PODS, closed, bound), rules(PODS, closed, bound, cilium("shop/db", opening))
    assert "NPC016" in before and not {"NPC004", "NPC008", "NPC015", "NPC016"} & {*found}
