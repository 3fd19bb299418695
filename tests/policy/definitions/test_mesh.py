"""Service meshes: generated policies open their proxies' ways, and lint finds those that are cut."""

import pytest
from made import made, workload
from written import policy

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

SPACE = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, %s}\n"
ISTIOD = workload("istiod", space="istio-system", ports=[15012, 15017])
DESTINATION = workload(
    "dst", space="linkerd", labels={"linkerd.io/control-plane-component": "destination"}, ports=[8086]
)
IDENTITY = workload(
    "id", space="linkerd", labels={"linkerd.io/control-plane-component": "identity"}, ports=[8080]
)
KUMA = workload("cp", space="kuma-system", labels={"app": "kuma-control-plane"}, ports=[5678])
DENY = policy("shop/deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
MESHES = [
    ("labels: {istio-injection: enabled}", ISTIOD, [("istio-system/istiod", 15012)]),
    ("labels: {istio.io/rev: canary}", ISTIOD, [("istio-system/istiod", 15012)]),
    (
        "annotations: {linkerd.io/inject: enabled}",
        DESTINATION + IDENTITY,
        [("linkerd/dst", 8086), ("linkerd/dst", 8090), ("linkerd/id", 8080)],
    ),
    ("labels: {kuma.io/sidecar-injection: enabled}", KUMA, [("kuma-system/cp", 5678)]),
]


@pytest.mark.parametrize(("asks", "control", "ways"), MESHES)
def test_injected_pods_reach_their_control_plane(asks, control, ways):
    found = made(SPACE % asks + workload("web") + control)
    for end, port in ways:
        assert found.open("shop/web", end, port)
    assert "the proxy's way to" in found.files["shop/web.yaml"]
    assert not [f for f in lint(found.whole) if f.rule.severity == "error"]


@pytest.mark.parametrize(("asks", "control", "ways"), MESHES)
def test_lint_finds_injected_pods_that_are_cut_off(asks, control, ways):
    whole = fleet(parse((SPACE % asks + workload("web") + control + DENY).encode(), "x.yaml"))
    (found,) = [f for f in lint(whole) if f.rule.id == "NPC030" and f.rule.severity == "error"]
    assert (all(str(port) in found.message for _, port in ways) and found.where == "x.yaml:11") or found.where


@pytest.mark.parametrize(
    "labels",
    [{"app": "web", "sidecar.istio.io/inject": "false"}, {"app": "web", "istio.io/dataplane-mode": "none"}],
)
def test_a_pod_that_refuses_the_proxy_needs_no_way(labels):
    asks = (
        "labels: {istio-injection: enabled}"
        if "inject" in str(labels)
        else "labels: {istio.io/dataplane-mode: ambient}"
    )
    found = made(SPACE % asks + workload("web", labels=labels) + ISTIOD)
    assert "shop/web.yaml" not in found.files


def test_a_control_plane_that_is_not_here_is_assumed_where_it_usually_stands_and_told():
    found = made(SPACE % "labels: {istio-injection: enabled}" + workload("web"))
    assert "kubernetes.io/metadata.name: istio-system" in found.files["shop/web.yaml"]
    assert "port: 15012" in found.files["shop/web.yaml"]
    assert "Istio's control plane is not among these manifests" in found.told


def test_in_ambient_mode_the_tunnel_s_port_is_open_where_the_workloads_connect():
    db = (
        workload("db", ports=[5432])
        + "---\n"
        + (
            '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db", "namespace": "shop"},'
            ' "spec": {"selector": {"app": "db"}, "ports": [{"port": 5432}]}}\n'
        )
    )
    web = workload("web", env={"DB_URL": "postgres://db"})
    found = made(SPACE % "labels: {istio.io/dataplane-mode: ambient}" + web + db)
    assert found.open("shop/web", "shop/db", 15008) and not found.open("shop/db", "shop/web", 15008)


def test_a_mesh_whose_ways_are_not_known_is_named():
    found = made(SPACE % "labels: {mesh.traefik.io/traffic-type: HTTP}" + workload("web"))
    assert "Traefik Mesh, whose proxies' ways are not known here" in found.told


def test_the_injector_s_webhook_stays_open_to_the_api_server():
    found = made(SPACE % "labels: {istio-injection: enabled}" + workload("web") + ISTIOD)
    assert found.open("192.0.2.1", "istio-system/istiod", 15017)
    assert "open to every address, since the API server calls them: istio-system/istiod" in found.told
