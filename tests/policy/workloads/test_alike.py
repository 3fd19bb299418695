"""Addresses are asked about once for all that no rule tells apart, and the answers are those of asking about each."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st
from written import plain

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import between, ranges, table
from orchestrator.policy.workloads.alike import alike
from orchestrator.policy.workloads.fleet import fleet

CIDRS = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "192.0.2.7/32",
    "::/0",
    "2001:db8::/32",
    "2001:db8:1::/48",
]
INSIDE = {a: [b for b in CIDRS if b != a and ipaddress.ip_network(b).version == ipaddress.ip_network(a).version and ipaddress.ip_network(b).subnet_of(ipaddress.ip_network(a))] for a in CIDRS}  # fmt: skip


@st.composite
def block(draw):
    cidr = draw(st.sampled_from(CIDRS))
    inside = INSIDE[cidr]
    return {"ipBlock": {"cidr": cidr, "except": draw(st.lists(st.sampled_from(inside), max_size=2, unique=True))}} if inside else {"ipBlock": {"cidr": cidr}}  # fmt: skip


PEERS = st.lists(block() | st.just({"podSelector": {}}), max_size=3)
RULES = st.lists(st.tuples(PEERS, st.sampled_from([[], [{"port": 80}], [{"port": 443}]])), max_size=3)


def policy(name, ingress, egress):
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers, "ports": ports} for peers, ports in ingress],
        "egress": [{"to": peers, "ports": ports} for peers, ports in egress],
    }
    return plain("NetworkPolicy", f"shop/{name}", spec)


def pod(name, ips, node):
    status = {"podIPs": [{"ip": ip} for ip in ips], "hostIP": node}
    return plain("Pod", f"shop/{name}", {"containers": []}, {"app": name}, status=status)


PODS = [pod("one", ["10.1.2.3", "2001:db8:1::3"], "192.0.2.7"), pod("other", ["10.1.2.4"], "10.1.0.0")]


def read(*policies):
    return fleet([Document(obj, "all.yaml", n) for n, obj in enumerate([*PODS, *policies], 1)])


@given(RULES, RULES, RULES)
def test_each_range_is_answered_as_if_it_were_asked_about_alone(first, second, third):
    found = read(policy("a", first, second), policy("b", third, first))
    net, spans = found.network(profile("calico")), ranges(found)
    answers = table(found, profile("calico"), spans)
    for span in spans:
        for workload in found.workloads:
            address = str(span.first)
            for src, dst, ends in (
                (span, workload, (address, workload.pod)),
                (workload, span, (workload.pod, address)),
            ):
                known = answers.get((src.name, dst.name))
                assert (known.ports if known else 0) == between(net, *ends)


def test_a_node_s_address_is_like_no_other():
    found = read(policy("a", [([{"ipBlock": {"cidr": "192.0.2.0/24"}}], [])], []))
    addresses = [ipaddress.ip_address(f"192.0.2.{n}") for n in (1, 7, 9)]
    kinds = alike(found, addresses)
    assert kinds[0] == kinds[2] != kinds[1]


def test_many_blocks_share_their_answers():
    """Of 3,000 blocks with their 6,000 ranges each answer is kept once, and each reason."""
    many = [{"ipBlock": {"cidr": f"10.{n // 250}.{n % 250}.0/25"}} for n in range(3000)]
    old, new = read(policy("a", [], [])), read(policy("a", [(many, [])], []))
    found = changes(old, new)
    assert len(found) > 5000
    assert len({id(c.after) for c in found}) <= 4 and len({id(c.because) for c in found}) <= 4
