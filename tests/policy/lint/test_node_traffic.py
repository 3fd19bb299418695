"""lint finds pods cut off from the DNS cache on their node, and from probes that do not come from the node's address."""

import pytest
from linted import said
from written import pod, pods, policy, written

PROBES = "livenessProbe: {httpGet: {port: web}}, readinessProbe: {tcpSocket: {port: 9000}}"
POD = pod("cafe/menu", f"ports: [{{name: web, containerPort: 8000}}], {PROBES}")
LISTENS = "ports: [{containerPort: 53, protocol: UDP}]"
CACHED = 'args: [-localip, "169.254.25.10,10.96.0.10"]'
NODE = f"{{hostNetwork: true, containers: [{{name: c, image: c, {CACHED}, {LISTENS}}}]}}"
RESOLVER = f"{{containers: [{{name: c, image: coredns, {LISTENS}}}]}}"
CACHE = written("DaemonSet", "kube-system/nodelocaldns", pods("{k8s-app: nodelocaldns}", NODE))
CACHE += written("Deployment", "kube-system/coredns", pods("{k8s-app: kube-dns}", RESOLVER))
DNS = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: LABEL}}}"
MESH = written("Namespace", "cafe", about="labels: {istio.io/dataplane-mode: ambient}")
CILIUM = written("ConfigMap", "kube-system/cilium-config", data="{allow-localhost: MODE}")


def told(rule, *texts):
    return said(rule, POD, *texts)


def egress(peers, ports="[{port: 53, protocol: UDP}]"):
    rule = f"{{to: [{peers}], ports: {ports}}}" if peers else f"{{ports: {ports}}}"
    return policy("cafe/p", f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{rule}]}}")


def ingress(rule):
    return policy("cafe/p", f"{{podSelector: {{}}, ingress: [{rule}]}}")


@pytest.mark.parametrize("label", ["kube-dns", "nodelocaldns"])
def test_a_selector_of_pods_does_not_open_the_cache_on_the_node(label):
    (text,) = told("NPC024", CACHE, egress(DNS.replace("LABEL", label)))
    assert "cafe/menu[Pod] may not ask NodeLocal DNSCache" in text
    assert "169.254.25.10, 10.96.0.10" in text


@pytest.mark.parametrize(
    "peers", ["{ipBlock: {cidr: 169.254.25.10/32}}", "{ipBlock: {cidr: 10.96.0.0/12}}", ""]
)
def test_a_block_with_one_of_its_addresses_opens_it_and_names_resolve(peers):
    shut = egress(peers)
    assert told("NPC024", CACHE, shut) == [] == told("NPC005", CACHE, shut)


def test_without_any_way_to_dns_that_is_said_instead():
    shut = egress("{podSelector: {}}")
    assert told("NPC024", CACHE, shut) == [] != told("NPC005", CACHE, shut)


def test_a_cache_that_is_not_here_is_known_by_what_a_rule_calls_it():
    alone = egress(DNS.replace("LABEL", "node-local-dns"))
    (text,) = told("NPC024", alone)
    assert "egress[0].to[0] means the pods of NodeLocal DNSCache" in text and "169.254.20.10" in text
    both = egress(DNS.replace("LABEL", "node-local-dns") + ", {ipBlock: {cidr: 169.254.20.10/32}}")
    assert told("NPC024", both) == [] == told("NPC024", egress(DNS.replace("LABEL", "kube-dns")))


@pytest.mark.parametrize(
    ("rule", "ports"),
    [
        ("{from: [{podSelector: {}}]}", "8000/TCP, 9000/TCP"),
        ("{ports: [{port: web}]}", "9000/TCP"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}", "8000/TCP, 9000/TCP"),
        ("{from: [{ipBlock: {cidr: 169.254.7.127/32}}], ports: [{port: 9000}]}", "8000/TCP"),
        ("{from: [{ipBlock: {cidr: 169.254.7.127/32}}]}", ""),
        ("{}", ""),
    ],
)
def test_in_ambient_mode_probes_come_from_their_own_address(rule, ports):
    texts = told("NPC025", MESH, ingress(rule))
    assert [f"on {ports} fail" in t and "169.254.7.127" in t for t in texts] == ([True] if ports else [])


def test_where_the_node_is_held_to_policies_only_a_rule_for_everybody_lets_it_in():
    strict, rule = CILIUM.replace("MODE", "policy"), "{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}"
    (text,) = told("NPC025", strict, ingress(rule))
    assert "on 8000/TCP, 9000/TCP fail: Cilium's allow-localhost: policy" in text
    assert told("NPC025", strict, ingress("{ports: [{port: 8000}, {port: 9000}]}")) == []
    assert told("NPC025", CILIUM.replace("MODE", "auto"), ingress(rule)) == []


def test_elsewhere_the_pods_own_node_is_always_let_in():
    assert told("NPC025", ingress("{from: [{podSelector: {}}]}")) == []
    opted_out = MESH.replace("ambient", "none")
    assert told("NPC025", opted_out, ingress("{from: [{podSelector: {}}]}")) == []
