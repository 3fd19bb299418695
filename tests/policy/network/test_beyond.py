"""Addresses are asked about once for all that no rule tells apart, and the answers are those of asking about each."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st
from written import plain

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.beyond import Beyond, between
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.ranges import Range, ranges
from orchestrator.policy.objects.directions import INGRESS, Direction
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
    beyond = Beyond(found, net, spans)
    for side in Direction:
        for workload, runs in beyond.answers(side, found.workloads).values():
            for at, end, mask in beyond.stretches(runs):
                for span in spans[at:end]:
                    ends = side.ends(workload.pod, str(span.first))
                    assert between(net, *ends) == mask


@given(RULES, RULES, RULES)
def test_a_change_is_what_differs_at_single_addresses(first, second, third):
    old, new = read(policy("a", first, second)), read(policy("a", third, second))
    found = {}
    for change in changes(old, new, profile("calico")):
        for src, dst in ((change.src, change.dst),):
            for place, other, side in ((src, dst, "from"), (dst, src, "to")):
                if isinstance(place, Range):
                    found.setdefault((other.name, side), []).append((place, change.before, change.after))
    nets = [f.network(profile("calico")) for f in (old, new)]
    for workload in old.workloads:
        for side, ends in (("from", lambda a, w: (a, w.pod)), ("to", lambda a, w: (w.pod, a))):
            told = found.get((workload.name, side), [])
            for span in ranges(old, new):
                sets = [between(net, *ends(str(span.first), workload)) for net in nets]
                mine = [
                    t[1:]
                    for t in told
                    if t[0].first.version == span.first.version and t[0].first <= span.first <= t[0].last
                ]
                assert mine == ([tuple(sets)] if sets[0] != sets[1] else [])


def test_a_node_s_address_is_like_no_other():
    found = read(policy("a", [([{"ipBlock": {"cidr": "192.0.2.7/32"}}], [])], []))
    beyond = Beyond(found, found.network(), ranges(found))
    (pod, _) = (w.pod for w in found.workloads)
    kinds = [kind for _, kind in beyond.kinds(pod, INGRESS)]
    assert len(kinds) == 3 and kinds[0] == kinds[2] != kinds[1]
    unnamed = read(policy("a", [], []), policy("b", [([{"ipBlock": {"cidr": "192.0.2.7/32"}}], [])], []))
    elsewhere = Beyond(unnamed, read(policy("a", [], [])).network(), ranges(unnamed))
    assert len({kind for _, kind in elsewhere.kinds(pod, INGRESS)}) == 2  # though no rule of its own names it


def test_many_blocks_share_their_answers():
    """Of 3,000 blocks with their 6,000 ranges each answer is kept once, and each reason."""
    many = [{"ipBlock": {"cidr": f"10.{n // 250}.{n % 250}.0/25"}} for n in range(3000)]
    old, new = read(policy("a", [], [])), read(policy("a", [(many, [])], []))
    found = changes(old, new)
    assert len(found) > 5000
    assert len({id(c.after) for c in found}) <= 4 and len({id(c.because) for c in found}) <= 4
