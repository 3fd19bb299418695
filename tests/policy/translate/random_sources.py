"""Random policies of each API over one small fleet, crowded so that they meet: what property tests of translations draw from."""

import yaml
from hypothesis import strategies as st
from written import plain

from orchestrator.policy.files.manifest import parse_all
from orchestrator.policy.schemas.acceptable import objections

SPACES = {"shop": {"team": "red"}, "bank": {"team": "blue"}, "lab": {}}
LABELS = [{}, {"app": "web"}, {"app": "db"}, {"app": "web", "role": "back"}, {"role": "back"}, {"app": ""}]
OUTSIDE = ["198.51.100.9", "198.51.100.200", "203.0.113.4", "10.1.9.9", "2001:db8::9", "2001:db8:1::9"]
PORTS = [
    {"name": "http", "containerPort": 80},
    {"name": "sql", "containerPort": 443},
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
]
BESIDE = [
    *(plain("Namespace", name, labels=labels) for name, labels in SPACES.items()),
    *(
        plain(
            "Pod",
            f"{space}/p{n}",
            {"containers": [{"name": "c", "image": "c", "ports": PORTS}]},
            labels=labels,
        )
        for space in SPACES
        for n, labels in enumerate(LABELS)
    ),
]
_VALUES = {"app": ["web", "db", ""], "role": ["back", "front"], "team": ["red", "blue"]}


def documents(policies):
    """The policies and the fleet as they are read from a file each."""
    return parse_all({f"{n}.yaml": yaml.safe_dump(o).encode() for n, o in enumerate([*policies, *BESIDE])})


def valid(policies):
    """Those that their API takes, each with a name of its own."""
    found = [{**p, "metadata": {**p["metadata"], "name": f"p{n}"}} for n, p in enumerate(policies)]
    return [p for p in found if not list(objections(p))]


def _labels(keys):
    return st.dictionaries(st.sampled_from(keys), st.just(None), max_size=2).flatmap(
        lambda found: st.fixed_dictionaries({key: st.sampled_from(_VALUES[key]) for key in found})
    )


def _expressions(keys):
    def of(key):
        return st.one_of(
            st.fixed_dictionaries(
                {
                    "key": st.just(key),
                    "operator": st.sampled_from(["In", "NotIn"]),
                    "values": st.lists(st.sampled_from(_VALUES[key]), min_size=1, max_size=2, unique=True),
                }
            ),
            st.fixed_dictionaries(
                {"key": st.just(key), "operator": st.sampled_from(["Exists", "DoesNotExist"])}
            ),
        )

    return st.lists(st.sampled_from(keys).flatmap(of), max_size=2)


def _selectors(keys, more=st.just({})):
    return st.tuples(
        st.fixed_dictionaries(
            {}, optional={"matchLabels": _labels(keys), "matchExpressions": _expressions(keys)}
        ),
        more,
    ).map(lambda pair: {**pair[0], "matchLabels": {**pair[0].get("matchLabels", {}), **pair[1]}})


