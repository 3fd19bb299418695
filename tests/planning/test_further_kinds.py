"""Policies of a CNI's own APIs: planned, judged and rolled back as NetworkPolicies are."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import ALLOW, DENY, OWN, SPACES, Stage, files, work

from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, Forbidden
from orchestrator.operations.start import find_source, start
from orchestrator.planning.planner import plan
from orchestrator.ports import Kind

CARRIED = Kind("cilium.io/v2", "CiliumNetworkPolicy")
CUTS = {
    "apiVersion": CARRIED.api_version,
    "kind": CARRIED.kind,
    "metadata": {"name": "cuts"},
    "spec": {"endpointSelector": {}, "ingress": [{}]},
}
SHUT = {"endpointSelector": {}, "ingressDeny": [{"fromEntities": ["cluster"]}]}
CALICO = Kind("projectcalico.org/v3", "NetworkPolicy")
CALICOS = {
    "apiVersion": CALICO.api_version,
    "kind": CALICO.kind,
    "metadata": {"name": "web"},
    "spec": {"selector": "app == 'a'", "ingress": [{"action": "Allow", "protocol": "TCP"}]},
}


def stage_of(good, *policies):
    """A source that may write them, and has these in Git."""
    stage = Stage(good)
    stage.change(
        kinds=[
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"},
            {"apiVersion": CARRIED.api_version, "kind": CARRIED.kind},
        ]
    )
    stage.repository.push("d", files(*policies))
    return stage


def standing(stage):
    return [o["metadata"]["namespace"] for o in stage.cluster.list(CARRIED)]


@pytest.mark.parametrize(("good", "phase"), [(True, "Succeeded"), (False, "RolledBack")])
def test_they_are_written_wave_by_wave_and_rolled_back_with_the_others(good, phase):
    stage = stage_of(good, DENY, ALLOW, CUTS)
    assert work(stage.context(), "engine").rollout.status.phase == phase
    assert sorted(standing(stage)) == (list(SPACES) if good else [])


def test_a_change_of_them_alone_is_judged_by_the_connections_that_it_cuts():
    stage = stage_of(True, DENY, ALLOW)
    for space in SPACES:
        stage.pod(space, "a")
        stage.pod(space, "b")
    work(stage.context(), "engine")
    stage.repository.push("e", files(DENY, ALLOW, {**CUTS, "spec": SHUT}))
    ctx = stage.context()
    spec = Embedded(ctx, "engine").drive(start(ctx, find_source(ctx, "shop")).rollout).rollout.spec
    assert spec.risk != "none" and {e.change for e in spec.edges} == {"cut"}
    assert all("CiliumNetworkPolicy" in why for e in spec.edges for why in e.because if "after" in why)


def test_calicos_kind_of_the_same_name_is_no_networkpolicy_of_kubernetes():
    stage = Stage()
    stage.change(kinds=[{"apiVersion": CALICO.api_version, "kind": CALICO.kind}])
    stage.repository.push("d", files(CALICOS))
    assert work(stage.context(), "engine").rollout.status.phase == "Succeeded"
    found = stage.cluster.list(CALICO)
    assert len(found) == len(SPACES) and all(o["spec"] == CALICOS["spec"] for o in found)


@pytest.mark.parametrize("wrong", [{"ingres": []}, {"endpointSelector": {}, "ingress": []}])
def test_what_its_agent_would_refuse_is_refused_before_it_is_planned(wrong):
    stage = stage_of(True, DENY, ALLOW, {**CUTS, "spec": wrong})
    ctx = stage.context()
    with pytest.raises(BadInput, match=r"CiliumNetworkPolicy cuts is not valid: spec"):
        start(ctx, find_source(ctx, "shop"))


OTHER = {**CUTS, "metadata": {"name": "more"}}


@pytest.mark.parametrize(
    ("policies", "said"), [((DENY, CUTS), True), ((CUTS, OTHER), True), ((CUTS,), False)]
)
def test_a_plan_says_that_several_objects_of_such_kinds_are_written_one_by_one(policies, said):
    stage = stage_of(True)
    stage.remove(Kind("networking.k8s.io/v1", "NetworkPolicy"), "old", "cart")
    stage.repository.push("d", files(*policies))
    ctx = stage.context()
    made = plan(ctx, find_source(ctx, "shop"), "d" * 40)
    assert len(made.namespaces) == len(SPACES)
    for space, found in made.namespaces.items():
        assert bool(found.note) is said
        assert not said or (
            found.note.startswith(f"{space}: ") and "cilium.io/v2 CiliumNetworkPolicy" in found.note
        )


@pytest.mark.parametrize(
    ("space", "fault", "said"),
    [
        (None, [], ""),
        (SPACES[0], [], "temporary policies that allow all open what policies of other kinds close"),
        (OWN, [], ""),
        (
            None,
            [just_before(Forbidden("no"), "list", kind=CARRIED.kind)],
            "may not be listed is not known: CiliumNetworkPolicy)",
        ),
    ],
)
def test_a_plan_says_where_policies_of_others_leave_no_order_without_a_break(space, fault, said):
    stage = Stage()
    if space:
        stage.cluster.create({**CUTS, "metadata": {"name": "theirs", "namespace": space}})
    ctx = stage.context(FaultyPort(stage.cluster, *fault))
    made = plan(ctx, find_source(ctx, "shop"), "c" * 40)
    assert said in made.namespaces[SPACES[0]].note and bool(said) is bool(made.namespaces[SPACES[0]].note)
    assert bool(made.namespaces[SPACES[1]].note) is bool(fault)
