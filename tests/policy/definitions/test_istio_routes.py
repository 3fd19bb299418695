"""VirtualServices: from the proxies of Istio's Gateways, and within the mesh, to where they lead."""

import pytest
from made import made, service, workload
from written import written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.files.unread import RUNS_PODS, meaning
from orchestrator.policy.impact.exposure import entrances

TILL = workload("till", ports=[8080]) + service("till", 80, target=8080)
VAULT = workload("vault", space="bank", ports=[9000]) + service("vault", 90, space="bank", target=9000)
DOOR = workload("door", space="edge", labels={"istio": "outer"})
GATEWAY = written(
    "Gateway", "shop/front", "{selector: %s, servers: []}", version="networking.istio.io/v1beta1"
)
ROUTE = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: way, namespace: shop}
spec:
  hosts: [%s]
  %s
"""


def way(spec, host="till.example.com"):
    return ROUTE % (host, spec)


@pytest.mark.parametrize(
    "spec",
    [
        "gateways: [front]\n  http: [{route: [{destination: {host: till, port: {number: 80}}}]}]",
        "gateways: [shop/front, mesh]\n  tcp: [{route: [{destination: {host: till.shop.svc.cluster.local}}]}]",
        "gateways: [front]\n  http: [{route: [{destination: {host: vault.bank}}], mirror: {host: till}}]",
        "gateways: [front]\n  http: [{mirrors: [{destination: {host: till}}]}]",
    ],
)
def test_the_proxies_that_a_gateway_selects_reach_where_a_route_leads(spec):
    found = made(TILL + VAULT + DOOR + GATEWAY % "{istio: outer}" + way(spec))
    assert found.open("edge/door", "shop/till", 8080), found.told
    assert found.open("edge/door", "bank/vault", 9000) == ("vault" in spec)
    assert "VirtualService" not in found.told and "Gateway" not in found.told
    ways, _ = entrances(found.whole, Platform(), {})
    assert ("edge/door[Deployment]", "till", ()) in {(w.src, w.dst.pod.name, w.because) for w in ways}


@pytest.mark.parametrize("selector", ["{istio: other}", "{}"])
def test_proxies_that_are_not_here_are_named(selector):
    spec = "gateways: [front]\n  http: [{route: [{destination: {host: till}}]}]"
    found = made(TILL + DOOR + GATEWAY % selector + way(spec))
    assert "the proxies of Istio's Gateway shop/front are not here: nothing is opened for it" in found.told
    assert not found.open("edge/door", "shop/till", 8080)


def test_what_calls_a_host_in_the_mesh_comes_to_where_its_route_leads():
    client = workload("desk", env={"TILL": "http://till"}) + workload("other")
    spec = "http: [{route: [{destination: {host: vault.bank.svc.cluster.local, port: {number: 90}}}]}]"
    found = made(TILL + VAULT + client + way(spec, host="till"))
    assert found.open("shop/desk", "bank/vault", 9000) and not found.open("shop/other", "bank/vault", 9000)


def test_a_destination_that_is_not_here_is_named():
    spec = "gateways: [front]\n  http: [{route: [{destination: {host: tills}}]}]"
    told = made(TILL + DOOR + GATEWAY % "{istio: outer}" + way(spec)).told
    assert "VirtualService way in app.yaml" in told
    assert "leads to Service shop/tills, which is not here" in told


@pytest.mark.parametrize("spec", ["http: 5", "gateways: [front]\n  http: [7]", "tls: {a: b}"])
def test_one_of_another_shape_hides_itself_alone(spec):
    text = TILL + DOOR + GATEWAY % "{istio: outer}" + way(spec) + workload("x", env={"A": "http://till"})
    found = made(text)
    assert found.open("shop/x", "shop/till", 8080)


PART = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part, namespace: bank}
spec: {http: [{route: [{destination: {host: vault, port: {number: 90}}}]}]}
"""
HANDS = "http: [{delegate: {name: part, namespace: bank}}]"


def test_a_delegate_is_reached_through_the_gateways_of_those_that_hand_to_it():
    text = TILL + VAULT + DOOR + GATEWAY % "{istio: outer}" + way(f"gateways: [front]\n  {HANDS}") + PART
    found = made(text)
    assert found.open("edge/door", "bank/vault", 9000) and "VirtualService" not in found.told
    assert "# VirtualService part in app.yaml" in found.files["bank/vault.yaml"]
    ways, told = entrances(found.whole, Platform(), {})
    assert {(w.src, w.dst.pod.name, w.because) for w in ways} == {("edge/door[Deployment]", "vault", ())}
    assert not told


def test_what_calls_a_host_in_the_mesh_comes_to_its_delegate_too():
    client = workload("desk", env={"TILL": "http://till"}) + workload("other")
    found = made(TILL + VAULT + client + way(HANDS, host="till") + PART)
    assert found.open("shop/desk", "bank/vault", 9000) and not found.open("shop/other", "bank/vault", 9000)


def test_delegates_that_are_not_here_or_that_nobody_hands_to_are_named():
    told = made(TILL + DOOR + GATEWAY % "{istio: outer}" + way(f"gateways: [front]\n  {HANDS}")).told
    assert "delegates to VirtualService bank/part, which is not here or has hosts of its own" in told
    found = made(VAULT + DOOR + PART)
    assert "VirtualService part in app.yaml" in found.told
    assert "has no hosts, and no VirtualService here delegates to it: nothing is opened for it" in found.told


@pytest.mark.parametrize(
    "spec", ["gateways: 5\n  %s", "gateways: [front]\n  tcp: 7\n  %s", "%s\n  gateways: {a: b}"]
)
def test_an_odd_one_that_delegates_hides_itself_alone(spec):
    sound = way(f"gateways: [front]\n  {HANDS}")
    odd = way(spec % HANDS).replace("name: way", "name: odd")
    found = made(TILL + VAULT + DOOR + GATEWAY % "{istio: outer}" + sound + odd + PART)
    assert found.open("edge/door", "bank/vault", 9000) and "shop/odd is not of the shape" in found.told
    assert "bank/part is not" not in found.told


@pytest.mark.parametrize("spec", ["gateways: 5\n  %s", "gateways: [front]\n  %s\n  hosts: 7"])
def test_to_whom_one_of_another_shape_delegates_is_not_known(spec):
    odd = way(spec % HANDS).replace(
        "hosts: [till.example.com]\n  ", "" if "hosts: 7" in spec else "hosts: []\n  "
    )
    told = made(VAULT + DOOR + GATEWAY % "{istio: outer}" + odd + PART).told
    assert "delegates to it; to whom VirtualService shop/way (app.yaml:" in told
    assert "delegates is not known (not of the shape that the API has): nothing is opened for it" in told


def test_a_delegate_of_another_shape_is_called_so():
    odd = PART[: PART.index("spec:")] + "spec: {http: 5}\n"
    told = made(TILL + DOOR + GATEWAY % "{istio: outer}" + way(f"gateways: [front]\n  {HANDS}") + odd).told
    said = "delegates to VirtualService bank/part, which is not of the shape that the API has (app.yaml:"
    assert said in told


def test_istio_s_configuration_runs_no_pods_and_hosts_outside_are_named():
    for kind in ("Sidecar", "DestinationRule", "EnvoyFilter", "Gateway", "VirtualService"):
        assert meaning({"kind": kind, "apiVersion": "networking.istio.io/v1"}) == ""
    assert "outside" in meaning({"kind": "ServiceEntry", "apiVersion": "networking.istio.io/v1"})
    assert meaning({"kind": "Kafka", "apiVersion": "kafka.strimzi.io/v1beta2"}) == RUNS_PODS
