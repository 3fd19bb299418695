"""A plan touches only the namespaces and the objects that are the source's."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import ALLOW, DENY, OWN, Rounds, Stage, files, policy, work

from orchestrator.context import NAMESPACE, POLICY
from orchestrator.errors import BadInput, Refused
from orchestrator.planning.planner import plan, selected
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import SOURCE_LABEL


def planned(stage, revision="c" * 40):
    return plan(stage.context(), stage.shop(), revision)


def test_system_namespaces_are_taken_only_by_name():
    stage = Stage()
    for name in ("kube-system", "kube-public"):
        stage.namespace(name)
    for name in (OWN, "kube-system"):
        fresh = stage.cluster.get(NAMESPACE, name)
        fresh["metadata"]["labels"]["team"] = "shop"
        stage.cluster.replace(fresh)
    ctx, source = stage.context(), stage.shop()
    assert sorted(selected(ctx, source)) == ["cart", "pay", "web"]
    source.spec.namespaces.names = ["kube-system"]
    assert sorted(selected(ctx, source)) == ["cart", "kube-system", "pay", "web"]


def test_what_others_own_is_neither_changed_nor_deleted():
    stage = Stage()
    stage.cluster.create(policy("theirs", {"podSelector": {}}, "pay"))
    stage.cluster.create(policy("another", {"podSelector": {}}, "web", {SOURCE_LABEL: "another-source"}))
    before = {n: stage.cluster.get(POLICY, n, s) for n, s in (("theirs", "pay"), ("another", "web"))}
    assert work(stage.context(), "w").rollout.status.phase == "Succeeded"
    assert {n: stage.cluster.get(POLICY, n, s) for n, s in (("theirs", "pay"), ("another", "web"))} == before


def test_an_object_of_another_source_is_refused_even_when_adopting():
    stage = Stage()
    stage.cluster.create(policy("allow", {"podSelector": {}}, "web", {SOURCE_LABEL: "another"}))
    with pytest.raises(BadInput, match="belongs to the source another"):
        planned(stage)


def test_adopting_takes_what_nobody_owns_and_gives_it_back_as_it_was():
    stage = Stage(good=False)
    stage.cluster.create(policy("allow", {"podSelector": {}}, "cart"))
    before = stage.standing()
    with pytest.raises(BadInput, match="set conflicts: adopt or observe in the source"):
        planned(stage)
    stage.change(conflicts="adopt")
    assert work(stage.context(), "w").rollout.status.phase == "RolledBack"
    assert stage.standing() == before


def test_a_namespace_that_does_not_change_takes_no_part():
    stage = Stage()
    work(stage.context(), "w")
    assert planned(stage).empty
    stage.repository.push(
        "d", {**files(DENY, ALLOW), "web/more.yaml": files(policy("more", {"podSelector": {}}))["all.yaml"]}
    )
    assert [w.namespaces for w in planned(stage, "d" * 40).waves] == [("web",)]


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("name", ["cart", "pay", "web"])
@pytest.mark.parametrize("at", range(0, 60, 3))
def test_a_namespace_that_goes_in_the_middle_wedges_nothing(good, name, at):
    stage = Stage(good, gates=[m.Gate(wave=9)])
    before = stage.standing()

    def delete(call):
        meta = stage.cluster.get(NAMESPACE, name)["metadata"]
        version = meta["resourceVersion"]
        stage.cluster.delete(NAMESPACE, name, None, uid=meta["uid"], resource_version=version)

    gone = just_before(delete, at=at + 30)
    state = work(stage.context(FaultyPort(stage.cluster, gone)), "w")
    if state.rollout.status.phase == "Paused":  # a person hears of a canary that went while it was watched
        assert f"{name}: deleted while the change was watched there" in state.rollout.status.reason
        Rounds(stage).ask(state.rollout.name, "resume")
        state = work(stage.context(), "w")
    phase = state.rollout.status.phase
    assert phase in ("Succeeded", "RolledBack", "Superseded"), state.rollout.status
    others = [n for n in ("cart", "pay", "web") if n != name]
    if phase == "Succeeded":
        assert all(len(stage.standing()[n]) == 2 for n in others)
    else:
        assert all(stage.standing()[n] == before[n] for n in others)


def test_intents_beside_the_policies_are_applied_nowhere():
    stage = Stage()
    test = b"apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec: {}\n"
    stage.repository.push("d", {**files(DENY, ALLOW), "tests.yaml": test})
    assert len(planned(stage, "d" * 40).namespaces["cart"].changes) == 3


@pytest.mark.parametrize("expect", ["reach", "blocked"])
def test_a_change_that_fails_its_own_intents_is_refused_before_anything_is_written(expect):
    stage = Stage()
    for name in ("web", "pay"):
        stage.pod(name)
    test = f"""apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {{name: t}}
spec:
  intents:
  - {{name: web pays, expect: {expect}, from: {{namespace: web}}, to: {{namespace: pay}}, ports: [{{port: 80}}]}}
  - {{name: gone, expect: reach, from: {{workload: web/none}}, to: {{namespace: pay}}, ports: [{{port: 80}}]}}
"""
    stage.repository.push("d", {**files(DENY, ALLOW), "tests.yaml": test.encode()})
    writes = dict(stage.cluster.writes)
    if expect == "blocked":
        assert work(stage.context(), "w").rollout.status.phase == "Succeeded"
        return
    with pytest.raises(Refused, match="fails its own intents: web pays: web/a to pay/a on 80/TCP is blocked"):
        work(stage.context(), "w")
    assert dict(stage.cluster.writes) == writes


def test_what_git_does_not_decide_is_left_out_and_said():
    stage = Stage(good=False)
    odd = {**DENY, "status": {"x": 1}, "metadata": {**DENY["metadata"]}}
    odd["metadata"] |= {
        "finalizers": ["example.com/never"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "0"}],
        "managedFields": [],
        "uid": "1",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": None,
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "selfLink": "/x",
    }
    stage.repository.history[:] = [("c" * 40, files(odd, ALLOW))]
    before = stage.standing()
    made = planned(stage)
    (note,) = made.notes
    assert note == (
        "all.yaml:1: NetworkPolicy/deny: left out: metadata.finalizers, metadata.ownerReferences, metadata.managedFields, "
        "metadata.uid, metadata.resourceVersion, metadata.generation, metadata.creationTimestamp, "
        "metadata.deletionTimestamp, metadata.selfLink, status"
    )
    for found in made.namespaces.values():
        for obj in found.after:
            assert set(obj["metadata"]) == {"name", "namespace", "labels"} and "status" not in obj
    assert work(stage.context(), "w").rollout.status.phase == "RolledBack"
    assert stage.standing() == before


def test_what_others_hold_of_a_live_object_stays():
    stage = Stage()
    work(stage.context(), "w")
    held = stage.cluster.get(POLICY, "deny", "cart")
    held["metadata"]["finalizers"] = ["example.com/theirs"]
    stage.cluster.replace(held)
    again = {
        **DENY,
        "metadata": {**DENY["metadata"], "annotations": {"why": "more"}, "finalizers": ["example.com/mine"]},
    }
    stage.repository.history.append(("d" * 40, files(again, ALLOW)))
    after = [o for o in planned(stage, "d" * 40).namespaces["cart"].after if o["metadata"]["name"] == "deny"]
    assert after[0]["metadata"]["finalizers"] == ["example.com/theirs"]
