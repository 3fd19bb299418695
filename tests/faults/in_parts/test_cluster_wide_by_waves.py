"""Policies of the whole cluster, a namespace at a time: each pod is under the old or the new ones, whatever dies meanwhile."""

from contextlib import suppress

import pytest
from cluster_wide import CLUSTER, DENIAL, KINDS, OPEN, WIDE, Evaluated, at_once, push, wide
from counting import STEP, Counters
from faulty_port import WRITES, FaultyPort, Killed, counted, just_after, kills
from lost_engine import LIMIT, Post, state_of
from replaced_worker import deaths, replaced
from sampling import sampled
from stage import ALLOW, DENY, OWN, SPACES
from written import plain

from orchestrator.adapters.kube.workloads import documents
from orchestrator.context import NAMESPACE, NAMESPACE_ROLLOUT, ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.operations.declare_emergency import declare
from orchestrator.operations.start import find_source, start
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects

LABEL = "k8s:io.kubernetes.pod.namespace"
INSIDE = {"endpointSelector": {"matchExpressions": [{"key": LABEL, "operator": "Exists"}]}}
# About pods alone: neither about the health nor about the ingress endpoints of Cilium.
PODS_OPEN, PODS_DENIAL = ({**policy, **INSIDE} for policy in (OPEN, DENIAL))

EMERGENCY = {
    "steps": [{"count": 1}],
    "windows": [{"schedule": "0 0 29 2 *", "durationSeconds": 60}],
    "emergency": {"skip": ["windows", "waves"]},
}


def by_waves(*policies, **more):
    return at_once(*policies, how="waves", **more)


def standing(stage):
    return sorted(objects.canonical(o) for o in stage.cluster.list(WIDE))


def specs(stage):
    return {o["metadata"]["name"]: o["spec"] for o in stage.cluster.list(WIDE)}


def planned(stage):
    ctx = stage.context()
    source = find_source(ctx, "shop")
    made = plan(ctx, source, stage.repository.resolve())
    return made, forecast(ctx, made, source.spec.strategy, {})


def driven(stage, cluster=None, prober=None):
    ctx = stage.context(cluster, prober=prober or Evaluated(stage.cluster))
    name = start(stage.context(), find_source(stage.context(), "shop")).rollout
    return Embedded(ctx, "engine").drive(name)


def changed(before=PODS_OPEN, after=PODS_DENIAL, **more):
    """A source whose policy of the whole cluster stands and was changed in Git since."""
    stage = by_waves(wide_ones=[wide("open", before)])
    assert driven(stage, prober=stage.prober).rollout.status.phase == "Succeeded"
    stage.change(strategy={**stage.shop().manifest["spec"]["strategy"], **more})
    push(stage, "e", (), [wide("open", after)])
    return stage


def test_it_changes_with_the_namespaces_of_each_wave_and_ends_as_git_has_it():
    stage = changed()
    at = []
    note = just_after(lambda call: at.append(specs(stage)), "replace_status", kind="WaveAnalysis")
    stage.change(strategy={**stage.shop().manifest["spec"]["strategy"], "analysis": {"count": 1}})
    state = driven(stage, FaultyPort(stage.cluster, note), stage.prober)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    waves = state.rollout.spec.waves
    assert [w.places for w in waves] == [[f"{CLUSTER}.1"], [CLUSTER]]
    assert [w.namespace_names for w in waves] == [["cart"], ["pay", "web"]]
    both = next(found for found in at if len(found) > 1)
    outside = {"key": LABEL, "operator": "NotIn", "values": ["cart"]}
    assert outside in both["open"]["endpointSelector"]["matchExpressions"]
    assert both["open--canary"]["endpointSelector"] == {"matchLabels": {LABEL: "cart"}}
    assert both["open"]["ingress"] == OPEN["ingress"] and "ingressDeny" in both["open--canary"]
    assert specs(stage) == {"open": PODS_DENIAL} and not planned(stage)[0].namespaces


