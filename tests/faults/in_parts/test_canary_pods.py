"""Some pods of the canary come first: they are under the new policies, all others under the old ones, whatever dies meanwhile."""

import pytest
from cluster_wide import Evaluated
from faulty_port import FaultyPort, just_after
from replaced_worker import deaths, replaced
from stage import ALLOW, OWN, Stage, files, policy

from orchestrator.adapters.kube.workloads import documents
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput
from orchestrator.operations.start import find_source, start
from orchestrator.planning.planner import plan
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m

POD = Kind("v1", "Pod")
CANARY = m.CanaryPods(match_labels=[m.Label(key="track", value="canary")])
EVERYBODY = policy("in", {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]})
NOBODY = policy("in", {"podSelector": {}, "policyTypes": ["Ingress"]})
MORE = policy("out", {"podSelector": {"matchLabels": {"app": "a"}}, "egress": [{}]})


def stage(*policies, canary=("a",), **more):
    """Two pods in each namespace; those of cart that are named bear the label."""
    found = Stage(canary_pods=CANARY, boundaries="proceed", **more)
    for space in ("cart", "pay", "web"):
        for name in ("a", "b"):
            found.pod(space, name)
    for name in canary:
        fresh = found.cluster.get(POD, name, "cart")
        fresh["metadata"]["labels"]["track"] = "canary"
        found.cluster.replace(fresh)
    found.repository.history[-1] = ("c" * 40, files(*policies))
    return found


def planned(found):
    ctx = found.context()
    return plan(ctx, find_source(ctx, "shop"), found.repository.resolve())


def driven(found, cluster=None, prober=None):
    ctx = found.context(cluster, prober=prober or Evaluated(found.cluster))
    name = start(found.context(), find_source(found.context(), "shop")).rollout
    return Embedded(ctx, "engine").drive(name)


def changed(*policies):
    """All may talk with all; Git has something else since."""
    found = stage(EVERYBODY)
    assert driven(found).rollout.status.phase == "Succeeded"
    found.repository.push("e", files(*policies))
    return found


def into_cart(found):
    """The pods of cart that a pod of web may talk to."""
    here = fleet(documents(found.cluster), live=True)
    net, pods = here.network(), {f"{w.pod.namespace}/{w.pod.name}": w.pod for w in here.workloads}
    return {n for n in ("a", "b") if net.allowed(pods["web/a"], pods[f"cart/{n}"], "TCP", 80)}


def test_they_come_in_a_wave_before_their_namespace_and_nothing_of_it_is_left():
    found = changed(NOBODY, MORE)
    seen = []
    note = just_after(lambda call: seen.append(into_cart(found)), "create", kind="WaveAnalysis")
    state = driven(found, FaultyPort(found.cluster, note), found.prober)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    waves = state.rollout.spec.waves
    assert [w.places for w in waves] == [["cart.1"], ["cart"], ["pay", "web"]]
    assert waves[0].why == "canary: pods with track=canary"
    assert seen == [{"a", "b"}, {"b"}, set()]
    assert all(sorted(names) == ["in", "out"] for names in found.names().values())


def bad(at=0, late=False):
    """What the declared probe of the last wave finds; whose work may end at a call."""
    found = changed(NOBODY, MORE)
    before = found.standing()
    state, death = replaced(found, at, late)
    return found, before, state, death


@pytest.mark.exhaustive
def test_whoever_dies_at_a_write_the_next_one_restores_exactly():
    """Before and after the effect of each write; sampled, before or after one of those that one function makes in the same step."""
    _, _, state, calls = bad()
    assert state.rollout.status.phase == "RolledBack" and state.rollout.status.waves_started == 3
    for at, late in deaths(calls):
        found, before, state, _ = bad(at, late)
        assert state.rollout.status.phase == "RolledBack", (at, state.rollout.status.reason)
        assert found.standing() == before, at


def test_a_namespace_without_such_pods_begins_as_a_whole_and_that_is_said():
    for canary, said in (((), "no pod with track=canary"), (("b",), "no pod with track=canary")):
        found = stage(policy("in", {"podSelector": {"matchLabels": {"app": "a"}}}), canary=canary)
        made = planned(found)
        assert [w.namespaces for w in made.waves] == [("cart",), ("pay", "web")]
        assert said in made.late[0] and "cart does not begin with some pods" in made.late[0]
        assert driven(found, prober=found.prober).rollout.status.phase == "Succeeded"


