"""What is said of the API server and of DNS, where policies of a CNI decide beside NetworkPolicies or alone."""

import pytest
from made import service, workload
from written import deployed, policy, written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.impact import impact
from orchestrator.policy.impact.would_cut import undecided, would_cut
from orchestrator.policy.workloads.fleet import fleet

CILIUM = profile("cilium")
LISTENS = "ports: [{name: tls, containerPort: 10250}]"
HOOK = "{selector: {app: issuer}, ports: [{port: 443, targetPort: 10250}]}"
CALLS = "[{name: a.example.com, clientConfig: {service: {name: hook, namespace: certs}}}]"
CALLED = (
    deployed("certs/issuer", LISTENS)
    + written("Service", "certs/hook", HOOK)
    + written("MutatingWebhookConfiguration", "issuer", webhooks=CALLS)
)
DENY = policy("certs/deny", "{podSelector: {}, policyTypes: [Ingress]}")
APP = workload("web", env={"DB_URL": "postgres://db"}) + workload("db", ports=[5432]) + service("db", 5432)
COREDNS = workload("coredns", space="kube-system", labels={"k8s-app": "kube-dns"}, ports=[53])
INGRESS = written("Ingress", "shop/db", "{defaultBackend: {service: {name: db, port: {number: 5432}}}}")


def cilium(place, spec):
    return written(
        "CiliumNetworkPolicy", place, f"{{endpointSelector: {{}}, {spec}}}", version="cilium.io/v2"
    )


def state(text):
    return fleet(parse(text.encode(), "app.yaml"))


def cut(text, platform=None):
    found = parse(text.encode(), "app.yaml")
    whole, platform = fleet(found), platform or Platform()
    needed = needs(found, whole, platform)[0]
    return would_cut(whole, needed, platform, CILIUM), undecided(whole, needed, CILIUM)


@pytest.mark.parametrize(
    ("rule", "shut"),
    [
        ("{fromEntities: [kube-apiserver]}", False),
        ("{fromEntities: [remote-node]}", False),
        ("{fromCIDR: [192.0.2.0/28]}", False),
        ("{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system}}]}", False),
        ("{fromEndpoints: [{matchLabels: {app: web}}]}", True),
        ("{fromEntities: [all], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}", True),
    ],
)
def test_a_policy_of_the_cni_may_let_the_api_server_in(rule, shut):
    after = state(CALLED + DENY + cilium("certs/in", f"ingress: [{rule}]"))
    assert bool(impact(state(CALLED), after, [], CILIUM).uncallable) is shut


def test_dns_is_lost_where_a_policy_of_the_cni_alone_closes_egress():
    inside = "egress: [{toEndpoints: [{}]}]"
    found, _ = cut(APP + COREDNS + cilium("shop/out", inside))
    assert [(c.src, c.dst) for c in found] == [(f"shop/{n}[Deployment]", "DNS") for n in ("db", "web")]
    assert {c.because for c in found} == {
        ("Egress: CiliumNetworkPolicy shop/out: no rule allows it (app.yaml:10)",)
    }
    opened = "egress: [{toEndpoints: [{}]}, {toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system}}]}]"
    assert cut(APP + COREDNS + cilium("shop/out", opened)) == ([], [])


@pytest.mark.parametrize("rule", ["{toCIDR: [169.254.20.10/32]}", "{toEntities: [host]}"])
def test_a_resolver_on_the_nodes_may_be_meant_by_any_rule_of_the_cni(rule):
    labels = {"k8s-app": "node-local-dns"}
    node_local = workload("node-local-dns", "kube-system", "DaemonSet", labels, hostNetwork=True)
    opened = cilium("shop/out", f"egress: [{rule}, {{toEndpoints: [{{}}]}}]")
    found, _ = cut(APP + node_local + opened)
    assert [c for c in found if c.dst.startswith("DNS")] == []
    assert impact(state(APP + node_local), state(APP + node_local + opened), [], CILIUM).without_dns == ()


def test_what_a_front_that_is_not_here_is_to_the_cni_is_not_known():
    shut = policy(
        "shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}"
    )
    opened = cilium(
        "shop/front", "ingress: [{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: front}}]}]"
    )
    (lost,), known = cut(APP + INGRESS + shut, Platform(ingress="front"))
    assert lost.src == "namespace front" and known == []
    found, unknown = cut(APP + INGRESS + shut + opened, Platform(ingress="front"))
    assert found == [] and [text for text in unknown if text.startswith("namespace front to shop/db")]