def passing(stage):
    """Which pod may talk to which."""
    here = fleet(documents(stage.cluster), live=True)
    net, pods = here.network(), [w.pod for w in here.workloads]
    return {(a.namespace, b.namespace) for a in pods for b in pods if a != b and net.allowed(a, b, "TCP", 80)}


def test_the_pods_of_open_waves_are_under_the_new_policies_and_no_others():
    stage = changed()
    after = {}
    note = just_after(lambda call: after.setdefault(call.name, passing(stage)), "create", kind="WaveAnalysis")
    driven(stage, FaultyPort(stage.cluster, note), stage.prober)
    before, between = after.values()
    everybody = {(a, b) for a in SPACES for b in SPACES}
    assert before == everybody and between == {(a, b) for a, b in everybody if b != "cart"}
    assert passing(stage) == set()


def bad(at=0, late=False):
    """A denial that a probe of the second wave finds, of policies that somebody marked; whose work may end at a call."""
    stage = by_waves(DENY, ALLOW, wide_ones=[wide("open", PODS_OPEN), wide("spare", PODS_OPEN)])
    assert driven(stage).rollout.status.phase == "Succeeded"
    fresh = stage.cluster.get(WIDE, "open")
    fresh["metadata"]["annotations"] = {"example.com/team": "payments"}
    stage.cluster.replace(fresh)
    before, spaces = standing(stage), stage.standing()
    push(stage, "e", [DENY], [wide("open", PODS_DENIAL), wide("shut", PODS_DENIAL)])
    state, death = replaced(stage, at, late)
    return stage, before, spaces, state, death


def test_a_bad_one_is_rolled_back_through_its_waves():
    stage, before, spaces, state, _ = bad()
    status = state.rollout.status
    assert status.phase == "RolledBack" and status.waves_started == 2, status.reason
    assert standing(stage) == before and stage.standing() == spaces
    assert {r.status.phase for r in state.namespaces.values()} == {"Restored"}
    assert {CLUSTER, f"{CLUSTER}.1"} < set(state.namespaces)
    assert "web-pay" in status.details and f"{CLUSTER}/{WIDE.kind}/open" in status.details


@pytest.mark.exhaustive
def test_whoever_dies_at_a_write_of_it_the_next_one_restores_exactly():
    """Before and after the effect of each write; sampled, before or after one of those that one function makes in the same step."""
    calls = bad()[4]
    for at, late in deaths(calls):
        stage, before, spaces, state, _ = bad(at, late)
        assert state.rollout.status.phase == "RolledBack", (at, state.rollout.status.reason)
        assert standing(stage) == before and stage.standing() == spaces, at


@pytest.mark.exhaustive
def test_whoever_dies_at_a_write_of_it_the_guard_restores_a_wave_that_is_open():
    """After the effect of each write; sampled, after one of those that one function makes in the same step."""

    def killed(at):
        stage = changed()
        before, ctx, death = standing(stage), stage.context(), kills(at, True, *WRITES)
        name = start(ctx, find_source(ctx, "shop")).rollout
        with suppress(Killed):
            Embedded(stage.context(FaultyPort(stage.cluster, death), prober=stage.prober), "dies").drive(name)
        return stage, before, death

    calls, ends = killed(0)[2], []
    for at in sampled(range(1, len(calls.seen) + 1), calls.way):
        stage, before, _ = killed(at)
        left, was = standing(stage), state_of(stage).rollout.status
        now = state_of(Post(stage).look(10 * LIMIT).stage).rollout.status
        ends.append(now.phase)
        if now.phase == "RolledBack":
            assert standing(stage) == before, at
        else:
            assert (now.phase, standing(stage)) == (was.phase, left), at
            written = {record.status.phase for record in state_of(stage).in_wave(was.wave)}
            assert now.phase == "Succeeded" or written <= {"Pending"}, at
    assert ends.count("RolledBack") > len(ends) // 3