def test_a_pod_that_gets_the_label_or_loses_it_meanwhile_is_under_one_of_both():
    found = changed(NOBODY, ALLOW)
    ctx = found.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    Embedded(ctx, "engine", stop=lambda: begun(found, name)).drive(name)
    assert into_cart(found) == {"b"}
    for pod, track in (("a", "stable"), ("b", "canary")):
        fresh = found.cluster.get(POD, pod, "cart")
        fresh["metadata"]["labels"]["track"] = track
        found.cluster.replace(fresh)
    assert into_cart(found) == {"a"}


def begun(found, name):
    records = found.cluster.list(Kind(m.API_VERSION, "NamespaceRollout"), OWN)
    return any(
        o["spec"]["rollout"] == name and (o.get("status") or {}).get("phase") == "Applied" for o in records
    )


def test_gates_stand_before_the_waves_that_the_strategy_means():
    found = stage(NOBODY, gates=[m.Gate(wave=0, name="begin"), m.Gate(wave=1, name="go on")])
    state = driven(found, prober=found.prober)
    assert state.rollout.status.paused_for == "approval"
    assert [(g.wave, g.name) for g in state.rollout.spec.strategy.gates] == [(0, "begin"), (2, "go on")]


ROLLOUT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "api", "namespace": "cart"},
}
FLAGGER = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {"name": "api", "namespace": "cart"},
    "spec": {"targetRef": {"kind": "Deployment", "name": "api"}},
}


def owned(found, name, owner, **labels):
    fresh = found.cluster.get(POD, name, "cart")
    fresh["metadata"]["labels"] |= labels
    fresh["metadata"]["ownerReferences"] = [
        {"kind": "ReplicaSet", "name": owner, "controller": True, "uid": owner}
    ]
    found.cluster.replace(fresh)


def hashed(found, stable, newest):
    fresh = found.cluster.get(Kind(ROLLOUT["apiVersion"], ROLLOUT["kind"]), "api", "cart")
    found.cluster.replace_status({**fresh, "status": {"stableRS": stable, "currentPodHash": newest}})


def with_pods(found, **pods):
    """Its source begins with these pods."""
    strategy = found.shop().manifest["spec"]["strategy"]
    found.change(strategy={**strategy, "canaryPods": pods})


def test_the_canary_of_an_argo_rollout_is_found_by_its_status():
    found = stage(NOBODY, canary=())
    with_pods(found, argoRollout="api")
    assert "Rollout cart/api is not there" in planned(found).late[0]
    found.cluster.create(ROLLOUT)
    hashed(found, "s1", "s1")
    assert "has no canary now" in planned(found).late[0]
    owned(found, "a", "api-s2", **{"rollouts-pod-template-hash": "s2"})
    owned(found, "b", "api-s1", **{"rollouts-pod-template-hash": "s1"})
    hashed(found, "s1", "s2")
    made = planned(found)
    assert made.waves[0].why == "canary: pods with rollouts-pod-template-hash=s2" and not made.late
    assert driven(found, prober=found.prober).rollout.status.phase == "Succeeded"


def test_the_canary_of_flagger_is_its_target_and_not_the_primary():
    found = stage(NOBODY, canary=())
    with_pods(found, flagger="api")
    found.cluster.create(FLAGGER)
    assert "has no canary now" in planned(found).late[0]
    owned(found, "a", "api-1", app="api", **{"pod-template-hash": "1"})
    owned(found, "b", "api-primary-2", app="api-primary", **{"pod-template-hash": "2"})
    assert planned(found).waves[0].why == "canary: pods with app=api"
    assert driven(found, prober=found.prober).rollout.status.phase == "Succeeded"


def test_two_ways_to_choose_pods_are_refused():
    found = stage(NOBODY)
    with_pods(found, flagger="api", count=1)
    with pytest.raises(BadInput, match="one of matchLabels, argoRollout"):
        planned(found)
