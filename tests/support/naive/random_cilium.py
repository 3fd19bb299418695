"""Random fleets under Cilium, policies of all of its APIs among them: what property tests draw from.

A world is what naive_cilium.py reads.
"""

from hypothesis import strategies as st

NAMESPACES = {
    "shop": {"kubernetes.io/metadata.name": "shop", "team": "red"},
    "bank": {"kubernetes.io/metadata.name": "bank", "team": "blue"},
    "lab": {"kubernetes.io/metadata.name": "lab"},
}
NODES = {"172.16.0.1": {"rack": "a"}, "172.16.0.2": {"rack": "b"}}
KNOWN = {
    "172.16.0.2": ["kube-apiserver"],
    "198.51.100.9": ["kube-apiserver"],
    "10.9.0.1": ["health"],
    "10.9.0.2": ["ingress"],
}
OUTSIDE = ["198.51.100.9", "198.51.100.200", "203.0.113.4", "10.9.0.1", "10.9.0.2", "10.1.9.9", "2001:db8::9"]
ASKED = [("TCP", 80), ("TCP", 443), ("UDP", 53), ("SCTP", 80), ("ICMP", 8), ("ICMP", 0)]


def _pod(space, number, labels, ports, account="default", host=False):
    node = list(NODES)[number % 2]
    ip = node if host else f"10.1.{list(NAMESPACES).index(space)}.{number}"
    made = {"namespace": space, "name": f"p{number}", "labels": labels, "ip": ip, "node": node}
    return f"{space}/p{number}", {**made, "ports": ports, "account": account, "host": host}


PODS = dict(
    [
        _pod("shop", 0, {"app": "web"}, [("http", 80, "TCP")]),
        _pod(
            "shop",
            1,
            {"app": "db", "pod-template-hash": "7"},
            [("sql", 443, "TCP"), ("dns", 53, "UDP")],
            "dba",
        ),
        _pod("shop", 2, {"app": "db", "k8s.io/part": "db", "canary": ""}, [("http", 443, "TCP")]),
        _pod("bank", 3, {"app": "web"}, [("HTTP", 443, "TCP")]),
        _pod("bank", 4, {"tier": "back"}, []),
        _pod("lab", 5, {"app": "web", "tier": "back"}, [("http", 80, "SCTP")]),
        _pod("shop", 6, {"app": "web"}, [("http", 80, "TCP")], host=True),
    ]
)
_KEYS = ["app", "k8s:app", "any:tier", "container:app", "canary", "pod-template-hash", "k8s.io/part"]
_OF_SPACE = [
    "io.kubernetes.pod.namespace",
    "k8s:io.kubernetes.pod.namespace",
    "io.cilium.k8s.namespace.labels.team",
    "k8s:io.cilium.k8s.namespace.labels.team",
]
_SPACES = ["shop", "shop", "bank"]  # crowded, so that policies meet
_VALUES = ["web", "db", "back", "", "7"]
_SPACE_VALUES = ["shop", "bank", "red", "blue"]


def _expressions(keys, values):
    return st.one_of(
        st.fixed_dictionaries(
            {
                "key": st.sampled_from(keys),
                "operator": st.sampled_from(["In", "NotIn"]),
                "values": st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True),
            }
        ),
        st.fixed_dictionaries(
            {"key": st.sampled_from(keys), "operator": st.sampled_from(["Exists", "DoesNotExist"])}
        ),
    )


def _selectors(keys, values):
    return st.fixed_dictionaries(
        {},
        optional={
            "matchLabels": st.dictionaries(st.sampled_from(keys), st.sampled_from(values), max_size=2),
            "matchExpressions": st.lists(_expressions(keys, values), max_size=1),
        },
    )


labels = _selectors(
    ["app", "tier", "canary", "pod-template-hash", "k8s.io/part"], _VALUES
)  # of pods, as Kubernetes selects them
endpoints = st.one_of(
    _selectors(_KEYS, _VALUES),
    _selectors([*_KEYS, *_OF_SPACE], [*_VALUES, *_SPACE_VALUES]),
    _selectors(_OF_SPACE, _SPACE_VALUES),
    st.tuples(st.sampled_from(_OF_SPACE[:2]), st.sampled_from(list(NAMESPACES))).map(
        lambda pair: {"matchLabels": dict([pair])}
    ),
    st.sampled_from(["world", "host", "remote-node", "health"]).map(
        lambda name: {"matchLabels": {f"reserved:{name}": ""}}
    ),
)
subjects = st.one_of(
    st.just({}), st.just({}), _selectors(_KEYS, _VALUES), _selectors([*_KEYS, *_OF_SPACE], _SPACE_VALUES)
)
entities = st.sampled_from(
    ["all", "world", "cluster", "host", "remote-node", "kube-apiserver", "health", "ingress", "none"]
)
cidrs = st.sampled_from(
    [
        "0.0.0.0/0",
        "198.51.100.7/24",
        "198.51.100.9/32",
        "10.0.0.0/8",
        "172.16.0.0/16",
        "2001:db8::/64",
        "::/0",
    ]
)
blocks = st.one_of(
    st.fixed_dictionaries({"cidr": cidrs}),
    st.fixed_dictionaries(
        {
            "cidr": st.sampled_from(["0.0.0.0/0", "198.51.100.7/24"]),
            "except": st.lists(st.just("198.51.100.128/25"), max_size=1),
        }
    ),
    st.sampled_from([{"cidrGroupRef": "offices"}, {"cidrGroupRef": "missing"}]),
)
ports = st.one_of(
    st.fixed_dictionaries(
        {"port": st.sampled_from(["80", "443", "53", "0"])},
        optional={
            "protocol": st.sampled_from(["TCP", "UDP", "SCTP", "ANY"]),
            "endPort": st.sampled_from([90, 500]),
        },
    ),
    st.fixed_dictionaries(
        {"port": st.sampled_from(["http", "HTTP", "sql", "dns", "none-such"])},
        optional={"protocol": st.sampled_from(["TCP", "UDP", "ANY"])},
    ),
)
to_ports = st.lists(
    st.fixed_dictionaries({}, optional={"ports": st.lists(ports, max_size=2)}), max_size=2
).map(lambda found: {"toPorts": found})
icmps = st.lists(
    st.fixed_dictionaries({"fields": st.lists(st.sampled_from([{"type": 8}, {"type": 0}]), max_size=2)}),
    max_size=1,
).map(lambda found: {"icmps": found})


