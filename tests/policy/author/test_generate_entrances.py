"""Entrances and endpoints of generated policies: routes, balancers, host ports, scrapes, addresses without a selector."""

import pytest
from made import made, service, workload
from written import written

from orchestrator.policy.definitions.needed import Platform

WEB = workload("web", ports=[8080]) + service("web", 80, target=8080)
GATEWAY = written("Gateway", "edge/front", "{gatewayClassName: %s, listeners: []}")
ROUTE = written(
    "%s",
    "shop/web",
    "{parentRefs: [{name: front, namespace: edge}], rules: [{backendRefs: [{name: web, port: 80}]}]}",
    version="gateway.networking.k8s.io/v1",
)
OPENSHIFT = written("Route", "shop/web", "{to: {kind: Service, name: web}, port: {targetPort: 8080}}")
INGRESS = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {ingressClassName: %s, defaultBackend: {service: {name: web, port: {number: 80}}}}
"""
PROXY = {"app": "proxy", "gateway.networking.k8s.io/gateway-name": "front"}


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "TLSRoute"])
def test_the_proxies_of_a_gateway_reach_what_a_route_leads_to(kind):
    proxy = workload("proxy", space="edge", labels=PROXY)
    found = made(WEB + GATEWAY % "istio" + ROUTE % kind + proxy)
    assert found.open("edge/proxy", "shop/web", 8080)
    assert f"# {kind} web in app.yaml" in found.files["shop/web.yaml"]


def test_proxies_that_are_not_here_are_assumed_and_told():
    found = made(WEB + GATEWAY % "istio" + ROUTE % "HTTPRoute")
    assert "kubernetes.io/metadata.name: edge" in found.files["shop/web.yaml"]
    assert "the proxies of Gateway edge/front are not here" in found.told
    named = made(WEB + ROUTE % "HTTPRoute", Platform(gateways="proxies"))
    assert "kubernetes.io/metadata.name: proxies" in named.files["shop/web.yaml"]


def test_a_route_of_openshift_opens_its_router():
    found = made(WEB + OPENSHIFT + workload("router-default", space="openshift-ingress"))
    assert found.open("openshift-ingress/router-default", "shop/web", 8080)


@pytest.mark.parametrize("kind", ["cilium", "internal-cilium"])
def test_a_proxy_that_no_policy_can_name_is_told(kind):
    found = made(WEB + INGRESS % kind)
    assert "Cilium's own proxy" in found.told and "shop/web.yaml" not in found.files


def test_a_balancer_outside_connects_from_anywhere():
    assert made(WEB + INGRESS % "alb").open("10.1.2.3", "shop/web", 8080)


def test_a_controller_is_found_by_its_class_wherever_it_stands():
    found = made(WEB + INGRESS % "traefik" + workload("traefik", space="kube-system"))
    assert found.open("kube-system/traefik", "shop/web", 8080)


def test_a_backend_that_is_not_here_is_named():
    assert "leads to Service shop/web, which is not here" in made(workload("x") + INGRESS % "nginx").told


def test_a_host_port_and_an_external_address_are_entrances():
    text = workload("gate", ports=[7000]).replace(
        '{"containerPort": 7000}', '{"containerPort": 7000, "hostPort": 70}'
    )
    both = text + workload("web", ports=[8080]) + service("web", 80, target=8080, externalIPs=["192.0.2.1"])
    found = made(both)
    assert found.open("198.51.100.1", "shop/gate", 7000) and found.open("198.51.100.1", "shop/web", 8080)


def test_annotations_of_prometheus_open_the_scrape():
    text = workload("web", ports=[9100]).replace(
        '"template": {"metadata": {',
        '"template": {"metadata": {"annotations": {"prometheus.io/scrape": "true", '
        '"prometheus.io/port": "9100"}, ',
    )
    found = made(text + workload("prometheus", space="monitoring"))
    assert found.open("monitoring/prometheus", "shop/web", 9100)


DB = written("Service", "shop/db", "{ports: [{port: 5432}]}")
HERE = {
    "addressType": "IPv4",
    "endpoints": "[{addresses: [192.0.2.9]}]",
    "ports": "[{port: 6432, protocol: TCP}]",
}
SLICE = written("EndpointSlice", "shop/db-1", about="labels: {kubernetes.io/service-name: db}", **HERE)
BEHIND = "[{addresses: [{ip: 192.0.2.9}], ports: [{port: 6432}]}]"
ENDPOINTS = written("Endpoints", "shop/db", subsets=BEHIND)
CLIENT = workload("web", env={"DB_URL": "postgres://db"})


@pytest.mark.parametrize("given", [SLICE, ENDPOINTS])
def test_a_service_without_a_selector_leads_to_its_endpoints(given):
    found = made(CLIENT + DB + given)
    assert found.open("shop/web", "192.0.2.9", 6432) and not found.open("shop/web", "192.0.2.9", 5432)


def test_a_service_with_nothing_behind_it_is_named():
    assert "no workload here is behind that Service" in made(CLIENT + DB).told


def test_an_external_name_of_the_cluster_is_the_service_that_it_names():
    alias = service("alias", 5432, type="ExternalName", externalName="real.data.svc.cluster.local")
    real = workload("real", space="data", ports=[5432]) + service("real", 5432, space="data")
    found = made(workload("web", env={"DB_URL": "postgres://alias"}) + alias + real)
    assert found.open("shop/web", "data/real", 5432)


def test_secrets_that_may_hold_addresses_are_named_and_never_shown():
    text = workload("web").replace(
        '"env": []',
        '"env": [{"name": "DB_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}]',
    )
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {url: postgres://hush}\n"
    found = made(text + secret)
    assert "shop/web[Deployment] takes addresses from Secret db" in found.told and "hush" not in found.told


def test_probes_in_ambient_mode_stay_open():
    space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n"
    text = workload("web", ports=[8080]).replace(
        '"image": "i"', '"image": "i", "readinessProbe": {"httpGet": {"port": 8080}}'
    )
    assert made(space + text).open("169.254.7.127", "shop/web", 8080)


def test_backends_and_parents_of_other_kinds_are_named():
    spec = "spec: {ingressClassName: nginx, defaultBackend: {resource: {apiGroup: x.example, kind: Bucket, name: pictures}}}"
    bucket = INGRESS.split("spec:")[0] + spec + "\n"
    assert "Ingress web in app.yaml" in (told := made(WEB + bucket).told)
    assert "leads to Bucket pictures" in told
    mesh = (ROUTE % "HTTPRoute").replace(
        "{name: front, namespace: edge}", "{kind: Service, group: '', name: web}"
    )
    assert "is for callers of Service web within a mesh, which is not followed" in made(WEB + mesh).told
    other = (ROUTE % "HTTPRoute").replace(
        "{name: web, port: 80}", "{kind: ServiceImport, group: x, name: web}"
    )
    assert "leads to ServiceImport web, which is not followed" in made(WEB + other).told
