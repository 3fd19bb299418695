"""After every single write nothing is open that neither end opens, and nothing closed that both open."""

from hypothesis import given, settings
from hypothesis import strategies as st
from random_policies import ADDRESSES, PODS, PORTS, SPACES, policy, sets, specs

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.writes.write_order import steps
from orchestrator.rollout.resources.objects import by_key
from orchestrator.writing.converge import path

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


@settings(max_examples=250)
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
