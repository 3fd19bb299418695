"""Policies of the whole cluster: written in a last wave of their own, judged like any wave, and restored exactly."""

import json

import pytest
from cluster_wide import CLUSTER, DENIAL, KINDS, OPEN, WIDE, Shut, at_once, push, wide
from replaced_worker import deaths, replaced
from stage import ALLOW, DENY, OWN, SPACES, Rounds, Stage, files, work
from written import plain

from orchestrator.context import ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput
from orchestrator.measure import watch_set
from orchestrator.operations.start import find_source, start
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.ports import Kind
from orchestrator.rollout.resources import objects


def standing(stage):
    """Of the whole cluster, as canonical text."""
    return sorted(objects.canonical(o) for o in stage.cluster.list(WIDE))


def begun(stage):
    ctx = stage.context()
    return Embedded(ctx, "engine").drive(start(ctx, find_source(ctx, "shop")).rollout)


def planned(stage):
    ctx = stage.context()
    source = find_source(ctx, "shop")
    made = plan(ctx, source, stage.repository.resolve())
    return made, forecast(ctx, made, source.spec.strategy, {})


def test_they_change_last_by_themselves_and_are_promoted():
    stage = at_once(DENY, ALLOW, wide_ones=[wide("open", OPEN)])
    state = work(stage.context(), "engine")
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    waves = state.rollout.spec.waves
    assert [w.namespace_names for w in waves] == [["cart"], ["pay", "web"], [CLUSTER]]
    assert waves[-1].why == "cluster-wide, at once"
    [stored] = stage.cluster.list(WIDE)
    assert "namespace" not in stored["metadata"] and objects.owner(stored) == "shop"
    assert not planned(stage)[0].namespaces


ADMIN = {"subject": {"namespaces": {}}, "ingress": [{"action": "Allow", "from": [{"namespaces": {}}]}]}
BASELINE = {**ADMIN, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}
ACCEPT = {**ADMIN, "ingress": [{"action": "Accept", "from": [{"namespaces": {}}]}], "tier": "Admin"}
OTHERS = [
    plain("AdminNetworkPolicy", "a", {**ADMIN, "priority": 5}),
    plain("BaselineAdminNetworkPolicy", "default", BASELINE),
    plain("ClusterNetworkPolicy", "a", {**ACCEPT, "priority": 5}),
    plain(
        "GlobalNetworkPolicy",
        "a",
        {"selector": "all()", "ingress": [{"action": "Allow"}]},
        version="projectcalico.org/v3",
    ),
]


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("one", OTHERS, ids=lambda o: o["kind"])
def test_so_is_each_kind_of_the_whole_cluster(one, good):
    stage = at_once(DENY, ALLOW, wide_ones=[one])
    kind = Kind(one["apiVersion"], one["kind"])
    stage.change(kinds=[KINDS[0], {"apiVersion": kind.api_version, "kind": kind.kind}])
    prober = stage.prober if good else Shut(stage.cluster, bool, kind)
    state = work(stage.context(prober=prober), "engine")
    assert state.rollout.status.phase == ("Succeeded" if good else "RolledBack")
    assert state.rollout.spec.waves[-1].namespace_names == [CLUSTER]
    assert state.rollout.status.waves_started == len(state.rollout.spec.waves)
    assert len(stage.cluster.list(kind)) == int(good)


def bad(at=0, late=False):
    """A denial of the whole cluster, in place of a policy that stood, which somebody marked; whose work may end at a call."""
    stage = at_once(DENY, ALLOW, wide_ones=[wide("open", OPEN), wide("spare", OPEN)])
    work(stage.context(), "engine")
    fresh = stage.cluster.get(WIDE, "open")
    fresh["metadata"]["annotations"] = {"example.com/team": "payments"}
    stage.cluster.replace(fresh)
    before, spaces = standing(stage), stage.standing()
    push(stage, "e", [DENY, ALLOW], [wide("open", DENIAL), wide("shut", DENIAL)])
    state, death = replaced(stage, at, late, Shut(stage.cluster))
    return stage, before, spaces, state, death


def test_a_bad_one_is_rolled_back_exactly():
    stage, before, spaces, state, _ = bad()
    status = state.rollout.status
    assert status.phase == "RolledBack" and standing(stage) == before and stage.standing() == spaces
    assert f"{CLUSTER}/{WIDE.kind}/open" in status.details
    assert {n: r.status.phase for n, r in state.namespaces.items()} == {CLUSTER: "Restored"}


@pytest.mark.exhaustive
def test_whoever_dies_at_a_write_of_it_the_next_one_restores_exactly():
    """Before and after the effect of each write; sampled, before or after one of those that one function makes in the same step."""
    calls = bad()[4]
    for at, late in deaths(calls):
        stage, before, spaces, state, _ = bad(at, late)
        assert state.rollout.status.phase == "RolledBack"
        assert standing(stage) == before and stage.standing() == spaces


