"""Random policies of one namespace, x, beside another one, y: what property tests draw from."""

import itertools

from hypothesis import strategies as st
from written import plain

from orchestrator.policy.objects.pod import Pod

SPACES = {n: {"kubernetes.io/metadata.name": n, "team": t} for n, t in (("x", "red"), ("y", "blue"))}
PODS = [
    Pod(space, f"{app}-{tier}-{space}", {"app": app, "tier": tier})
    for space, app, tier in itertools.product("xy", "ab", "mn")
    if space == "x" or tier == "m"
]
ADDRESSES = ["10.0.0.1", "10.0.1.1", "192.0.2.1"]
PORTS = [80, 443]

selectors = st.sampled_from(
    [
        {},
        {"matchLabels": {"app": "a"}},
        {"matchLabels": {"app": "b"}},
        {"matchLabels": {"app": "a", "tier": "m"}},
        {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["m"]}]},
    ]
)
spaces = st.sampled_from([{}, {"matchLabels": {"team": "red"}}, {"matchLabels": {"team": "blue"}}])
blocks = st.sampled_from(
    [{"cidr": "10.0.0.0/16"}, {"cidr": "10.0.0.0/24"}, {"cidr": "0.0.0.0/0", "except": ["10.0.1.0/24"]}]
)
peers = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": spaces}),
    st.fixed_dictionaries({"namespaceSelector": spaces, "podSelector": selectors}),
    st.fixed_dictionaries({"ipBlock": blocks}),
)
ports = st.sampled_from([{"port": 80}, {"port": 443}, {"port": 1, "endPort": 100}, {"protocol": "TCP"}])


def rules(side):
    return st.lists(
        st.fixed_dictionaries(
            {}, optional={side: st.lists(peers, max_size=2), "ports": st.lists(ports, max_size=1)}
        ),
        max_size=2,
    )


specs = st.fixed_dictionaries(
    {
        "podSelector": selectors,
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": rules("from"),
        "egress": rules("to"),
    }
)


def policy(name, spec):
    kept = {k: v for k, v in spec.items() if k.capitalize() in spec["policyTypes"] or not k.endswith("gress")}
    return plain("NetworkPolicy", f"x/{name}", kept)


sets = st.dictionaries(st.sampled_from("pqr"), specs, max_size=3).map(
    lambda found: [policy(name, spec) for name, spec in found.items()]
)
