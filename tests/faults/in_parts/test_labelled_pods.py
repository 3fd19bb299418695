"""A share of the pods of a workload comes first by a label of ours, which is gone at the end, whoever dies meanwhile."""

import pytest
from cluster_wide import Evaluated
from faulty_port import FaultyPort, just_after, just_before
from replaced_worker import deaths, replaced
from stage import OWN, Stage, files, policy

from orchestrator.context import POD, ROLLOUT
from orchestrator.engine.upkeep.bridge_sweep import Sweeper
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, Forbidden
from orchestrator.operations.start import find_source, start
from orchestrator.planning.planner import plan
from orchestrator.rollout.order.write_path import tag
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import CANARY_LABEL

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
EVERYBODY = policy("in", {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]})
NOBODY = policy("in", {"podSelector": {}, "policyTypes": ["Ingress"]})


def replica(stage, space, owner, number, status=READY):
    name = f"{owner}-{number}"
    stage.pod(space, name, **status)
    fresh = stage.cluster.get(POD, name, space)
    fresh["metadata"] |= {
        "labels": {"app": owner},
        "ownerReferences": [{"kind": "StatefulSet", "name": owner, "controller": True, "uid": owner}],
    }
    stage.cluster.replace(fresh)


def stage(*policies, pods=4, canary=None, **more):
    """cart has a workload of several pods and one of a single pod; pay and web have one pod each."""
    found = Stage(canary_pods=m.CanaryPods(**(canary or {"percent": 25})), boundaries="proceed", **more)
    for number in range(pods):
        replica(found, "cart", "a", number)
    for space in ("pay", "web"):
        found.pod(space, "a")
    found.pod("cart", "single", **READY)
    found.repository.history[-1] = ("c" * 40, files(*policies))
    return found


def bearing(found, value=tag("shop")):
    """The pods with the label, of any namespace."""
    pods = found.cluster.list(POD)
    return [
        p["metadata"]["name"] for p in pods if (p["metadata"].get("labels") or {}).get(CANARY_LABEL) == value
    ]


def planned(found):
    ctx = found.context()
    return plan(ctx, find_source(ctx, "shop"), found.repository.resolve())


def driven(found, cluster=None, prober=None):
    ctx = found.context(cluster, prober=prober or Evaluated(found.cluster))
    name = start(found.context(), find_source(found.context(), "shop")).rollout
    return Embedded(ctx, "engine").drive(name)


def changed(*policies, **more):
    found = stage(EVERYBODY, **more)
    assert driven(found, prober=found.prober).rollout.status.phase == "Succeeded" and not bearing(found)
    found.repository.push("e", files(*policies))
    return found


@pytest.mark.parametrize(
    ("canary", "pods", "chosen"),
    [
        ({"percent": 25}, 4, ["a-0"]),
        ({"percent": 26}, 4, ["a-0", "a-1"]),
        ({"count": 1}, 2, ["a-0"]),
        ({"count": 9}, 3, ["a-0", "a-1"]),
    ],
)
def test_so_many_pods_of_each_workload_come_first_and_never_all(canary, pods, chosen):
    found, seen = changed(NOBODY, pods=pods, canary=canary), []
    note = just_after(lambda call: seen.append(bearing(found)), "replace_status", kind="NamespaceRollout")
    state = driven(found, FaultyPort(found.cluster, note), found.prober)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    assert chosen in seen and not bearing(found)
    assert [w.places for w in state.rollout.spec.waves] == [["cart.1"], ["cart"], ["pay", "web"]]
    assert all(names == ["in"] for names in found.names().values())


def test_a_workload_of_one_pod_or_of_none_that_is_ready_has_no_canary():
    found = stage(NOBODY, pods=1)
    assert "two pods that are ready" in planned(found).late[0]
    found = stage(NOBODY, pods=0)
    for number in range(3):
        replica(found, "cart", "a", number, {"phase": "Running", "conditions": []})
    assert "two pods that are ready" in planned(found).late[0] and not planned(found).parts


def test_pods_of_the_system_are_not_labelled():
    found = stage(NOBODY)
    found.namespace("kube-system")
    for number in range(2):
        replica(found, "kube-system", "a", number)
    found.repository.push("e", files(policy("in", NOBODY["spec"], "kube-system")))
    strategy = found.shop().manifest["spec"]["strategy"] | {"canary": ["kube-system"]}
    found.change(strategy=strategy, namespaces={"names": ["kube-system"]})
    assert planned(found).late == (
        "kube-system does not begin with some pods: pods of the system are not labelled",
    )


