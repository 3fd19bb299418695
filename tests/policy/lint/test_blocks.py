"""lint finds blocks that hold no address, and blocks that cover addresses within the cluster."""

import pytest

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: pier}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: BLOCK}]}]}
---
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: crane, namespace: pier, labels: {app: crane}}
spec: {containers: [{name: c, image: crane}], hostNetwork: NODE}
status: {podIP: 10.42.3.9, podIPs: [{ip: 10.42.3.9}, {ip: "2001:db8:42::9"}], hostIP: 192.168.4.4}
---
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: pier}
spec: {clusterIP: 10.43.0.10, clusterIPs: [10.43.0.10], ports: [{port: 53}]}
---
"""
KUBEADM = """apiVersion: v1
kind: ConfigMap
metadata: {name: kubeadm-config, namespace: kube-system}
data: {ClusterConfiguration: "networking: {podSubnet: '10.42.0.0/16,2001:db8:42::/56', serviceSubnet: 10.43.0.0/16}"}
---
"""


def said(rule, block, beside=POD.replace("NODE", "false")):
    found = lint(fleet(parse((POLICY.replace("BLOCK", block) + beside).encode(), "all.yaml")))
    return [f.message for f in found if f.rule.id == rule]


@pytest.mark.parametrize(
    ("block", "empty"),
    [
        ("{cidr: 203.0.113.0/24, except: [203.0.113.0/25, 203.0.113.128/26, 203.0.113.192/26]}", True),
        ("{cidr: '2001:db8::/32', except: ['2001:db8::/33', '2001:db8:8000::/33']}", True),
        ("{cidr: 203.0.113.0/24, except: [203.0.113.0/25, 203.0.113.128/26]}", False),
        ("{cidr: 203.0.113.0/24}", False),
    ],
)
def test_excepts_that_together_cover_all_leave_nothing(block, empty):
    assert bool(said("NPC020", block)) is empty


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("{cidr: 10.0.0.0/8}", "10.42.3.9 of pier/crane"),
        ("{cidr: 10.42.3.9/32}", "10.42.3.9 of pier/crane"),
        ("{cidr: '2001:db8::/32'}", "2001:db8:42::9 of pier/crane"),
        ("{cidr: 0.0.0.0/0, except: [192.168.0.0/16, 172.16.0.0/12]}", "10.42.3.9 of pier/crane"),
    ],
)
def test_a_block_over_a_pod_s_address_is_found(block, what):
    (text,) = said("NPC021", block)
    assert text.startswith("egress[0].to[0] ") and what in text and "Cilium" in text


@pytest.mark.parametrize(
    "block",
    [
        "{cidr: 10.0.0.0/8, except: [10.42.0.0/16]}",
        "{cidr: 192.168.0.0/16}",  # the node's
        "{cidr: 0.0.0.0/0}",  # another finding says what is wrong with it
        "{cidr: 203.0.113.0/24}",
    ],
)
def test_blocks_beside_the_pods_are_right(block):
    assert said("NPC021", block) == []


def test_a_pod_on_its_node_s_network_has_the_node_s_address():
    assert said("NPC021", "{cidr: 10.0.0.0/8}", POD.replace("NODE", "true")) == []


def test_ranges_of_services_and_of_the_cluster_s_own_configuration_count():
    (text,) = said("NPC021", "{cidr: 10.43.0.10/32}", SERVICE.replace("NAME", "ledger"))
    assert "translated before policies see" in text and "10.43.0.10 of Service ledger" in text
    # NodeLocal DNSCache takes the address of the cluster's DNS over.
    dns = POLICY.replace("BLOCK}]", "BLOCK}], ports: [{port: 53, protocol: UDP}]")
    found = lint(fleet(parse((dns.replace("BLOCK", "{cidr: 10.43.0.10/32}") + SERVICE).encode(), "all.yaml")))
    assert "NPC021" not in {f.rule.id for f in found}
    services, pods = said("NPC021", "{cidr: 10.40.0.0/13}", KUBEADM)
    assert "10.42.0.0/16, podSubnet of kubeadm-config" in pods
    assert "10.43.0.0/16, serviceSubnet of kubeadm-config" in services
    assert said("NPC021", "{cidr: 10.42.7.0/24}", KUBEADM.replace("podSubnet", "other")) == []


def test_configuration_of_another_shape_hides_nothing_else():
    broken = KUBEADM.replace("networking:", "networks:")
    assert len(said("NPC021", "{cidr: 10.0.0.0/8}", broken + POD.replace("NODE", "false"))) == 1