def test_one_that_somebody_keeps_holds_up_the_waves_before_it_and_no_other_place():
    stage, held = by_waves(DENY, wide_ones=[wide("open", PODS_OPEN)]), []
    assert driven(stage).rollout.status.phase == "Succeeded"
    before, spaces = standing(stage), stage.standing()
    push(stage, "e", [ALLOW], [wide("open", PODS_DENIAL), wide("shut", PODS_DENIAL)])

    def keep(call):
        kept = stage.cluster.get(WIDE, "shut")
        kept["metadata"]["finalizers"] = ["example.com/keep"]
        stage.cluster.replace(kept)

    def let_go(call):
        there = [o for o in stage.cluster.list(WIDE) if o["metadata"].get("deletionTimestamp")]
        held.append(([o["metadata"]["name"] for o in there], specs(stage), stage.standing()))
        if there and len(held) > 6:
            stage.cluster.replace({**there[0], "metadata": {**there[0]["metadata"], "finalizers": []}})

    faults = (
        just_after(keep, "create", kind=WIDE.kind, name="shut", dry_run=False, at=1),
        just_after(let_go, "get", kind="PolicyRollout", where=lambda call: rolling(stage)),
    )
    state = driven(stage, FaultyPort(stage.cluster, *faults))
    assert state.rollout.status.phase == "RolledBack"
    assert standing(stage) == before and stage.standing() == spaces
    while_kept = [found for names, found, _ in held if names == ["shut"]]
    assert while_kept and all("open--canary" in found for found in while_kept)
    assert any(found == spaces for names, _, found in held if names == ["shut"])


def rolling(stage):
    return any(
        (o.get("status") or {}).get("phase") == "RollingBack" for o in stage.cluster.list(ROLLOUT, OWN)
    )


ADMIN = {"subject": {"namespaces": {}}, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}
OTHERS = [
    plain("AdminNetworkPolicy", "a", {**ADMIN, "priority": 5}),
    plain("ClusterNetworkPolicy", "a", {**ADMIN, "priority": 5, "tier": "Admin"}),
    plain(
        "GlobalNetworkPolicy",
        "a",
        {"selector": "has(projectcalico.org/namespace)", "ingress": [{"action": "Deny"}]},
        version="projectcalico.org/v3",
    ),
]


@pytest.mark.parametrize("one", OTHERS, ids=lambda o: o["kind"])
def test_so_does_each_kind_of_the_whole_cluster(one):
    stage = by_waves(wide_ones=[one])
    kind = Kind(one["apiVersion"], one["kind"])
    stage.change(kinds=[KINDS[0], {"apiVersion": kind.api_version, "kind": kind.kind}])
    state = driven(stage)
    assert state.rollout.status.phase == "RolledBack" and stage.cluster.list(kind) == []
    assert "web-pay" in state.rollout.status.details
    assert [w.namespace_names for w in state.rollout.spec.waves] == [["cart"], ["pay", "web"]]
    stage = by_waves(wide_ones=[one], good=True)
    stage.change(kinds=[KINDS[0], {"apiVersion": kind.api_version, "kind": kind.kind}])
    state = driven(stage, prober=stage.prober)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    [stored] = stage.cluster.list(kind)
    assert objects.same(objects.unowned(stored), objects.unowned(one))


def test_what_cannot_be_narrowed_changes_at_once_and_somebody_approves_that():
    stage = by_waves(DENY)
    stage.change(
        kinds=[KINDS[0], {"apiVersion": OTHERS[0]["apiVersion"], "kind": "BaselineAdminNetworkPolicy"}]
    )
    push(stage, "d", [DENY], [plain("BaselineAdminNetworkPolicy", "default", ADMIN)])
    made, _ = planned(stage)
    assert made.waves[-1].namespaces == (CLUSTER,) and not made.parts
    assert "BaselineAdminNetworkPolicy" in made.late[0] and "approved" in made.late[0]
    status = driven(stage, prober=stage.prober).rollout.status
    assert (status.phase, status.paused_for, status.wave) == ("Paused", "approval", len(made.waves) - 1)


