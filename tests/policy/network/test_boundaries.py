"""Connections between two namespaces while one has changed and the other has not yet."""

from hypothesis import given, settings
from hypothesis import strategies as st
from random_policies import PODS, SPACES, sets
from written import plain

from orchestrator.policy.network.boundaries import boundaries, crossings, propose
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.fleet import Fleet, Workload


def fleet(policies):
    ordered = tuple(Workload("Pod", p) for p in PODS)
    return Fleet(ordered, SPACES, tuple(policies))


def policy(namespace, side, peer=None, name="one", port=None):
    part, peers = ("ingress", "from") if side == "Ingress" else ("egress", "to")
    rule = (
        {peers: [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": peer}}}]}
        if peer
        else {}
    )
    if port:
        rule["ports"] = [{"port": port, "protocol": "TCP"}]
    spec = {"podSelector": {}, "policyTypes": [side], part: [rule]}
    return plain("NetworkPolicy", f"{namespace}/{name}", spec)


ONE, TWO = "x", "y"


def in_y(policies):
    return [{**p, "metadata": {**p["metadata"], "namespace": "y"}} for p in policies]


either = st.tuples(sets, sets).map(lambda both: [*both[0], *in_y(both[1])])


@settings(max_examples=60)
@given(either, either, st.data())
def test_boundaries_are_what_the_states_in_between_really_do(old, new, data):
    """Every state on the way, evaluated as a whole network, against what is reported."""
    names = sorted({p.namespace for p in PODS})
    waves = {n: data.draw(st.integers(0, 2), label=n) for n in names}
    before, after = fleet(old), fleet(new)
    found = crossings(before, after, names)
    told = {(b.src, b.dst, b.kind): b.ports for b in boundaries(found, waves) if not b.momentary}
    nets = [before.network(), after.network()]
    seen = {}
    for reached in range(1, max(waves.values()) + 1):
        mixed = [p for p in new if waves[p["metadata"]["namespace"]] < reached]
        mixed += [p for p in old if waves[p["metadata"]["namespace"]] >= reached]
        between = fleet(mixed).network()
        for src in before.workloads:
            for dst in before.workloads:
                if src.pod.namespace == dst.pod.namespace:
                    continue
                one, two, mid = (n.over_ports(src.pod, dst.pod, port_sets.ALL) for n in (*nets, between))
                for kind, mask in (("breaks", one & two & ~mid), ("opens", mid & ~one & ~two)):
                    if mask:
                        seen[src.name, dst.name, kind] = seen.get((src.name, dst.name, kind), 0) | mask
    assert told == seen
    moved = propose(found, waves)
    if moved.moved:
        assert all(b.momentary for b in boundaries(found, {**waves, **moved.moved}))


def test_an_order_is_proposed_that_keeps_a_connection_open():
    """The source narrows to port 80 while the destination opens all: it must go first, or all ports are open."""
    old = fleet([policy(ONE, "Egress", TWO), policy(TWO, "Ingress", port=80)])
    assert crossings(old, fleet([policy(ONE, "Egress", TWO, port=80), *old.policies[1:]]), [ONE, TWO]) == []
    tight = fleet([policy(ONE, "Egress", TWO, port=80), policy(TWO, "Ingress")])
    found = crossings(old, tight, [ONE, TWO])
    assert {b.kind for b in boundaries(found, {ONE: 1, TWO: 0})} == {"opens"}
    assert boundaries(found, {ONE: 0, TWO: 1}) == []
    asked = propose(found, {ONE: 1, TWO: 0})
    assert asked.moved and "this avoids it: move" in asked.text


def test_what_breaks_either_way_goes_into_one_wave():
    """Each direction has an end that widens and one that narrows, and they are not the same namespace's."""
    one, two = policy(ONE, "Egress", TWO, port=80), policy(ONE, "Ingress", TWO, "two")
    three, four = policy(TWO, "Egress", ONE, port=80), policy(TWO, "Ingress", ONE, "two")
    wide = [policy(ONE, "Egress", TWO), policy(TWO, "Egress", ONE)]
    narrow = [policy(n, "Ingress", o, "two", 80) for n, o in ((ONE, TWO), (TWO, ONE))]
    old, new = fleet([*wide, *narrow]), fleet([one, two, three, four])
    found, waves = crossings(old, new, [ONE, TWO]), {ONE: 0, TWO: 1}
    assert any(not b.momentary for b in boundaries(found, waves))
    asked = propose(found, waves)
    assert asked.together == ((ONE, TWO),) and f"{ONE} and {TWO} in one wave" in asked.text
    left = boundaries(found, {**waves, **asked.moved})
    assert left and all(b.momentary and "for a moment within wave" in b.text for b in left)