pods, spaces = _selectors(["app", "role"]), _selectors(["team"])
names = st.sampled_from([{}, {}, *({"kubernetes.io/metadata.name": name} for name in SPACES)])
named_spaces = _selectors(["team"], names)
cidrs = st.sampled_from(
    ["0.0.0.0/0", "198.51.100.0/24", "198.51.100.9/32", "10.0.0.0/8", "::/0", "2001:db8::/32"]
)
blocks = st.one_of(
    st.fixed_dictionaries({"cidr": cidrs}),
    st.just({"cidr": "198.51.100.0/24", "except": ["198.51.100.128/25", "198.51.100.0/28"]}),
    st.just({"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]}),
)
_peers = st.one_of(
    st.fixed_dictionaries({"podSelector": pods}),
    st.fixed_dictionaries({"namespaceSelector": named_spaces}),
    st.fixed_dictionaries({"namespaceSelector": named_spaces, "podSelector": pods}),
    st.fixed_dictionaries({"ipBlock": blocks}),
)
_ports = st.sampled_from(
    [
        {"port": 80},
        {"port": "http"},
        {"port": "dns", "protocol": "UDP"},
        {"port": 400, "endPort": 500},
        {"protocol": "UDP"},
        {"protocol": "SCTP", "port": 80},
        {},
    ]
)


def _rules(word):
    optional = {word: st.lists(_peers, max_size=3), "ports": st.lists(_ports, max_size=3)}
    return st.lists(st.fixed_dictionaries({}, optional=optional), max_size=3)


def _made(kind, version, space, spec):
    return plain(kind, f"{space}/x" if space else "x", spec, version=version)


_in_spaces = st.sampled_from(["shop", "shop", "bank"])
network_policies = st.lists(
    st.builds(
        lambda space, spec: _made("NetworkPolicy", "networking.k8s.io/v1", space, spec),
        _in_spaces,
        st.fixed_dictionaries(
            {"podSelector": pods},
            optional={
                "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
                "ingress": _rules("from"),
                "egress": _rules("to"),
            },
        ),
    ),
    min_size=1,
    max_size=4,
).map(valid)

_KEYS = [
    {},
    {},
    {"k8s:app": "web"},
    {"any:role": "back"},
    *({"k8s:io.kubernetes.pod.namespace": name} for name in SPACES),
    {"io.cilium.k8s.namespace.labels.team": "red"},
    {"k8s:io.cilium.k8s.namespace.labels.team": "blue"},
]
_ODD_KEYS = [{"k8s:io.cilium.k8s.policy.serviceaccount": "default"}, {"reserved:host": ""}]
_anywhere = st.just({"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}]})
_ENTITIES, _ODD_ENTITIES = ["all", "all", "world", "none"], ["host", "cluster", "kube-apiserver"]
_cilium_ports = st.fixed_dictionaries(
    {"port": st.sampled_from(["80", "443", "http", "DNS", "0", "0x50"])},
    optional={"protocol": st.sampled_from(["TCP", "UDP", "ANY"]), "endPort": st.just(500)},
)
_far = st.one_of(
    st.just({}),
    st.lists(st.fixed_dictionaries({"ports": st.lists(_cilium_ports, max_size=2)}), max_size=2).map(
        lambda found: {"toPorts": found}
    ),
)
_odd_far = st.one_of(
    _far,
    st.sampled_from(
        [
            {"icmps": [{"fields": [{"type": 8}]}]},
            {"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}], "rules": {"http": [{}]}}]},
        ]
    ),
)


def _cilium_rules(word, odd):
    endpoints = _selectors(["app", "role"], st.sampled_from([*_KEYS, *(_ODD_KEYS if odd else [])]))
    entities = st.sampled_from([*_ENTITIES, *(_ODD_ENTITIES if odd else [])])
    peers = st.one_of(
        st.just({}),
        st.lists(endpoints, max_size=2).map(lambda found: {f"{word}Endpoints": found}),
        _anywhere.map(lambda one: {f"{word}Endpoints": [one]}),
        st.lists(entities, max_size=2).map(lambda found: {f"{word}Entities": found}),
        st.lists(cidrs, max_size=2).map(lambda found: {f"{word}CIDR": found}),
        st.lists(blocks, max_size=2).map(lambda found: {f"{word}CIDRSet": found}),
    )
    rule = st.tuples(peers, _odd_far if odd else _far).map(lambda pair: {**pair[0], **pair[1]})
    return st.lists(rule, min_size=1, max_size=2)


def _cilium_specs(subjects, odd):
    """Those that are `odd` say what other APIs may have no words for."""
    lists = {"ingress": _cilium_rules("from", odd), "egress": _cilium_rules("to", odd)}
    first, optional = st.sampled_from([*lists]), dict(lists)
    if odd:
        optional |= {"ingressDeny": _cilium_rules("from", odd), "egressDeny": _cilium_rules("to", odd)}
        optional["enableDefaultDeny"] = st.fixed_dictionaries(
            {}, optional={"ingress": st.booleans(), "egress": st.booleans()}
        )
    return first.flatmap(
        lambda name: st.fixed_dictionaries(
            {"endpointSelector": subjects, name: lists[name]},
            optional={key: value for key, value in optional.items() if key != name},
        )
    )


def _cilium(odd):
    own = _selectors(["app", "role"], st.sampled_from([{}, {}, {"k8s:app": "web"}]))
    spaces = [{"k8s:io.kubernetes.pod.namespace": name} for name in SPACES]
    wide_subjects = _selectors(["app", "role"], st.sampled_from([*_KEYS, *_ODD_KEYS] if odd else spaces))
    in_space = st.builds(
        lambda space, body: plain("CiliumNetworkPolicy", f"{space}/x", version="cilium.io/v2", **body),
        _in_spaces,
        st.one_of(
            _cilium_specs(own, odd).map(lambda spec: {"spec": spec}),
            st.lists(_cilium_specs(own, odd), min_size=2, max_size=2).map(lambda specs: {"specs": specs}),
        ),
    )
    wide = _cilium_specs(wide_subjects, odd).map(
        lambda spec: _made("CiliumClusterwideNetworkPolicy", "cilium.io/v2", "", spec)
    )
    return st.lists(st.one_of(in_space, in_space, wide), min_size=1, max_size=3).map(valid)


odd_cilium, cilium_policies = _cilium(odd=True), _cilium(odd=False)

_TERMS = [
    "app == 'web'", "app != 'web'", "app in {'web', 'db'}", "role not in {'back'}", "has(app)", "!has(role)", "all()", "",
    "app == 'web' || role == 'back'", "!(app == 'web' && has(role))", "projectcalico.org/orchestrator == 'k8s'",
]  # fmt: skip
_ODD_TERMS = [
    "app == 'web' && app == 'db'", "app in {}", "pcns.team == 'red'", "app starts with 'w'", "projectcalico.org/namespace == 'shop'",
]  # fmt: skip
_OF_SPACES = ["team == 'red'", "has(team)", "!has(team)", "all()", "projectcalico.org/name == 'bank'"]
_nets = st.lists(
    st.sampled_from(["198.51.100.0/24", "10.0.0.0/8", "198.51.100.9/32"]), min_size=1, max_size=2, unique=True
)
_HEADS = [
    ({}, {}), ({}, {}),
    ({"protocol": "TCP"}, {"ports": [80, "400:500", "http"]}),
    ({"protocol": "TCP"}, {"notPorts": [80, 443]}),
    ({"protocol": 17}, {}),
]  # fmt: skip
_ODD_HEADS = [
    ({"protocol": "ICMP", "icmp": {"type": 8}}, {}), ({"protocol": "ICMP", "icmp": {"type": 3, "code": 1}}, {}),
    ({"protocol": "ICMP"}, {}), ({"ipVersion": 4}, {}),
]  # fmt: skip


def _calico_rules(far, odd):
    terms, of_spaces = st.sampled_from([*_TERMS, *_ODD_TERMS] if odd else _TERMS), st.sampled_from(_OF_SPACES)
    by_labels = (
        {"namespaceSelector": of_spaces, "notSelector": terms} if odd else {"namespaceSelector": of_spaces}
    )
    ends = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"selector": terms}, optional=by_labels),
        st.fixed_dictionaries({"namespaceSelector": of_spaces, "notSelector": st.sampled_from(_TERMS)}),
        st.fixed_dictionaries({"namespaceSelector": of_spaces}),
        st.fixed_dictionaries(
            {"nets": _nets},
            optional={"notNets": st.just(["198.51.100.128/25"]), **({"selector": terms} if odd else {})},
        ),
    )
    actions = st.sampled_from(
        ["Allow", "Allow", "Deny", "Log", "Pass"] if odd else ["Allow", "Allow", "Allow", "Deny"]
    )

    def rule(action, end, head):
        body = {"action": action, **head[0], **({far: end} if end else {})}
        if head[1]:
            body["destination"] = {**body.get("destination", {}), **head[1]}
        return body

    heads = st.sampled_from([*_HEADS, *_ODD_HEADS] if odd else _HEADS)
    return st.lists(st.builds(rule, actions, ends, heads), max_size=3)


def _calico(odd):
    lists = {
        "types": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "order": st.sampled_from([10, 1000, 2000]),
        "ingress": _calico_rules("source", odd),
        "egress": _calico_rules("destination", odd),
    }
    head = st.sampled_from([{}, {}, {}, {"tier": "default"}, *([{"tier": "kube-admin"}] if odd else [])])
    subjects = st.sampled_from(
        [*_TERMS, *_ODD_TERMS] if odd else ["app == 'web'", "all()", "role == 'back' || app == 'db'"]
    )

    def of(kind, place, required, optional):
        specs = st.fixed_dictionaries({"selector": subjects, **required}, optional={**lists, **optional})
        return st.builds(
            lambda spec, more, at: plain(kind, at, {**spec, **more}, version="projectcalico.org/v3"),
            specs,
            head,
            place,
        )

    named = {
        "namespaceSelector": st.sampled_from(
            ["projectcalico.org/name == 'bank'", "projectcalico.org/name in {'shop', 'lab'}"]
        )
    }
    wide = ({}, {"namespaceSelector": st.sampled_from(_OF_SPACES)}) if odd else (named, {})
    in_space = of("NetworkPolicy", _in_spaces.map(lambda name: f"{name}/x"), {}, {})
    everywhere = of("GlobalNetworkPolicy", st.just("x"), *wide)
    return st.lists(st.one_of(in_space, in_space, everywhere), min_size=1, max_size=3).map(valid)


odd_calico, calico_policies = _calico(odd=True), _calico(odd=False)

_subjects = st.one_of(
    st.fixed_dictionaries({"namespaces": spaces}),
    st.fixed_dictionaries(
        {"pods": st.fixed_dictionaries({"namespaceSelector": spaces, "podSelector": pods})}
    ),
)
_networks = st.lists(cidrs, min_size=1, max_size=2).map(lambda found: {"networks": found})
_admin_ports = st.sampled_from(
    [
        {"portNumber": {"protocol": "TCP", "port": 80}},
        {"portRange": {"protocol": "UDP", "start": 50, "end": 60}},
        {"portNumber": {"protocol": "SCTP", "port": 443}},
    ]
)


def _admin_rules(word, actions):
    peers = st.one_of(_subjects, _networks) if word == "to" else _subjects
    required = {"action": st.sampled_from(actions), word: st.lists(peers, min_size=1, max_size=2)}
    optional = {"ports": st.lists(_admin_ports, min_size=1, max_size=2)}
    return st.lists(st.fixed_dictionaries(required, optional=optional), max_size=3)


def _admin(kind, actions, **head):
    specs = st.fixed_dictionaries(
        {"subject": _subjects, **head},
        optional={"ingress": _admin_rules("from", actions), "egress": _admin_rules("to", actions)},
    )
    return specs.map(lambda spec: _made(kind, "policy.networking.k8s.io/v1alpha1", "", spec))


_baselines = _admin("BaselineAdminNetworkPolicy", ["Allow", "Deny"]).map(
    lambda obj: {**obj, "metadata": {"name": "default"}}
)
admin_policies = st.tuples(
    st.lists(
        _admin("AdminNetworkPolicy", ["Allow", "Deny", "Pass"], priority=st.integers(0, 99)),
        max_size=3,
        unique_by=lambda policy: policy["spec"]["priority"],
    ),
    st.lists(_baselines, max_size=1),
    network_policies,
).map(
    lambda found: [*valid(found[0]), *(b for b in found[1] if not list(objections(b))), *_renamed(found[2])]
)


def _renamed(policies):
    return [{**p, "metadata": {**p["metadata"], "name": f"{p['metadata']['name']}-np"}} for p in policies]