def test_every_namespace_that_it_changes_is_watched_and_probed():
    stage = at_once(wide_ones=[wide("open", OPEN)])
    stage.namespace("beside")
    stage.pod("beside", "a")
    work(stage.context(), "engine")
    push(stage, "e", (), [wide("open", DENIAL)])
    made, expected = planned(stage)
    assert [w.namespaces for w in made.waves] == [(CLUSTER,)]
    assert expected.risk.level == "high"
    state = begun(stage)
    spec = state.analyses[0].spec
    assert {*SPACES, "beside"} <= set(spec.watched) and CLUSTER not in spec.watched
    ends = {(p.source.partition("/")[0], p.destination.partition("/")[0]) for p in spec.probes}
    assert {"cart", "pay", "web", "beside"} <= {s for s, _ in ends} & {d for _, d in ends}
    assert not set(spec.control_group) & {*SPACES, "beside"}
    assert all(e.wave == 0 for e in state.rollout.spec.edges) and state.rollout.spec.edges


BY_NAME = {"endpointSelector": {}, "egress": [{"toFQDNs": [{"matchName": "example.com"}]}]}


@pytest.mark.parametrize("after", [{"description": "as before", **OPEN}, BY_NAME])
def test_where_it_is_not_known_what_changes_every_namespace_of_the_source_is_watched(after):
    stage = at_once(wide_ones=[wide("open", OPEN)])
    work(stage.context(), "engine")
    push(stage, "e", (), [wide("open", after)])
    spec = begun(stage).analyses[0].spec
    assert set(SPACES) <= set(spec.watched)


def test_how_many_more_are_not_watched_is_said(monkeypatch):
    monkeypatch.setattr(watch_set, "MOST_WATCHED", 2)
    stage = at_once(wide_ones=[wide("open", DENIAL)])
    spec = begun(stage).analyses[1].spec
    assert len(spec.watched) == 2 and "1 more namespace is not watched" in spec.notes


def test_what_waits_for_the_last_wave_is_a_boundary():
    allowed = {"podSelector": {}, "ingress": [{}]}
    stage = at_once(DENY, wide_ones=[])
    stage.remove(Kind("networking.k8s.io/v1", "NetworkPolicy"), "old", "cart")
    stage.repository.history[-1] = ("d" * 40, files({**DENY, "spec": allowed}))
    work(stage.context(), "engine")
    push(stage, "e", [{**DENY, "spec": {"podSelector": {}}}], [wide("open", OPEN)])
    made, expected = planned(stage)
    last = len(made.waves) - 1
    found = {(b.kind, b.src, b.dst, b.until) for b in expected.lasting}
    assert ("breaks", "cart/a[Pod]", "web/a[Pod]", last) in found
    assert all(b.until == last for b in expected.lasting if b.kind == "breaks" and "web" in b.dst)


def test_what_somebody_else_changed_of_it_is_drift_and_a_stranger_s_is_refused():
    stage = at_once(DENY, ALLOW, wide_ones=[wide("open", OPEN)])
    work(stage.context(), "engine")
    fresh = stage.cluster.get(WIDE, "open")
    stage.cluster.replace({**fresh, "spec": DENIAL})
    stage.change(drift="repair")
    rounds = Rounds(stage)
    rounds.go(12)
    assert stage.cluster.get(WIDE, "open")["spec"] == OPEN
    stage.cluster.create(wide("theirs", DENIAL))
    push(stage, "e", [DENY, ALLOW], [wide("open", OPEN), wide("theirs", OPEN)])
    with pytest.raises(BadInput, match="exists and is not this source's"):
        planned(stage)
    stage.change(conflicts="adopt")
    assert begun(stage).rollout.status.phase == "Succeeded"
    assert {objects.owner(o) for o in stage.cluster.list(WIDE)} == {"shop"}


def test_one_that_git_holds_no_more_is_deleted_in_the_last_wave():
    stage = at_once(DENY, ALLOW, wide_ones=[wide("open", OPEN)])
    work(stage.context(), "engine")
    push(stage, "e", [DENY, ALLOW], [])
    assert begun(stage).rollout.status.phase == "Succeeded" and standing(stage) == []


@pytest.mark.parametrize(
    ("strategy", "path", "obj", "said"),
    [
        ("refuse", f"{CLUSTER}/a.yaml", wide("open", OPEN), "is for the whole cluster"),
        ("atOnce", "cart/a.yaml", wide("open", OPEN), "stands in cart/"),
        ("atOnce", f"{CLUSTER}/a.yaml", DENY, "is of a namespace"),
        (
            "atOnce",
            f"{CLUSTER}/a.yaml",
            plain(WIDE.kind, "pay/x", OPEN, version=WIDE.api_version),
            "names namespace pay",
        ),
        ("atOnce", f"{CLUSTER}/a.yaml", wide("open", {"ingres": []}), "is not valid"),
    ],
)
def test_what_has_no_place_there_is_refused(strategy, path, obj, said):
    stage = Stage(cluster_wide=strategy)
    stage.change(kinds=KINDS[: 2 if strategy == "atOnce" else 1])
    stage.repository.push("d", {path: json.dumps(obj).encode()})
    with pytest.raises(BadInput, match=said) as told:
        planned(stage)
    assert strategy == "atOnce" or "clusterWide: atOnce" in told.value.hint
    assert stage.cluster.list(ROLLOUT, OWN) == []


def test_a_source_that_lists_such_a_kind_is_told_of_the_option():
    stage = Stage()
    stage.change(kinds=KINDS)
    with pytest.raises(BadInput, match="is for the whole cluster") as told:
        planned(stage)
    assert "clusterWide: atOnce" in told.value.hint
