"""What comes in from outside, and what workloads would let in of pods that do not exist yet."""

import pytest
from linted import read
from written import deployed, pod, policy, written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.impact.exposure import ANY, entrances, exposure
from orchestrator.policy.objects import port_sets

LISTENS = "ports: [{name: web, containerPort: 8443}]"
TO_API = "{SERVICE selector: {app: api}, ports: [{name: web, port: 443, targetPort: web}]}"
FRONT = deployed("ingress-nginx/front", kind="DaemonSet")
BASE = deployed("till/api", LISTENS) + written("Service", "till/api", TO_API) + FRONT
POLICY = policy("till/who", "{podSelector: {}, policyTypes: [Ingress], ingress: [INGRESS]}")
BACKEND = "{defaultBackend: {service: {name: api, port: {number: 443}}}}"
INGRESS = written("Ingress", "till/shopfront", BACKEND)
ROUTE = written("Route", "till/shopfront", "{to: {kind: Service, name: api}, port: {targetPort: web}}")
ROUTE += pod("openshift-ingress/router")
LEADS = "{parentRefs: [{name: edge}], rules: [{backendRefs: [{name: api, port: 443}]}]}"
EDGE = "labels: {gateway.networking.k8s.io/gateway-name: edge}"
GATEWAY = written("HTTPRoute", "till/shopfront", LEADS)
GATEWAY += written("Pod", "till/proxy", "{containers: [{name: c}]}", EDGE)


def made(*ingress, service="", more=""):
    rules = POLICY.replace("INGRESS", ", ".join(ingress)) if ingress else ""
    return read(BASE.replace("SERVICE", service), rules, more)


def ways(found):
    return entrances(found, Platform(), {})[0]


def api(found):
    return [(e.src, port_sets.text(e.ports)) for e in exposure(found) if e.dst.pod.name == "api"]


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_a_service_for_the_outside_is_an_entrance_at_the_pods_own_port(kind):
    (way,) = ways(made(service=f"type: {kind},"))
    assert (way.src, way.dst.pod.name, way.ports) == ("internet", "api", {("TCP", 8443)})
    assert kind in way.through and not way.because and not way.partly
    assert ways(made()) == []


def test_policies_shut_an_entrance_or_leave_it_to_some_addresses():
    kind = "type: LoadBalancer,"
    (way,) = ways(made("{from: [{podSelector: {}}]}", service=kind))
    assert "NetworkPolicy till/who" in way.because[0]
    (way,) = ways(made("{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}", service=kind))
    assert way.partly == ("203.0.113.0-203.0.113.255",) and not way.because
    (way,) = ways(made("{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}", service=kind))
    assert way.because, "the Service's port is not the pods'"


@pytest.mark.parametrize(
    ("more", "front", "space"),
    [
        (INGRESS, "ingress-nginx/front[DaemonSet]", "ingress-nginx"),
        (ROUTE, "openshift-ingress/router[Pod]", "openshift-ingress"),
        (GATEWAY, "till/proxy[Pod]", "till"),
    ],
)
def test_what_comes_through_proxies_comes_from_their_pods(more, front, space):
    let_in = f"{{from: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {space}}}}}}}]}}"
    (way,) = ways(made(let_in, more=more))
    assert (way.src, way.dst.pod.name) == (front, "api") and "shopfront" in way.through
    assert not way.because
    (way,) = ways(made("{from: [{podSelector: {matchLabels: {app: none}}}]}", more=more))
    assert way.because


def test_an_ingress_to_a_service_that_is_not_here_is_told():
    found, told = entrances(made(more=INGRESS.replace("name: api", "name: apo")), Platform(), {})
    assert not found and "till/apo" in told[0]


@pytest.mark.parametrize("to", ["till", "api", "till/api", "till/api[Deployment]"])
def test_a_service_that_is_not_here_is_told_for_all_that_may_be_behind_it(to):
    found = made(more=INGRESS.replace("name: api", "name: apo"))
    _, told = entrances(found, Platform(), {}, to)
    assert "Ingress shopfront in all.yaml" in told[0]
    assert "leads to Service till/apo, which is not here" in told[0]
    assert entrances(found, Platform(), {}, "ingress-nginx")[1] == []
    two = INGRESS.replace("number: 443", "number: 1") + pod("till/x")
    told = entrances(made(more=two), Platform(), {}, "till/x")[1]
    assert told == [], "what stands behind the Service is known"


def test_a_workload_that_no_policy_isolates_would_let_everything_in():
    assert api(made()) == [(ANY, "all")]


def test_selectors_of_rules_say_who_may_come():
    both = "{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchExpressions: [{key: x, operator: Exists}]}}"
    found = made(f"{{from: [{{podSelector: {{}}}}, {both}], ports: [{{port: web}}]}}")
    assert api(found) == [
        ("any pod in namespace till", "TCP 8443"),
        ("pods with x in namespaces with team=a", "TCP 8443"),
    ]


def test_blocks_are_no_pods_and_what_a_wider_rule_opens_is_not_said_twice():
    narrow = "{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 1}]}"
    assert api(made("{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}")) == []
    assert api(made("{ports: [{port: 1}]}", narrow)) == [(ANY, "TCP 1")]
    assert api(made("{from: [{namespaceSelector: {}}]}")) == [(ANY, "all")]


def test_blocks_are_pods_too_where_the_cni_says_so():
    found = made("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}")
    (row,) = [e for e in exposure(found, blocks=True) if e.dst.pod.name == "api"]
    assert row.src == "any pod with an address in 10.0.0.0/8 without 10.1.0.0/16"
