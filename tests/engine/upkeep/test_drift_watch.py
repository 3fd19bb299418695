"""What differs from the last verified state is said, with who did it, and repaired where that is asked for."""

import pytest
from drifting import FIRST, Drifting
from stage import ALLOW, DENY, OWN, files, policy

from orchestrator.context import POLICY, ROLLOUT, read
from orchestrator.record.build import view
from orchestrator.record.report.tables import facts
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import LINE
from orchestrator.rollout.resources.conditions import whole
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import load


def test_drift_is_reported_with_who_did_it_and_once():
    rounds = Drifting()
    assert (rounds.found().status, rounds.found("Contested").status) == ("False", "False")
    time = rounds.edit()
    rounds.remove("pay", "deny")
    extra = policy("extra", {"podSelector": {}}, "cart", {SOURCE_LABEL: "shop"})
    rounds.stage.cluster.create(extra)
    standing = rounds.stage.standing()
    rounds.go(12)
    found = rounds.found()
    assert (found.status, found.reason) == ("True", "Drifted")
    assert len(found.message) == LINE
    whole_text = whole(rounds.stage.shop().status.conditions, rounds.stage.shop().status.details, "Drifted")
    assert whole_text == (
        "differs from cccccccccc, the last verified: cart/NetworkPolicy/extra is not in Git, written; "
        "pay/NetworkPolicy/deny is gone; web/NetworkPolicy/allow was changed by kubectl "
        f"(field manager kubectl-edit, last wrote {time})"
    )
    assert rounds.told.of("PolicySource") == [("Drifted", whole_text, True)]
    assert rounds.stage.standing() == standing and list(rounds.rollouts()) == [FIRST]
    rounds.edit(namespace="cart")
    rounds.go(12)
    assert len(rounds.told.of("PolicySource")) == 2
    assert rounds.condition().status == "True"


def test_a_look_costs_little_and_comes_only_every_so_often():
    rounds = Drifting(driftIntervalSeconds=3600)
    # who sweeps bridges lists policies, too, and is counted elsewhere
    rounds.controller._sweeper.every = float("inf")
    calls = []
    listed = rounds.stage.cluster.list
    rounds.stage.cluster.list = lambda kind, *args, **more: calls.append(kind) or listed(kind, *args, **more)
    dry = []
    create, replace = rounds.stage.cluster.create, rounds.stage.cluster.replace
    rounds.stage.cluster.create = lambda obj, dry_run=False: dry.append(obj) or create(obj, dry_run=dry_run)
    rounds.stage.cluster.replace = lambda obj, dry_run=False: dry.append(obj) or replace(obj, dry_run=dry_run)
    rounds.go(60)
    assert calls.count(POLICY) == 1 and dry == []


def test_ignore_says_nothing():
    rounds = Drifting(drift="ignore")
    rounds.edit()
    rounds.go(12)
    assert "Drifted" not in {c.type for c in rounds.stage.shop().status.conditions}


def test_repair_is_a_small_rollout_of_the_verified_revision():
    rounds = Drifting(drift="repair")
    before = rounds.stage.standing()
    rounds.edit()
    assert rounds.go(12) == {FIRST: "Succeeded", f"{FIRST}-2": "Succeeded"}
    repair = load(rounds.stage.cluster.get(ROLLOUT, f"{FIRST}-2", OWN))
    assert repair.spec.cause == "drift"
    told = view(read(rounds.controller.ctx, repair.name), rounds.stage.clock.now())
    assert ("Cause", "drift from the current revision") in facts(told)
    assert [n.name for w in repair.spec.waves for n in w.namespaces] == ["web"]
    assert rounds.stage.standing() == before
    assert rounds.found().status == "False"
    assert rounds.go(70) and rounds.stage.shop().status.repairs == []