def test_pods_that_bear_the_key_already_are_left():
    found = changed(NOBODY)
    fresh = found.cluster.get(POD, "a-0", "cart")
    fresh["metadata"]["labels"][CANARY_LABEL] = "somebody"
    found.cluster.replace(fresh)
    seen = []
    note = just_after(lambda call: seen.append(bearing(found)), "replace_status", kind="NamespaceRollout")
    driven(found, FaultyPort(found.cluster, note), found.prober)
    assert ["a-1"] in seen and bearing(found, "somebody") == ["a-0"] and not bearing(found)


def test_where_none_could_be_labelled_nothing_is_written():
    found = changed(NOBODY)
    ctx = found.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    for number in range(4):
        found.remove(POD, f"a-{number}", "cart")
    before = found.standing()
    state = Embedded(found.context(prober=found.prober), "engine").drive(name)
    assert (
        state.rollout.status.paused_for == "inconclusive"
        and "could be labelled" in state.rollout.status.reason
    )
    assert found.standing() == before


def bad(at=0, late=False):
    found = changed(NOBODY)
    before, pods = found.standing(), found.cluster.list(POD)
    state, death = replaced(found, at, late)
    labels = [(p["metadata"]["name"], p["metadata"].get("labels")) for p in pods]
    assert [(p["metadata"]["name"], p["metadata"].get("labels")) for p in found.cluster.list(POD)] == labels
    return found, before, state, death


@pytest.mark.exhaustive
def test_whoever_dies_at_a_write_no_pod_bears_it_in_the_end():
    """Before and after the effect of each write; sampled, before or after one of those that one function makes in the same step."""
    _, _, state, calls = bad()
    assert state.rollout.status.phase == "RolledBack" and state.rollout.status.waves_started == 3
    for at, late in deaths(calls):
        found, before, state, _ = bad(at, late)
        assert state.rollout.status.phase == "RolledBack", (at, state.rollout.status.reason)
        assert found.standing() == before, at


def test_one_that_is_left_behind_is_swept_and_one_in_use_is_not():
    found = changed(NOBODY)
    ctx = found.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    Embedded(ctx, "engine", stop=lambda: bool(bearing(found))).drive(name)
    assert bearing(found) and not Sweeper(ctx).look()
    for rollout in found.cluster.list(ROLLOUT, OWN):
        found.cluster.replace_status({**rollout, "status": {**rollout["status"], "phase": "RolledBack"}})
    assert Sweeper(ctx).look() == 1 and not bearing(found)


def test_whoever_may_not_take_it_off_restores_the_policies_all_the_same():
    found = changed(NOBODY)
    before = found.standing()
    ctx = found.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    Embedded(ctx, "engine", stop=lambda: bool(bearing(found))).drive(name)
    no = just_before(Forbidden("pods may not be updated"), "replace", kind="Pod")
    state = Embedded(
        found.context(FaultyPort(found.cluster, no), prober=Evaluated(found.cluster)), "next"
    ).drive(name)
    assert state.rollout.status.phase in ("RolledBack", "Failed"), state.rollout.status.reason
    assert found.standing() == before


def test_a_source_that_may_label_no_pods_is_refused_before_anything_is_written():
    found = changed(NOBODY)
    before = found.standing()
    no = just_before(Forbidden("pods may not be updated"), "replace", kind="Pod")
    ctx = found.context(FaultyPort(found.cluster, no))
    with pytest.raises(BadInput, match="may not be labelled") as told:
        start(ctx, find_source(ctx, "shop"))
    assert "matchLabels" in told.value.hint and found.standing() == before


def test_pods_that_go_while_they_are_watched_are_replaced_by_others():
    found = changed(NOBODY)
    ctx = found.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    went = []

    def go_away(call):
        if not went:
            went.append(bearing(found)[0])
            found.remove(POD, went[0], "cart")

    gone = just_after(go_away, "replace_status", kind="NamespaceRollout", at=1)
    seen = []
    note = just_after(lambda call: seen.append(bearing(found)), "replace_status", kind="WaveAnalysis")
    state = Embedded(
        found.context(FaultyPort(found.cluster, gone, note), prober=found.prober), "engine"
    ).drive(name)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    assert went == ["a-0"] and ["a-1"] in seen and not bearing(found)


def test_where_all_of_them_went_nobody_says_that_it_is_good():
    found = changed(NOBODY)
    ctx = found.context()
    name = start(ctx, find_source(ctx, "shop")).rollout

    def go_away(call):
        for number in range(4):
            found.remove(POD, f"a-{number}", "cart")

    gone = just_after(go_away, "replace_status", kind="NamespaceRollout", at=1)
    state = Embedded(found.context(FaultyPort(found.cluster, gone), prober=found.prober), "engine").drive(
        name
    )
    assert state.rollout.status.paused_for == "inconclusive"
    assert "are gone" in state.rollout.status.reason and state.rollout.status.wave == 0