def beside(stage):
    """A namespace with a pod that the source does not select."""
    stage.cluster.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other", "labels": {}}}
    )
    stage.pod("other")


def test_pods_that_the_source_does_not_select_and_what_is_no_pod_come_last():
    stage = by_waves(wide_ones=[wide("open", OPEN)])
    beside(stage)
    made, _ = planned(stage)
    assert [w.names for w in made.waves] == [["cart"], ["pay", "web"], ["other"]]
    assert any("other, which is not selected" in text for text in made.late)
    assert any("health" in text for text in made.late)
    state = driven(stage)
    assert state.rollout.status.phase == "Succeeded" and set(specs(stage)) == {"open"}
    assert "other" in state.analyses[2].spec.watched


def test_a_namespace_that_the_source_does_not_select_needs_no_data_of_required_metrics():
    metric = m.MetricSpec(name="requests", kind="volume", query="t", test="sequential")
    given = {
        "interval_seconds": STEP,
        "baseline_seconds": 600,
        "metrics": [metric],
        "probes": [],
        "watch": ["cart"],
    }
    stage = by_waves(wide_ones=[wide("open", PODS_OPEN)], analysis=given)
    stage.metrics = Counters(stage)
    beside(stage)
    state = driven(stage)
    assert [w.namespace_names for w in state.rollout.spec.waves] == [["cart"], ["pay", "web"], ["other"]]
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason


def test_a_namespace_that_it_is_not_about_is_in_no_wave_of_it():
    narrow = {**OPEN, "endpointSelector": {"matchLabels": {LABEL: "pay"}}}
    stage = by_waves(DENY, wide_ones=[wide("open", narrow)])
    waves = planned(stage)[0].waves
    assert [w.namespaces for w in waves] == [("cart",), ("pay", "web", CLUSTER)] or [
        w.namespaces for w in waves
    ] == [("cart",), (CLUSTER, "pay", "web")]
    assert waves[1].parts[CLUSTER].covers == ("pay",)
    assert driven(stage).rollout.status.phase == "Succeeded"


def test_within_a_wave_it_is_written_where_less_shows_meanwhile():
    stage = by_waves(DENY, wide_ones=[wide("open", PODS_OPEN)])
    stage.remove(Kind("networking.k8s.io/v1", "NetworkPolicy"), "old", "cart")
    made, expected = planned(stage)
    assert made.cluster_first and not expected.boundaries
    written = (
        counted("create", "replace", kind=WIDE.kind, dry_run=False),
        counted("create", kind="NetworkPolicy", dry_run=False),
    )
    assert driven(stage, FaultyPort(stage.cluster, *written)).rollout.status.phase == "Succeeded"
    push(stage, "e", [ALLOW], [])
    made, expected = planned(stage)
    assert not made.cluster_first


def test_what_opens_between_its_waves_is_a_boundary():
    out = {**PODS_OPEN, "egressDeny": [{"toEntities": ["cluster"]}]}
    stage = changed(out, PODS_DENIAL)
    _, expected = planned(stage)
    found = {
        (b.kind, b.src.partition("/")[0], b.dst.partition("/")[0], b.since, b.until) for b in expected.lasting
    }
    assert found == {("opens", "cart", "pay", 0, 1), ("opens", "cart", "web", 0, 1)}


def test_waves_that_an_emergency_opens_together_are_written_one_after_the_other():
    stage = changed(**EMERGENCY)
    assert [w.names for w in planned(stage)[0].waves] == [["cart"], ["pay"], ["web"]]
    ctx = stage.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    assert Embedded(ctx, "first").drive(name).rollout.status.paused_for == "window"
    person = stage.context(stage.cluster.acting_as("mia", "on-call"))
    declare(person, read(person, name), "the shop is down")
    writes = counted("replace", kind=WIDE.kind, dry_run=False)
    state = Embedded(stage.context(FaultyPort(stage.cluster, writes)), "next").drive(name)
    assert state.rollout.status.joined == [2] and state.rollout.status.phase == "Succeeded"
    assert specs(stage) == {"open": PODS_DENIAL}
    narrowed = [w.obj["spec"]["endpointSelector"] for w in writes.seen if w.name == "open"]
    assert len(narrowed) == 3 and narrowed[-1] == INSIDE["endpointSelector"]


