"""Make before break: no connection that the change keeps is without an open port, at any boundary between two waves."""

import pytest
from faulty_port import FaultyPort, just_after
from replaced_worker import deaths, replaced
from stage import Stage, files, policy
from written import plain

from orchestrator.adapters.kube.workloads import documents
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.rollout.next import CONFIRMED


def on(port, name="both"):
    """In and out on this port alone."""
    rule = {"ports": [{"port": port, "protocol": "TCP"}]}
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [rule], "egress": [rule]}
    return policy(name, spec)


def stage(*policies, **more):
    found = Stage(boundaries="expand", **more)
    for space in ("cart", "pay", "web"):
        found.pod(space, "a")
    found.repository.history[-1] = ("c" * 40, files(*policies))
    return found


def driven(found, cluster=None, prober=None):
    ctx = found.context(cluster, prober=prober or found.prober)
    name = start(found.context(), find_source(found.context(), "shop")).rollout
    return Embedded(ctx, "engine").drive(name)


def changed(before, after, **more):
    found = stage(*before, **more)
    assert driven(found).rollout.status.phase == "Succeeded"
    found.repository.push("e", files(*after))
    return found


def planned(found):
    ctx = found.context()
    source = find_source(ctx, "shop")
    made = plan(ctx, source, found.repository.resolve())
    return made, forecast(ctx, made, source.spec.strategy, {})


def ports(found):
    """The ports that are open from each namespace to each other one."""
    here = fleet(documents(found.cluster), live=True)
    net, pods = here.network(), [w.pod for w in here.workloads]
    return {
        (a.namespace, b.namespace): {p for p in (80, 8080, 90) if net.allowed(a, b, "TCP", p)}
        for a in pods
        for b in pods
        if a != b
    }


def test_both_ports_are_open_until_all_have_changed():
    found = changed([on(80)], [on(8080)])
    made, expected = planned(found)
    assert [w.why.partition(",")[0] for w in made.waves] == ["expand"] * 2 + ["contract"] * 2
    assert not expected.lasting and "2 more waves" in made.late[0] and "breaks" in made.late[0]
    seen = []
    note = just_after(lambda call: seen.append(ports(found)), "create", kind="WaveAnalysis")
    state = driven(found, FaultyPort(found.cluster, note))
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    seen.append(ports(found))
    for at, wanted in ((0, 80), (1, 80), (2, 80), (2, 8080), (3, 8080), (4, 8080)):
        assert all(wanted in found_ports for found_ports in seen[at].values()), (at, seen[at])
    assert all(found_ports == {8080} for found_ports in seen[-1].values())
    assert all(names == ["both"] for names in found.names().values())


def test_it_takes_no_longer_where_nothing_breaks():
    found = changed([on(80)], [on(80), on(8080, "more")])
    made, expected = planned(found)
    assert len(made.waves) == 2 and not made.parts and not expected.lasting


def test_pods_that_one_end_alone_isolates_stay_open_meanwhile():
    found = changed(
        [policy("x", {"podSelector": {"matchLabels": {"app": "b"}}, "ingress": [{}]})], [on(8080)]
    )
    made, _ = planned(found)
    assert len(made.waves) == 2  # what is open everywhere breaks nowhere


def test_what_the_union_opens_beyond_both_is_named_and_asked_about():
    out = {"podSelector": {}, "policyTypes": ["Egress", "Ingress"]}
    both = lambda egress, ingress: policy(  # noqa: E731
        "both",
        {
            **out,
            "egress": [{"ports": [{"port": p} for p in egress]}],
            "ingress": [{"ports": [{"port": p} for p in ingress]}],
        },
    )
    found = changed([both((80, 90), (80,))], [both((8080,), (8080, 90))])
    made, expected = planned(found)
    assert made.expands
    opened = {(b.kind, b.since, b.until) for b in expected.lasting}
    assert opened and {kind for kind, _, _ in opened} == {"opens"}
    state = driven(found)
    assert state.rollout.status.paused_for == "approval"


def test_gates_are_asked_for_in_both_phases():
    found = changed([on(80)], [on(8080)])
    found.change(strategy={**found.shop().manifest["spec"]["strategy"], "gates": [{"wave": 1}]})
    state = driven(found)
    assert [g.wave for g in state.rollout.spec.strategy.gates] == [1, 3]


def of_cilium(port):
    rule = {"toPorts": [{"ports": [{"port": str(port), "protocol": "TCP"}]}]}
    return plain(
        "CiliumNetworkPolicy", "c", {"endpointSelector": {}, "ingress": [rule]}, version="cilium.io/v2"
    )


def test_policies_of_other_kinds_are_not_expanded_and_that_is_said():
    found = stage(on(80))
    kinds = (("networking.k8s.io/v1", "NetworkPolicy"), ("cilium.io/v2", "CiliumNetworkPolicy"))
    found.change(kinds=[{"apiVersion": version, "kind": kind} for version, kind in kinds])
    found.repository.history[-1] = ("c" * 40, files(on(80), of_cilium(80)))
    assert driven(found).rollout.status.phase == "Succeeded"
    found.repository.push("e", files(on(8080), of_cilium(8080)))
    made, _ = planned(found)
    assert not made.expands and "do not expand first: cart changes a CiliumNetworkPolicy" in made.late[0]


def bad(at=0, late=False, more=()):
    found = changed([on(80), *more], [on(8080)])
    before = found.standing()
    state, death = replaced(found, at, late)
    return found, before, state, death


@pytest.mark.exhaustive
def test_whoever_dies_at_a_write_the_next_one_restores_exactly():
    """Before and after the effect of each write; sampled, before or after one of those that one function makes in the same step."""
    _, _, state, calls = bad()  # the declared probe of port 80 fails once the second phase begins
    assert state.rollout.status.phase == "RolledBack" and state.rollout.status.waves_started == 4
    for at, late in deaths(calls):
        found, before, state, _ = bad(at, late)
        assert state.rollout.status.phase == "RolledBack", (at, state.rollout.status.reason)
        assert found.standing() == before, at


def test_a_policy_that_the_second_phase_deletes_is_there_again_after_a_second_reading():
    """As whoever replaces a dead worker makes it; no record of the first phase holds that policy."""
    more = [on(80, "old")]
    _, _, _, calls = bad(more=more)
    last = next(n for n, call in enumerate(calls.seen, 1) if call.verb == "delete" and call.name == "old")
    found, before, state, _ = bad(last, True, more)
    status = state.rollout.status
    assert status.phase == "RolledBack" and any(c.type == CONFIRMED for c in status.conditions)
    assert found.standing() == before
