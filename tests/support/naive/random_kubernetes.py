"""Random fleets under the Kubernetes APIs alone: pods of both families and on the host's network, and policies of every kind."""

from hypothesis import strategies as st
from written import plain

from orchestrator.policy.objects.pod import NamedPort, Pod
from orchestrator.policy.schemas.acceptable import objections

NAMESPACES = {
    "shop": {"kubernetes.io/metadata.name": "shop", "team": "red", "env": "prod"},
    "bank": {"kubernetes.io/metadata.name": "bank", "team": "blue", "env": "prod"},
    "lab": {"kubernetes.io/metadata.name": "lab", "team": "red"},
}
NODES = {"172.16.0.1": {"rack": "a"}, "172.16.0.2": {"rack": "b"}, "fd16::2": {"rack": "b"}}
_ON_ONE = {"node_ip": "172.16.0.1"}
_ON_TWO = {"node_ip": "172.16.0.2", "other_node_ips": ("fd16::2",)}
PODS = [
    Pod("shop", "web", {"app": "web"}, "10.1.0.1", (NamedPort("http", 80),), **_ON_ONE),
    Pod(
        "shop",
        "db",
        {"app": "db", "tier": "back"},
        "10.1.0.2",
        (NamedPort("http", 443), NamedPort("dns", 53, "UDP")),
        other_ips=("fd00::2",),
        **_ON_TWO,
    ),
    Pod(
        "bank",
        "web",
        {"app": "web", "tier": ""},
        "10.1.1.3",
        (NamedPort("http", 80, "UDP"),),
        many=True,
        **_ON_ONE,
    ),
    Pod("bank", "six", {"app": "db"}, "fd00::4", (NamedPort("http", 80),), node_ip="fd16::2"),
    Pod("lab", "none", {"tier": "back"}, "", (NamedPort("dns", 53), NamedPort("dns", 53, "UDP"))),
    Pod("lab", "host", {"app": "web"}, "172.16.0.1", (NamedPort("http", 80),), host_network=True, **_ON_ONE),
]
OUTSIDE = ["198.51.100.9", "203.0.113.4", "10.1.9.9", "2001:db8::9"]
PORTS = [
    *(("TCP", n) for n in (1, 79, 80, 81, 90, 91, 443, 500, 501)),
    ("UDP", 53),
    ("UDP", 80),
    ("SCTP", 80),
]


def selectors(**values):
    keys = st.sampled_from([*values])
    one = keys.flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(values[key])))
    listed = keys.flatmap(
        lambda key: st.fixed_dictionaries(
            {
                "key": st.just(key),
                "operator": st.sampled_from(["In", "NotIn"]),
                "values": st.lists(st.sampled_from(values[key]), min_size=1, max_size=2, unique=True),
            }
        )
    )
    there = st.fixed_dictionaries({"key": keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])})
    return st.one_of(
        st.just({}),
        one.map(lambda pair: {"matchLabels": dict([pair])}),
        st.lists(listed | there, min_size=1, max_size=2).map(lambda found: {"matchExpressions": found}),
    )


pods = selectors(app=["web", "db"], tier=["back", ""])
spaces = selectors(team=["red", "blue"], env=["prod"], **{"kubernetes.io/metadata.name": ["shop", "bank"]})
racks = selectors(rack=["a", "b"])
cidrs = st.sampled_from(
    [
        "0.0.0.0/0",
        "10.1.0.0/16",
        "10.1.0.0/24",
        "10.1.0.2/32",
        "172.16.0.1/32",
        "198.51.100.0/24",
        "::/0",
        "fd00::/64",
    ]
)
blocks = st.one_of(
    cidrs.map(lambda cidr: {"cidr": cidr}),
    st.lists(st.sampled_from(["10.1.0.0/24", "198.51.100.0/25"]), min_size=1, max_size=2, unique=True).map(
        lambda some: {"cidr": "0.0.0.0/0", "except": some}
    ),
    st.just({"cidr": "::/0", "except": ["fd00::2/128"]}),
)
_PROTOCOLS = st.sampled_from(["TCP", "UDP", "SCTP"])
_ports = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"protocol": _PROTOCOLS, "port": st.sampled_from([80, 443, "http", "dns"])}
    ),
    st.fixed_dictionaries(
        {"port": st.just(80), "endPort": st.sampled_from([80, 90, 500])}, optional={"protocol": _PROTOCOLS}
    ),
)