def _rules(word):
    peers = st.one_of(
        st.just({}),
        *(
            st.lists(entry, max_size=2).map(lambda found, name=name: {f"{word}{name}": found})
            for name, entry in (
                ("Endpoints", endpoints),
                ("Endpoints", endpoints),
                ("Entities", entities),
                ("CIDR", cidrs),
                ("CIDRSet", blocks),
            )
        ),
    )
    far = st.one_of(st.just({}), st.just({}), to_ports, icmps)
    return st.lists(st.tuples(peers, far).map(lambda pair: {**pair[0], **pair[1]}), max_size=2)


cilium_specs = st.fixed_dictionaries(
    {"endpointSelector": subjects},
    optional={
        "ingress": _rules("from"),
        "egress": _rules("to"),
        "ingressDeny": _rules("from"),
        "egressDeny": _rules("to"),
        "enableDefaultDeny": st.fixed_dictionaries(
            {}, optional={"ingress": st.booleans(), "egress": st.booleans()}
        ),
    },
)


def _bodies():
    return st.one_of(
        cilium_specs.map(lambda spec: {"spec": spec}),
        st.lists(cilium_specs, min_size=1, max_size=2).map(lambda specs: {"specs": specs}),
    )


_kubernetes_peers = st.one_of(
    st.fixed_dictionaries({"podSelector": _selectors(["app", "tier", "k8s.io/part"], _VALUES)}),
    st.fixed_dictionaries(
        {"namespaceSelector": _selectors(["team"], ["red", "blue"])},
        optional={"podSelector": _selectors(["app"], _VALUES)},
    ),
    st.sampled_from([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["198.51.100.0/24"]}}]),
)


def _kubernetes_rules(word):
    entries = st.sampled_from(
        [{"port": 80}, {"port": "http"}, {"protocol": "UDP"}, {"port": 1, "endPort": 500}]
    )
    return st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                word: st.lists(_kubernetes_peers, max_size=2),
                "ports": st.lists(entries, max_size=1),
            },
        ),
        max_size=2,
    )


kubernetes = st.fixed_dictionaries(
    {
        "podSelector": st.one_of(st.just({}), _selectors(["app", "pod-template-hash"], _VALUES)),
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    },
    optional={"ingress": _kubernetes_rules("from"), "egress": _kubernetes_rules("to")},
)
_teams = st.sampled_from([{}, {"matchLabels": {"team": "red"}}, {"matchLabels": {"team": "blue"}}])


def _tier_rules(word, *more):
    peers = st.one_of(st.fixed_dictionaries({"namespaces": _teams}), *more)
    one = {
        "action": st.sampled_from(["Accept", "Deny", "Pass"]),
        word: st.lists(peers, min_size=1, max_size=2),
    }
    ports_of = st.just([{"tcp": {"destinationPort": {"number": 80}}}])
    return st.lists(st.fixed_dictionaries(one, optional={"protocols": ports_of}), max_size=2)


tiered = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["Admin", "Baseline"]),
        "priority": st.sampled_from([1, 2]),
        "subject": st.one_of(
            st.fixed_dictionaries({"namespaces": _teams}),
            st.fixed_dictionaries(
                {
                    "namespaceSelector": _teams,
                    "podSelector": _selectors(["app", "pod-template-hash"], _VALUES),
                }
            ).map(lambda pods: {"pods": pods}),
        ),
    },
    optional={
        "ingress": _tier_rules("from"),
        "egress": _tier_rules("to", st.just({"networks": ["0.0.0.0/0"]})),
    },
)


def _named(kind, bodies, spaces):
    api = {
        "NetworkPolicy": "networking.k8s.io/v1",
        "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
    }
    head = {"apiVersion": api.get(kind, "cilium.io/v2"), "kind": kind}
    return st.tuples(bodies, st.sampled_from(spaces)).map(
        lambda pair: {
            **head,
            "metadata": {"name": "x", **({"namespace": pair[1]} if pair[1] else {})},
            **pair[0],
        }
    )


policies = st.lists(
    st.one_of(
        _named("CiliumNetworkPolicy", _bodies(), _SPACES),
        _named("CiliumNetworkPolicy", _bodies(), _SPACES),
        _named("CiliumClusterwideNetworkPolicy", _bodies(), [""]),
        _named("NetworkPolicy", kubernetes.map(lambda spec: {"spec": spec}), _SPACES),
        _named("ClusterNetworkPolicy", tiered.map(lambda spec: {"spec": spec}), [""]),
    ),
    min_size=2,
    max_size=5,
).map(
    lambda found: [{**one, "metadata": {**one["metadata"], "name": f"p{n}"}} for n, one in enumerate(found)]
)
worlds = policies.map(
    lambda found: {
        "namespaces": NAMESPACES,
        "pods": PODS,
        "nodes": NODES,
        "known": KNOWN,
        "groups": {"offices": ["203.0.113.0/24", "10.1.9.0/24"]},
        "policies": found,
    }
)
