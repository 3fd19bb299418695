"""What an existing set of policies would cut of the connections that definitions ask for."""

import pytest
from made import made, service, workload
from written import policy, written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.would_cut import would_cut
from orchestrator.policy.workloads.fleet import fleet

APP = workload("web", env={"DB_URL": "postgres://db"}) + workload("db", ports=[5432]) + service("db", 5432)
POLICY = policy("shop/%s", "%s")
DNS = POLICY % (
    "dns",
    "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}",
)
OUT = POLICY % ("out", "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}")
INGRESS = written("Ingress", "shop/db", "{defaultBackend: {service: {name: db, port: {number: 5432}}}}")


def cut(text, platform=None, settled=None):
    found = parse(text.encode(), "app.yaml")
    whole = fleet(found)
    platform = platform or Platform()
    return would_cut(whole, needs(found, whole, platform)[0], platform, settled)


def test_what_is_cut_is_named_with_its_reason_and_what_asks_for_it():
    deny = POLICY % ("db", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}")
    (one,) = cut(APP + deny)
    assert (one.src, one.dst, one.ports) == ("shop/web[Deployment]", "shop/db[Deployment]", {("TCP", 5432)})
    assert one.origin.startswith("db.shop:5432, env DB_URL") and "NetworkPolicy shop/db" in one.because[0]


def test_nothing_is_cut_where_all_of_it_is_open():
    assert cut(APP + OUT + DNS) == []
    assert cut(APP) == []


def test_lost_names_are_a_cut_of_their_own():
    assert {c.dst for c in cut(APP + OUT)} == {"DNS"}


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        ("{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: edge}}}]}", True),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 5432}]}", False),
        ("{ports: [{port: 5432}]}", False),
        ("{ports: [{port: 80}]}", True),
    ],
)
def test_a_selector_does_not_open_for_what_uses_the_host_s_network(rule, lost):
    edge = workload("edge", space="proxies", kind="DaemonSet", hostNetwork=True)
    policy = POLICY % (
        "db",
        f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{rule}, {{from: [{{podSelector: {{}}}}]}}]}}",
    )
    found = cut(APP + INGRESS + edge + policy, Platform(ingress="proxies"))
    assert [c.src for c in found] == (["proxies/edge[DaemonSet]"] if lost else [])


@pytest.mark.parametrize(("space", "lost"), [("ingress-nginx", False), ("other", True)])
def test_a_namespace_that_is_not_here_may_be_meant_by_its_name(space, lost):
    peer = f"{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {space}}}}}}}"
    policy = POLICY % (
        "db",
        f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{peer}, {{podSelector: {{}}}}]}}]}}",
    )
    assert bool(cut(APP + INGRESS + policy)) is lost


@pytest.mark.parametrize("cni", ["calico", "cilium", "kube-router"])
def test_what_generate_makes_cuts_nothing_of_what_it_read(cni):
    from orchestrator.policy.evaluate.cni_profiles import profile

    space = (
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n"
    )
    text = APP + INGRESS + space + workload("istiod", space="istio-system", ports=[15012, 15017])
    files = made(text).files
    assert cut(text + "".join(f"---\n{f}" for f in files.values()), settled=profile(cni)) == []