def _rules(word):
    peers = st.one_of(
        st.fixed_dictionaries({"podSelector": pods}),
        st.fixed_dictionaries({"namespaceSelector": spaces}, optional={"podSelector": pods}),
        st.fixed_dictionaries({"ipBlock": blocks}),
    )
    fields = {word: st.lists(peers, max_size=2), "ports": st.lists(_ports, max_size=2)}
    return st.lists(st.fixed_dictionaries({}, optional=fields), max_size=2)


_types = st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
of_namespaces = st.fixed_dictionaries(
    {"podSelector": pods}, optional={"policyTypes": _types, "ingress": _rules("from"), "egress": _rules("to")}
)
_both = st.fixed_dictionaries({"namespaceSelector": spaces, "podSelector": pods})
subjects = st.one_of(st.fixed_dictionaries({"namespaces": spaces}), st.fixed_dictionaries({"pods": _both}))
_beyond = {
    "networks": st.lists(cidrs, min_size=1, max_size=2, unique=True),
    "nodes": racks,
    "domainNames": st.just(["api.example.org"]),
}
_beyond_pods = st.one_of(*(st.fixed_dictionaries({name: given}) for name, given in _beyond.items()))
_range = st.sampled_from([{"start": 80, "end": 90}, {"start": 1, "end": 500}])
_admin_ports = st.one_of(
    st.fixed_dictionaries({"port": st.sampled_from([80, 443])}, optional={"protocol": _PROTOCOLS}).map(
        lambda one: {"portNumber": one}
    ),
    _range.map(lambda some: {"portRange": some}),
    st.sampled_from(["http", "dns"]).map(lambda name: {"namedPort": name}),
)
_tier_ports = st.one_of(
    st.tuples(
        st.sampled_from(["tcp", "udp"]),
        st.one_of(
            st.just({}),
            st.sampled_from([80, 443]).map(lambda n: {"destinationPort": {"number": n}}),
            _range.map(lambda some: {"destinationPort": {"range": some}}),
        ),
    ).map(lambda pair: dict([pair])),
    st.sampled_from(["http", "dns"]).map(lambda name: {"destinationNamedPort": name}),
)


def _cluster_rules(word, actions, ports, entries):
    peers = subjects if word == "from" else st.one_of(subjects, subjects, _beyond_pods)
    one = {"action": st.sampled_from(actions), word: st.lists(peers, min_size=1, max_size=2)}
    optional = {ports: st.lists(entries, min_size=1, max_size=2)}
    return st.lists(st.fixed_dictionaries(one, optional=optional), max_size=3)


def _of_cluster(actions, ports, entries, **head):
    sides = {
        side: _cluster_rules(word, actions, ports, entries)
        for side, word in (("ingress", "from"), ("egress", "to"))
    }
    return st.fixed_dictionaries({"subject": subjects, **head}, optional=sides)


_priorities = {"priority": st.sampled_from([1, 2, 2, 3])}
BODIES = {
    "NetworkPolicy": of_namespaces,
    "AdminNetworkPolicy": _of_cluster(["Allow", "Deny", "Pass"], "ports", _admin_ports, **_priorities),
    "BaselineAdminNetworkPolicy": _of_cluster(["Allow", "Deny"], "ports", _admin_ports),
    "ClusterNetworkPolicy": _of_cluster(
        ["Accept", "Deny", "Pass"],
        "protocols",
        _tier_ports,
        tier=st.sampled_from(["Admin", "Admin", "Baseline"]),
        **_priorities,
    ),
}


def _named(kind):
    where = st.sampled_from([*NAMESPACES]) if kind == "NetworkPolicy" else st.just("")
    return st.tuples(st.just(kind), where, BODIES[kind])


_EITHER = [
    ["NetworkPolicy", "AdminNetworkPolicy", "AdminNetworkPolicy"],
    ["NetworkPolicy", "ClusterNetworkPolicy"],
]


def _numbered(found):
    return [
        plain(kind, f"{space}/p{number}".lstrip("/"), spec)
        for number, (kind, space, spec) in enumerate(found)
    ]


def _with_baseline(pair):
    found, base = pair
    return [*_numbered(found), *([plain("BaselineAdminNetworkPolicy", "default", base)] if base else [])]


policies = st.one_of(
    st.lists(st.one_of(*map(_named, _EITHER[1])), max_size=5).map(_numbered),
    st.tuples(
        st.lists(st.one_of(*map(_named, _EITHER[0])), max_size=5),
        st.none() | BODIES["BaselineAdminNetworkPolicy"],
    ).map(_with_baseline),
).map(lambda found: [p for p in found if not any(objections(p))])  # those that the API takes
