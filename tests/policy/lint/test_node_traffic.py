"""lint finds pods cut off from the DNS cache on their node, and from probes that do not come from the node's address."""

import pytest

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

POD = """apiVersion: v1
kind: Pod
metadata: {name: menu, namespace: cafe, labels: {app: menu}}
spec:
  containers:
  - name: c
    image: menu
    ports: [{name: web, containerPort: 8000}]
    livenessProbe: {httpGet: {port: web}}
    readinessProbe: {PROBE}
---
"""
CACHE = """apiVersion: apps/v1
kind: DaemonSet
metadata: {name: nodelocaldns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: nodelocaldns}}
  template:
    metadata: {labels: {k8s-app: nodelocaldns}}
    spec: {hostNetwork: true, containers: [{name: c, image: c, args: [-localip, "169.254.25.10,10.96.0.10"], ports: [{containerPort: 53, protocol: UDP}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: c, image: coredns, ports: [{containerPort: 53, protocol: UDP}]}]}
---
"""
NET = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: cafe}\nspec: SPEC\n"
DNS = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: LABEL}}}"
MESH = "apiVersion: v1\nkind: Namespace\nmetadata: {name: cafe, labels: {istio.io/dataplane-mode: ambient}}\n---\n"
CILIUM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {allow-localhost: MODE}\n---\n"


def said(rule, *texts):
    text = POD.replace("PROBE", "tcpSocket: {port: 9000}") + "".join(texts)
    return [f.message for f in lint(fleet(parse(text.encode(), "all.yaml"))) if f.rule.id == rule]


def egress(peers, ports="[{port: 53, protocol: UDP}]"):
    rule = f"{{to: [{peers}], ports: {ports}}}" if peers else f"{{ports: {ports}}}"
    return NET.replace("SPEC", f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{rule}]}}")


def ingress(rule):
    return NET.replace("SPEC", f"{{podSelector: {{}}, ingress: [{rule}]}}")


@pytest.mark.parametrize("label", ["kube-dns", "nodelocaldns"])
def test_a_selector_of_pods_does_not_open_the_cache_on_the_node(label):
    (text,) = said("NPC024", CACHE, egress(DNS.replace("LABEL", label)))
    assert "cafe/menu[Pod] may not ask NodeLocal DNSCache" in text
    assert "169.254.25.10, 10.96.0.10" in text


@pytest.mark.parametrize(
    "peers", ["{ipBlock: {cidr: 169.254.25.10/32}}", "{ipBlock: {cidr: 10.96.0.0/12}}", ""]
)
def test_a_block_with_one_of_its_addresses_opens_it_and_names_resolve(peers):
    policy = egress(peers)
    assert said("NPC024", CACHE, policy) == [] == said("NPC005", CACHE, policy)


def test_without_any_way_to_dns_that_is_said_instead():
    policy = egress("{podSelector: {}}")
    assert said("NPC024", CACHE, policy) == [] != said("NPC005", CACHE, policy)


def test_a_cache_that_is_not_here_is_known_by_what_a_rule_calls_it():
    alone = egress(DNS.replace("LABEL", "node-local-dns"))
    (text,) = said("NPC024", alone)
    assert "egress[0].to[0] means the pods of NodeLocal DNSCache" in text and "169.254.20.10" in text
    both = egress(DNS.replace("LABEL", "node-local-dns") + ", {ipBlock: {cidr: 169.254.20.10/32}}")
    assert said("NPC024", both) == [] == said("NPC024", egress(DNS.replace("LABEL", "kube-dns")))


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
    texts = said("NPC025", MESH, ingress(rule))
    assert [f"on {ports} fail" in t and "169.254.7.127" in t for t in texts] == ([True] if ports else [])


def test_where_the_node_is_held_to_policies_only_a_rule_for_everybody_lets_it_in():
    strict, rule = CILIUM.replace("MODE", "policy"), "{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}"
    (text,) = said("NPC025", strict, ingress(rule))
    assert "on 8000/TCP, 9000/TCP fail: Cilium's allow-localhost: policy" in text
    assert said("NPC025", strict, ingress("{ports: [{port: 8000}, {port: 9000}]}")) == []
    assert said("NPC025", CILIUM.replace("MODE", "auto"), ingress(rule)) == []


def test_elsewhere_the_pods_own_node_is_always_let_in():
    assert said("NPC025", ingress("{from: [{podSelector: {}}]}")) == []
    opted_out = MESH.replace("ambient", "none")
    assert said("NPC025", opted_out, ingress("{from: [{podSelector: {}}]}")) == []
