"""What `generate` cannot open for sure is named once with what it may mean; what balancers let in alone is opened alone."""

import pytest
import yaml
from made import made, service, workload
from written import policy, written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.exposure import entrances
from orchestrator.policy.impact.would_cut import would_cut
from orchestrator.policy.workloads.fleet import fleet

HOOK = written(
    "ValidatingWebhookConfiguration", "judge", webhooks='[{name: a.b.c, clientConfig: {url: "%s"}}]'
)
WAYPOINT = """---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: way, namespace: shop}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
"""
OFFICE = ["198.51.100.0/24", "2001:db8:7::/48"]


def balancer(**spec):
    return workload("kiosk", ports=[8080]) + service("kiosk", 80, target=8080, type="LoadBalancer", **spec)


def test_a_balancer_with_source_ranges_is_opened_to_these_alone():
    found = made(balancer(loadBalancerSourceRanges=OFFICE, externalTrafficPolicy="Local"))
    assert found.open("198.51.100.9", "shop/kiosk", 8080) and found.open("2001:db8:7::9", "shop/kiosk", 8080)
    assert not found.open("203.0.113.9", "shop/kiosk", 8080) and "source ranges" not in found.told


def test_where_pods_may_see_a_node_instead_the_nodes_are_opened_or_asked_for():
    text = balancer(loadBalancerSourceRanges=OFFICE[:1])
    assert "Service shop/kiosk is for its source ranges alone, 198.51.100.0/24" in made(text).told
    found = made(text, Platform(nodes=("192.0.2.0/28",)))
    assert found.open("192.0.2.3", "shop/kiosk", 8080) and not found.open("203.0.113.9", "shop/kiosk", 8080)
    assert "source ranges" not in found.told


def test_the_annotation_counts_where_the_field_is_empty():
    (head, body) = balancer(externalTrafficPolicy="Local").strip("-\n").split("\n---\n")
    obj = yaml.safe_load(body)
    obj["metadata"]["annotations"] = {
        "service.beta.kubernetes.io/load-balancer-source-ranges": "198.51.100.0/24, 192.0.2.7/32"
    }
    found = made(f"{head}\n---\n{yaml.safe_dump(obj)}")
    assert found.open("192.0.2.7", "shop/kiosk", 8080) and not found.open("203.0.113.9", "shop/kiosk", 8080)


@pytest.mark.parametrize("ranges", [["office"], "10.0.0.0/8", [7]])
def test_ranges_that_are_none_hide_their_service_alone(ranges):
    text = balancer(loadBalancerSourceRanges=ranges) + workload("desk", env={"KIOSK_URL": "http://bar:80"})
    found = made(text)
    assert "Service shop/kiosk is not of the shape" in found.told
    assert "bar" in found.told and not found.open("203.0.113.9", "shop/kiosk", 8080)


def test_reach_and_check_of_generated_policies_agree():
    text = balancer(loadBalancerSourceRanges=OFFICE, externalTrafficPolicy="Local")
    found = made(text)
    ways, _ = entrances(found.whole, Platform(), {})
    assert {(w.src, w.because) for w in ways} == {(block, ()) for block in OFFICE}
    documents = parse(text.encode(), "app.yaml")
    needed, _ = needs(documents, fleet(documents), Platform())
    assert would_cut(found.whole, needed, Platform()) == []
    shut = parse(
        b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: half, namespace: shop}\n"
        b"spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/25}}]}]}\n",
        "half.yaml",
    )
    cut = would_cut(fleet([*documents, *shut]), needed, Platform())
    assert {c.src for c in cut} == set(OFFICE)


def test_a_webhook_by_url_is_named_with_what_it_calls():
    found = made(workload("judge", ports=[8443]) + HOOK % "https://judge.example.com:8443/check")
    (said,) = [line for line in found.told.splitlines() if "judge.example.com" in line]
    assert "ValidatingWebhookConfiguration judge in app.yaml:" in said and "nothing is opened" in said


def test_a_webhook_by_the_url_of_a_service_is_opened():
    whole = workload("judge", ports=[8443]) + service("judge", 443, target=8443)
    found = made(whole + HOOK % "https://judge.shop.svc:443/check", Platform(api_server=("192.0.2.1/32",)))
    assert found.open("192.0.2.1", "shop/judge", 8443) and "judge.shop" not in found.told


@pytest.mark.parametrize("url", ["https://[", "https://x:99999999/", "", "judge"])
def test_a_url_that_is_none_brings_nothing_down(url):
    assert made(workload("judge") + HOOK % url).files


def test_a_waypoint_is_named_once_with_what_asks_for_it():
    space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: way}}\n"
    found = made(workload("web", ports=[80]) + service("web", 80) + space + WAYPOINT)
    (said,) = [line for line in found.told.splitlines() if "waypoint" in line]
    assert "waypoint shop/way (label istio.io/use-waypoint of Namespace shop)" in said and "15008" in said


def test_a_waypoint_of_another_namespace_and_one_that_is_refused():
    labels = {"app": "web", "istio.io/use-waypoint": "way", "istio.io/use-waypoint-namespace": "edge"}
    assert "waypoint edge/way" in made(workload("web", labels=labels)).told
    words = "waypoint"
    assert words not in made(workload("web", labels={"app": "web", "istio.io/use-waypoint": "none"})).told
    said = "waypoint shop/way (a Gateway of the class istio-waypoint)"
    assert said in made(workload("web") + WAYPOINT).told


POLICY = policy(
    "shop/part",
    "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24, except: [%s]}}]}]}",
)


def test_a_range_of_which_policies_let_in_a_part_is_neither_open_nor_shut():
    text = balancer(loadBalancerSourceRanges=["198.51.100.0/24"], externalTrafficPolicy="Local")
    whole = fleet(parse((text + POLICY % "198.51.100.64/26").encode(), "all.yaml"))
    (way,) = entrances(whole, Platform(), {})[0]
    assert way.src == "198.51.100.0/24" and not way.because
    assert way.partly == ("198.51.100.0-198.51.100.63", "198.51.100.128-198.51.100.255")
    (cut,) = would_cut(whole, needs(whole.beside, whole, Platform())[0], Platform())
    assert cut.src == "198.51.100.0/24", "the middle of the range is cut"


def test_reach_tells_that_pods_may_see_a_node_and_not_the_range():
    for local, count in (("Local", 0), ("Cluster", 1)):
        text = balancer(loadBalancerSourceRanges=["198.51.100.0/24"], externalTrafficPolicy=local)
        told = entrances(fleet(parse(text.encode(), "all.yaml")), Platform(), {}, "shop/kiosk")[1]
        assert len(told) == count and all("a node's address" in t and "--nodes" not in t for t in told)