def test_a_fighting_controller_is_named_and_no_longer_fought():
    rounds = Drifting(drift="repair", driftIntervalSeconds=60)
    rounds.edit(manager="argocd-controller")
    for _ in range(90):
        allow = rounds.stage.cluster.get(POLICY, "allow", "web")
        if allow["spec"]["podSelector"] and rounds.stage.shop().status.active_rollout == "":
            rounds.edit(manager="argocd-controller")
        rounds.go(1)
    assert len(rounds.rollouts()) == 4  # the first one and three repairs
    found, status = rounds.found(), rounds.stage.shop().status
    said = whole(status.conditions, status.details, "Drifted")
    assert found.reason == "RepairContested" and "repaired 3 times within an hour" in said
    assert "Argo CD (field manager argocd-controller" in said.rpartition("within an hour")[2]
    rounds.go(100)
    assert len(rounds.rollouts()) == 4
    rounds.set(drift="report")
    rounds.go(3)
    rounds.set(drift="repair")
    assert len(rounds.go(6)) == 5 and rounds.found().status == "False"


def test_a_repair_that_was_rolled_back_does_not_start_again():
    rounds = Drifting(drift="repair")
    rounds.stage.prober.good = False
    rounds.edit()
    drifted = rounds.stage.standing()
    rounds.go(60)
    assert rounds.rollouts() == {FIRST: "Succeeded", f"{FIRST}-2": "RolledBack"}
    assert rounds.found().reason == "RepairRolledBack" and rounds.stage.standing() == drifted
    status = rounds.stage.shop().status
    assert (status.current_revision, status.blocked_revision) == ("c" * 40, "")


def test_nothing_is_repaired_while_another_rollout_runs_or_the_source_is_suspended():
    rounds = Drifting(drift="repair")
    rounds.set(suspend=True)
    rounds.edit()
    rounds.go(12)
    assert list(rounds.rollouts()) == [FIRST] and rounds.found().reason == "Drifted"
    rounds.set(suspend=False)
    strategy = rounds.stage.strategy.model_copy(update={"gates": [m.Gate(wave=0)]})
    rounds.set(strategy=strategy.model_dump(mode="json", by_alias=True, exclude_none=True))
    rounds.stage.repository.push("d", files(DENY, ALLOW, policy("more", {"podSelector": {}})))
    assert rounds.go(30) == {FIRST: "Succeeded", "shop-dddddddddd": "Paused"}


def test_a_new_namespace_is_no_drift():
    rounds = Drifting()
    rounds.stage.prober.good = False
    rounds.stage.namespace("fresh")
    rounds.go(20)
    assert rounds.rollouts()[f"{FIRST}-2"] == "RolledBack"
    assert rounds.found().status == "False"


@pytest.mark.parametrize("conflicts", ["refuse", "observe"])
def test_an_object_that_somebody_replaced_by_an_own_one_is_said(conflicts):
    rounds = Drifting(conflicts=conflicts)
    rounds.remove("web", "allow")
    rounds.stage.cluster.create(policy("allow", {"podSelector": {}}, "web"))
    rounds.go(12)
    found = rounds.found()
    if conflicts == "refuse":
        assert found.status == "Unknown"
        assert "web/NetworkPolicy/allow exists and is not this source's; it is managed by" in found.message
    else:
        assert found.status == "False"


def test_what_a_gitops_tool_also_manages_is_a_condition_of_the_source():
    rounds = Drifting()
    fresh = rounds.stage.cluster.get(POLICY, "allow", "web")
    mark = {
        "kustomize.toolkit.fluxcd.io/name": "shop",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    fields = {"f:metadata": {"f:labels": {f"f:{name}": {} for name in mark}}}
    wrote = {"manager": "kustomize-controller", "time": "2026-01-01T08:00:00Z", "fieldsV1": fields}
    fresh["metadata"]["labels"] |= mark
    fresh["metadata"]["managedFields"] = [wrote]
    rounds.stage.cluster.replace(fresh)
    rounds.go(12)
    found = rounds.found("Contested")
    assert (found.status, found.reason) == ("True", "ManagedByOthers")
    assert "web/NetworkPolicy/allow is also managed by Flux (Kustomization flux-system/shop" in found.message
    assert rounds.found().status == "False"
