"""lint finds blocks that hold no address, and blocks that cover addresses within the cluster."""

import pytest
from linted import said
from written import pod, policy, written

POLICY = policy("pier/out", "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: BLOCK}]}]}")
ADDRESSES = '{podIP: 10.42.3.9, podIPs: [{ip: 10.42.3.9}, {ip: "2001:db8:42::9"}], hostIP: 192.168.4.4}'
POD = pod("pier/crane", more="hostNetwork: NODE", status=ADDRESSES)
SERVICE = written(
    "Service", "pier/NAME", "{clusterIP: 10.43.0.10, clusterIPs: [10.43.0.10], ports: [{port: 53}]}"
)
RANGES = "networking: {podSubnet: '10.42.0.0/16,2001:db8:42::/56', serviceSubnet: 10.43.0.0/16}"
KUBEADM = written("ConfigMap", "kube-system/kubeadm-config", data=f'{{ClusterConfiguration: "{RANGES}"}}')


def blocked(rule, block, beside=POD.replace("NODE", "false")):
    return said(rule, POLICY.replace("BLOCK", block), beside)


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
    assert bool(blocked("NPC020", block)) is empty


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
    (text,) = blocked("NPC021", block)
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
    assert blocked("NPC021", block) == []


def test_a_pod_on_its_node_s_network_has_the_node_s_address():
    assert blocked("NPC021", "{cidr: 10.0.0.0/8}", POD.replace("NODE", "true")) == []


def test_ranges_of_services_and_of_the_cluster_s_own_configuration_count():
    (text,) = blocked("NPC021", "{cidr: 10.43.0.10/32}", SERVICE.replace("NAME", "ledger"))
    assert "translated before policies see" in text and "10.43.0.10 of Service ledger" in text
    # NodeLocal DNSCache takes the address of the cluster's DNS over.
    dns = POLICY.replace("BLOCK}]", "BLOCK}], ports: [{port: 53, protocol: UDP}]")
    assert said("NPC021", dns.replace("BLOCK", "{cidr: 10.43.0.10/32}"), SERVICE) == []
    services, pods = blocked("NPC021", "{cidr: 10.40.0.0/13}", KUBEADM)
    assert "10.42.0.0/16, podSubnet of kubeadm-config" in pods
    assert "10.43.0.0/16, serviceSubnet of kubeadm-config" in services
    assert blocked("NPC021", "{cidr: 10.42.7.0/24}", KUBEADM.replace("podSubnet", "other")) == []


def test_configuration_of_another_shape_hides_nothing_else():
    broken = KUBEADM.replace("networking:", "networks:")
    assert len(blocked("NPC021", "{cidr: 10.0.0.0/8}", broken + POD.replace("NODE", "false"))) == 1
