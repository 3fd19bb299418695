"""After every single write nothing is open that neither end opens, and nothing closed that both open."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.policy.evaluator import Network, Pod
from orchestrator.policy.order import steps
from orchestrator.rollout.objects import by_key
from orchestrator.steps.write import path

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
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**kind, "metadata": {"name": name, "namespace": "x"}, "spec": kept}


sets = st.dictionaries(st.sampled_from("pqr"), specs, max_size=3).map(
    lambda found: [policy(name, spec) for name, spec in found.items()]
)
CONNECTIONS = [
    (src, dst, port)
    for src, dst in [
        *((a, b) for a in PODS for b in PODS if a is not b and "x" in (a.namespace, b.namespace)),
        *((p, a) for p in PODS if p.namespace == "x" for a in ADDRESSES),
        *((a, p) for p in PODS if p.namespace == "x" for a in ADDRESSES),
    ]
    for port in PORTS
]


def opened(policies):
    net = Network(SPACES, policies)
    return {number for number, (s, d, p) in enumerate(CONNECTIONS) if net.allowed(s, d, "TCP", p)}


@settings(max_examples=250, deadline=None)
@given(before=sets, after=sets, unchanged=st.lists(specs, max_size=1))
def test_every_state_on_the_way_is_between_its_ends(before, after, unchanged):
    others = [policy("unchanged", spec) for spec in unchanged]
    same = [p for p in before if p in after]
    before, after = ([p for p in side if p not in same] for side in (before, after))
    others += same
    order = steps("x", before, after, others, "tag")
    states = path("x", by_key(before), by_key(after), by_key(others), "rollout")
    first, last = opened([*before, *others]), opened([*after, *others])
    assert by_key(states[-1].values()) == by_key(after)
    assert order.exact, order.note
    for state in states:
        now = opened([*state.values(), *others])
        assert now <= first | last, [CONNECTIONS[i] for i in now - first - last][:3]
        assert now >= first & last, [CONNECTIONS[i] for i in (first & last) - now][:3]


def test_a_single_object_is_one_write():
    one = policy("p", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]})
    other = policy(
        "p", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []}
    )
    assert [w.action for w in steps("x", [one], [other], [], "tag").writes] == ["replace"]
    assert [w.action for w in steps("x", [], [other], [], "tag").writes] == ["create"]
    assert [w.action for w in steps("x", [one], [], [], "tag").writes] == ["delete"]


def test_what_no_rule_can_say_is_said_in_words():
    def named(port, app):
        allow = {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"port": port}]}],
        }
        deny = {"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Egress"], "egress": []}
        return [policy("p", {**allow, "egress": [{}]}), policy("q", deny)]

    order = steps("x", named("http", "a"), named(8080, "b"), [], "tag")
    assert not order.exact and "may open or break briefly" in order.note
