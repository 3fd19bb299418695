"""Between the writes of mixed kinds nothing opens that neither end opens, and nothing closes that both open; or the plan says so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_policies import PODS, PORTS, SPACES, policy, sets, specs
from written import plain

from orchestrator.planning.between_writes import note
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.files.manifest import Document
from orchestrator.rollout.order.plan import NamespacePlan, ObjectChange
from orchestrator.rollout.order.write_path import path
from orchestrator.rollout.resources.objects import by_key

CONNECTIONS = [
    (src, dst, port)
    for src in PODS
    for dst in PODS
    if src is not dst and "x" in (src.namespace, dst.namespace)
    for port in PORTS
]
CILIUM, CALICO = "cilium.io/v2", "projectcalico.org/v3"
labels = st.sampled_from([{}, {"app": "a"}, {"app": "b"}, {"app": "a", "tier": "m"}])
ports = st.lists(st.sampled_from(["80", "443"]), max_size=1)


def cilium_rules(end):
    def rule(given):
        wanted, numbers = given
        to = [{"ports": [{"port": n, "protocol": "TCP"} for n in numbers]}] if numbers else []
        return {end: [{"matchLabels": wanted}], **({"toPorts": to} if to else {})}

    return st.lists(st.tuples(labels, ports).map(rule), min_size=1, max_size=2)


def ciliums(name):
    parts = {
        "ingress": cilium_rules("fromEndpoints"),
        "egress": cilium_rules("toEndpoints"),
        "ingressDeny": cilium_rules("fromEndpoints"),
    }
    some = st.fixed_dictionaries({}, optional=parts).filter(bool)
    return st.tuples(labels, some).map(
        lambda given: plain(
            "CiliumNetworkPolicy",
            f"x/{name}",
            {"endpointSelector": {"matchLabels": given[0]}, **given[1]},
            version=CILIUM,
        )
    )


def said(wanted):
    return " && ".join(f"{key} == '{value}'" for key, value in wanted.items()) or "all()"


def calicos(name):
    def rule(given):
        action, wanted, numbers = given
        ended = {"destination": {"ports": [int(n) for n in numbers]}} if numbers else {}
        return {"action": action, "protocol": "TCP", "source": {"selector": said(wanted)}, **ended}

    rules = st.lists(
        st.tuples(st.sampled_from(["Allow", "Deny", "Pass"]), labels, ports).map(rule), max_size=2
    )
    placed = st.tuples(labels, rules, st.sampled_from([1, 1000, 2000]), st.sampled_from(["default", "early"]))
    return placed.map(
        lambda given: plain(
            "NetworkPolicy",
            f"x/{name}",
            {
                "selector": said(given[0]),
                "types": ["Ingress"],
                "ingress": given[1],
                "order": given[2],
                "tier": given[3],
            },
            version=CALICO,
        )
    )


EARLY = plain("Tier", "early", {"order": 10, "defaultAction": "Pass"}, version=CALICO)


def ends(of):
    """Two sets of a kind, by names that they share."""
    some = st.lists(st.sampled_from("stu"), unique=True, max_size=2).flatmap(
        lambda names: st.tuples(*(of(name) for name in names))
    )
    return st.tuples(some, some)


def opened(group, policies):
    further = [p for p in policies if not p["apiVersion"].startswith("networking.k8s.io/")]
    calico = [EARLY] if any(p["apiVersion"] == CALICO for p in further) else []
    net = Network(SPACES, [p for p in policies if p not in further], further=[*further, *calico], group=group)
    return {n for n, (src, dst, port) in enumerate(CONNECTIONS) if net.allowed(src, dst, "TCP", port)}


def told(before, after, standing):
    """What the plan says of the change, and every state of its writes with what opens in it; or of its ends alone."""
    same = [o for o in before if o in after]
    around = [*same, *standing]
    first, last = (by_key(o for o in end if o not in same) for end in (before, after))
    changes = tuple(ObjectChange(first.get(k), last.get(k)) for k in sorted({*first, *last}))
    live = [o for o in (*before, *standing) if o["kind"] == "NetworkPolicy"]
    of_cnis = [Document(o, "the cluster", 1) for o in around if o["apiVersion"] in (CILIUM, CALICO)]
    said = note(NamespacePlan("x", "", changes), live, lambda: of_cnis)
    return said, first, last, around


def is_kept_or_said(group, before, after, standing):
    said, first, last, around = told(before, after, standing)
    if said:
        return
    states = path("x", first, last, by_key(around), "rollout")
    opens = [opened(group, [*state.values(), *around]) for state in states]
    then, later = opens[0], opens[-1]
    for now in opens:
        assert now <= then | later, [CONNECTIONS[i] for i in now - then - later][:3]
        assert now >= then & later, [CONNECTIONS[i] for i in (then & later) - now][:3]


@settings(max_examples=60)
@given(before=sets, after=sets, mixed=ends(ciliums), standing=st.lists(ciliums("theirs"), max_size=1))
def test_of_networkpolicies_and_ciliums(before, after, mixed, standing):
    is_kept_or_said("cilium.io", [*before, *mixed[0]], [*after, *mixed[1]], standing)


@settings(max_examples=60)
@given(before=sets, after=sets, mixed=ends(calicos), standing=st.lists(calicos("theirs"), max_size=1))
def test_of_networkpolicies_and_calicos(before, after, mixed, standing):
    is_kept_or_said("projectcalico.org", [*before, *mixed[0]], [*after, *mixed[1]], standing)


@settings(max_examples=150)
@given(before=sets, after=sets, standing=ciliums("theirs"))
def test_of_networkpolicies_beside_one_of_cilium(before, after, standing):
    is_kept_or_said("cilium.io", before, after, [standing])


@settings(max_examples=150)
@given(before=sets, after=sets, standing=calicos("theirs"))
def test_of_networkpolicies_beside_one_of_calico(before, after, standing):
    is_kept_or_said("projectcalico.org", before, after, [standing])


one_sided = specs.map(lambda spec: policy("p", {**spec, "policyTypes": ["Ingress"]}))
one_cilium = ciliums("s").filter(lambda o: "egress" not in o["spec"])
moves = st.one_of(
    st.tuples(one_sided, one_cilium), st.tuples(one_cilium, one_sided), st.tuples(one_cilium, ciliums("t"))
)


@settings(max_examples=120)
@given(move=moves, kept=sets, standing=st.lists(ciliums("theirs"), max_size=2))
def test_one_that_becomes_one_of_cilium_of_the_same_direction_is_exact_and_nothing_is_said(
    move, kept, standing
):
    others = [o for o in kept if o["metadata"]["name"] != "p"]
    before, after = [move[0], *others], [move[1], *others]
    if "egress" not in move[1]["spec"]:
        assert told(before, after, standing)[0] == ""
    is_kept_or_said("cilium.io", before, after, standing)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"ingress": [{}]}], [{"ingress": [{}]}, {"ingress": [{}]}]),
        ([{"ingress": [{}]}], [{"egress": [{}]}]),
        ([{"enableDefaultDeny": {"egress": True}, "ingress": [{}]}], [{"ingress": [{}]}]),
    ],
)
def test_more_than_one_or_of_two_directions_is_said(before, after):
    def of(name, end):
        head = {"endpointSelector": {}}
        return [
            plain("CiliumNetworkPolicy", f"x/{name}{n}", {**head, **s}, version=CILIUM)
            for n, s in enumerate(end)
        ]

    assert "cilium.io/v2 CiliumNetworkPolicy" in told(of("a", before), of("b", after), [])[0]


def test_a_policy_that_moves_between_tiers_of_calico_is_said_where_it_is_another_object():
    spec = {"selector": "all()", "types": ["Ingress"], "ingress": [{"action": "Allow"}]}
    one, other = (
        plain("NetworkPolicy", f"x/{name}", {**spec, "tier": tier}, version=CALICO)
        for name, tier in (("default.web", "default"), ("early.web", "early"))
    )
    assert "projectcalico.org/v3 NetworkPolicy" in told([one], [other], [])[0]
