"""What stands on the host's network is named by addresses, or told: no selector of pods matches it."""

import yaml
from made import made, service, workload
from written import written

from orchestrator.policy.definitions.needed import Platform

INGRESS = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
"""
SHOP = workload("web", ports=[8080]) + service("web", 80, target=8080) + INGRESS
EDGE = workload("edge", space="haproxy", kind="DaemonSet", ports=[80], hostNetwork=True)
HAPROXY = Platform(ingress="haproxy")
LIVE = """---
apiVersion: v1
kind: Pod
metadata:
  name: edge-x
  namespace: haproxy
  labels: {app: edge}
  ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: edge, uid: u, controller: true}]
spec: {hostNetwork: true, containers: [{name: c}]}
status: {hostIP: 10.1.0.7, hostIPs: [{ip: 10.1.0.7}, {ip: "fd01::7"}], podIP: 10.1.0.7}
"""
NODE = written(
    "Node", "n1", status="{addresses: [{type: InternalIP, address: 10.2.0.1}, {type: Hostname, address: n1}]}"
)


def test_an_ingress_controller_on_unknown_nodes_is_told_and_gets_no_selector():
    found = made(SHOP + EDGE, HAPROXY)
    assert "app: edge" not in found.files.get("shop/web.yaml", "")
    assert "shop/web[Deployment] and haproxy/edge[DaemonSet], TCP 8080: NOT opened" in found.told
    assert "--nodes" in found.told


def test_it_is_opened_from_the_addresses_that_are_given():
    found = made(SHOP + EDGE, Platform(ingress="haproxy", nodes=("10.0.0.0/16", "fd00::/64")))
    (rule,) = yaml.safe_load(found.files["shop/web.yaml"])["spec"]["ingress"]
    assert [p["ipBlock"]["cidr"] for p in rule["from"]] == ["10.0.0.0/16", "fd00::/64"]
    assert found.open("10.0.3.4", "shop/web", 8080, cni="cilium")
    assert not found.open("10.9.3.4", "shop/web", 8080)


def test_it_is_opened_from_the_addresses_of_live_pods_and_nodes():
    found = made(SHOP + LIVE + NODE, HAPROXY)
    for address in ("10.1.0.7", "fd01::7", "10.2.0.1"):
        assert found.open(address, "shop/web", 8080)
    assert found.open("haproxy/edge", "shop/web", 8080, cni="kube-router")
    assert "opened for the nodes' addresses" in found.told
    assert "# haproxy/edge[DaemonSet] uses its node's network" in found.files["shop/web.yaml"]


def test_a_server_on_the_host_s_network_is_opened_by_address_for_its_clients():
    agent = workload("agent", kind="DaemonSet", ports=[8125], hostNetwork=True) + service("agent", 8125)
    client = workload("web", env={"STATSD_URL": "tcp://agent:8125"})
    found = made(client + agent, Platform(nodes=("10.0.0.0/16",)))
    assert found.open("shop/web", "10.0.0.1", 8125)
    assert "app: agent" not in found.files["shop/web.yaml"]
    assert "shop/agent.yaml" not in found.files, "no policy selects it"
    assert "NOT opened" in made(client + agent).told


def test_a_namespace_of_hostnetwork_pods_alone_gets_no_policy():
    assert not [name for name in made(SHOP + EDGE, HAPROXY).files if name.startswith("haproxy/")]
