"""A connection is of one IP family: what one end allows over IPv4 and the other over IPv6 alone is none."""

import pytest
from written import plain

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.evaluate.pod_index import PodIndex
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.port_sets import ALL, contains
from orchestrator.policy.workloads.fleet import fleet, pods_of

FOUR, SIX = "10.1.0.0/16", "2001:db8:1::/48"


def pod(name, *ips, nodes=("192.0.2.1", "2001:db8:9::1")):
    status = {
        "podIP": ips[0],
        "podIPs": [{"ip": ip} for ip in ips],
        "hostIP": nodes[0],
        "hostIPs": [{"ip": ip} for ip in nodes],
    }
    return plain("Pod", f"both/{name}", {"containers": [{"name": "c"}]}, {"app": name}, status=status)


def policy(app, ingress=None, egress=None):
    rules = {"ingress": [{"from": [{"ipBlock": {"cidr": ingress}}]}]} if ingress else {}
    rules |= {"egress": [{"to": [{"ipBlock": {"cidr": egress}}]}]} if egress else {}
    sides = [side for side, given in (("Ingress", ingress), ("Egress", egress)) if given]
    spec = {"podSelector": {"matchLabels": {"app": app}}, "policyTypes": sides, **rules}
    return {"metadata": {"name": app, "namespace": "both"}, "spec": spec}


def answer(policies, cni="calico", src=("10.1.0.1", "2001:db8:1::1"), dst=("10.1.0.2", "2001:db8:1::2")):
    one, other = pods_of([pod("one", *src), pod("other", *dst)])
    net = Network({"both": {}}, policies, settled=profile(cni))
    found = net.decide(one, other, "TCP", 80).allowed
    assert cni == "generic" or contains(net.over_ports(one, other, ALL), "TCP", 80) == found
    assert cni == "generic" or net.allowed(one, other, "TCP", 80) == found
    return found


@pytest.mark.parametrize("block", [FOUR, SIX])
def test_a_block_of_either_family_lets_the_pod_in(block):
    assert answer([policy("other", ingress=block)]) is True
    assert answer([policy("one", egress=block)]) is True
    assert answer([policy("other", ingress=block)], cni="generic") is None
    assert answer([policy("other", ingress="10.9.0.0/16")]) is False


def test_both_ends_have_to_allow_the_same_family():
    assert answer([policy("one", egress=FOUR), policy("other", ingress=FOUR)]) is True
    assert answer([policy("one", egress=FOUR), policy("other", ingress=SIX)]) is False


def test_who_has_one_family_talks_over_that_one():
    assert answer([policy("other", ingress=SIX)], src=("10.1.0.1",)) is False
    assert answer([policy("other", ingress=FOUR)], src=("10.1.0.1",)) is True


def test_its_node_reaches_a_pod_over_either_address_and_others_over_none():
    (other,) = pods_of([pod("other", "10.1.0.2", "2001:db8:1::2")])
    net = Network({"both": {}}, [policy("other", ingress="203.0.113.0/24")])
    for address, allowed in (
        ("192.0.2.1", True),
        ("2001:db8:9::1", True),
        ("2001:db8:9::2", False),
        ("192.0.2.2", False),
    ):
        assert net.allowed(address, other, "TCP", 80) is allowed, address


def test_the_index_knows_every_address():
    pods = pods_of([pod("one", "10.1.0.1"), pod("other", "10.1.0.2", "2001:db8:1::2")])
    index = PodIndex(pods, {"both": {}})
    assert [index.covered(Networks([cidr])) for cidr in (FOUR, SIX, "::/0")] == [0b11, 0b10, 0b10]
    assert index.covered(Networks(blocks=[{"cidr": FOUR, "except": ["10.1.0.1/32"]}])) == 0b10


def test_an_address_that_is_none_is_said_with_its_place():
    found = fleet(
        [Document(pod("one", "10.1.0.300"), "pods.yaml", 7), Document(pod("two", "10.1.0.3"), "pods.yaml", 9)]
    )
    ((document, wrong),) = found.malformed
    assert (document.path, document.line) == ("pods.yaml", 7) and "10.1.0.300" in wrong
    assert [w.pod.name for w in found.workloads] == ["two"]
    assert any("pods.yaml:7" in text for text in found.skipped)