def test_a_name_that_somebody_else_has_is_not_taken():
    stage = changed()
    stage.cluster.create(wide("open--canary", PODS_OPEN))
    before = standing(stage)
    names = [o["metadata"]["name"] for o in planned(stage)[0].written(f"{CLUSTER}.1").after]
    assert names == ["open", "open--canary-2"] and standing(stage) == before


def test_one_that_takes_the_name_meanwhile_keeps_it_and_nothing_is_lost():
    stage = changed()
    ctx = stage.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    stage.cluster.create(wide("open--canary", PODS_OPEN))
    state = Embedded(ctx, "engine").drive(name)
    assert state.rollout.status.phase in ("Superseded", "Paused"), state.rollout.status.reason
    assert specs(stage) == {"open": PODS_OPEN, "open--canary": PODS_OPEN}


def test_a_namespace_that_is_deleted_while_only_such_a_policy_is_watched_there_is_told_of():
    stage, steps = changed(steps=[{"count": 1}]), []

    def delete(call):
        if not steps and stage.cluster.get(WIDE, "open--canary"):
            steps.append(call)
            stage.remove(NAMESPACE, "cart", None)

    note = just_after(delete, "replace_status", kind="NamespaceRollout", where=lambda call: applied(stage))
    state = driven(stage, FaultyPort(stage.cluster, note), stage.prober)
    assert state.rollout.status.paused_for == "inconclusive", state.rollout.status.reason
    assert state.analyses[0].status.deleted_namespaces == ["cart"]


def applied(stage):
    records = stage.cluster.list(NAMESPACE_ROLLOUT, OWN)
    return any((o["status"]["phase"], o["spec"].get("stage")) == ("Applied", 1) for o in records)


def test_what_waves_that_open_together_change_is_what_the_last_of_them_does():
    stage = changed(PODS_DENIAL, PODS_OPEN, **EMERGENCY)
    paused = driven(stage, prober=stage.prober)
    name = paused.rollout.name
    person = stage.context(stage.cluster.acting_as("mia", "on-call"))
    declare(person, read(person, name), "the shop is down")
    state = Embedded(stage.context(prober=stage.prober), "next").drive(name)
    assert state.rollout.status.joined == [2] and state.rollout.status.phase == "Succeeded"
    ends = {e.destination.partition("/")[0] for e in state.analyses[1].spec.edges}
    assert ends == {"pay", "web"}


def admin(name, priority, action):
    rule = {"action": action, "from": [{"namespaces": {}}]}
    return plain(
        "AdminNetworkPolicy", name, {"priority": priority, "subject": {"namespaces": {}}, "ingress": [rule]}
    )


@pytest.mark.parametrize(("theirs", "free"), [((8,), True), ((4, 6), False)])
def test_under_ovn_kubernetes_a_part_needs_a_priority_of_its_own(theirs, free):
    stage = by_waves(wide_ones=[admin("x", 5, "Allow")])
    stage.change(
        kinds=[KINDS[0], {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy"}],
        strategy={**stage.shop().manifest["spec"]["strategy"], "cni": "ovn-kubernetes"},
    )
    assert driven(stage, prober=stage.prober).rollout.status.phase == "Succeeded"
    for number in theirs:
        stage.cluster.create(admin(f"theirs-{number}", number, "Pass"))
    push(stage, "e", (), [admin("x", 5, "Pass")])
    made, _ = planned(stage)
    assert bool(made.parts) is free
    assert free or "priorities" in made.late[0]
    if free:
        given = {o["metadata"]["name"]: o["spec"]["priority"] for o in made.written(f"{CLUSTER}.1").after}
        assert len(set(given.values())) == 2 and set(given) == {"x", "x--canary"}
        assert driven(stage, prober=stage.prober).rollout.status.phase == "Succeeded"
