"""A namespace that leaves the selection is reported; its policies go only by a rollout that people approve."""

import itertools

import pytest
from stage import ALLOW, DENY, OWN, Rounds, Stage, files, policy

from orchestrator.context import NAMESPACE, POLICY, ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import load, new

FIRST = "shop-cccccccccc"
REMOVAL = f"{FIRST}-2"


class Leaving(Rounds):
    """A source whose first rollout has ended; `relabel` makes a namespace leave or return."""

    def __init__(self, orphans="report", good=True, **strategy):
        super().__init__(Stage(good, **strategy))
        self.stage.change(orphans=orphans)
        assert self.go() == {FIRST: "Succeeded"}

    def relabel(self, name, labels=()):
        fresh = self.stage.cluster.get(NAMESPACE, name)
        self.stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "labels": dict(labels)}})

    def orphaned(self):
        found = {c.type: c for c in self.stage.shop().status.conditions}.get("Orphaned")
        return found and (found.status, found.reason, found.message)

    def rollout(self, name=REMOVAL):
        return load(self.stage.cluster.get(ROLLOUT, name, OWN))

    def decide(self, decision="approve", user="eve"):
        found = self.rollout()
        spec = m.RolloutApprovalSpec(
            rollout=found.name,
            wave=0,
            plan_digest=found.spec.plan_digest,
            user=user,
            groups=["release-engineers"],
            decision=decision,
        )
        self.stage.cluster.create(new("RolloutApproval", f"{decision}-{user}", OWN, spec))

    def web(self):
        return sorted(self.stage.names()["web"])


def leaving():
    """The removal of one that left waits for people."""
    rounds = Leaving("remove")
    rounds.relabel("web")
    rounds.go(8)
    return rounds


def test_one_that_left_is_reported_and_keeps_its_policies():
    rounds = Leaving()
    assert rounds.orphaned() is None
    rounds.relabel("web")
    assert rounds.go(20) == {FIRST: "Succeeded"} and rounds.web() == ["allow", "deny"]
    status, reason, message = rounds.orphaned()
    assert (status, reason) == ("True", "Orphaned") and "web (2 policies)" in message
    rounds.relabel("web", {"team": "shop"})
    rounds.go()
    assert rounds.orphaned() == ("False", "NoOrphans", "")


def test_its_folder_in_git_does_not_stop_the_look_for_drift():
    rounds = Leaving()
    rounds.stage.repository.push(
        "d", {**files(DENY, ALLOW), "web/a.yaml": files(policy("more", {"podSelector": {}}))["all.yaml"]}
    )
    assert rounds.go()["shop-dddddddddd"] == "Succeeded"
    rounds.relabel("web")
    rounds.go(12)
    drifted = {c.type: c for c in rounds.stage.shop().status.conditions}["Drifted"]
    assert (drifted.status, drifted.reason) == ("False", "InSync")
    assert rounds.condition().status == "True" and "web (3 policies)" in rounds.orphaned()[2]


@pytest.mark.parametrize("gates", [[], [m.Gate(wave=5, approvals=1, min_risk="high", risks=["dns"])]])
def test_a_removal_is_of_high_risk_and_waits_for_people_whatever_the_strategy_says(gates):
    rounds = Leaving("remove", gates=gates)
    rounds.relabel("web")
    assert rounds.go(8)[REMOVAL] == "Paused"
    found = rounds.rollout()
    assert (found.spec.cause, found.spec.risk, found.status.paused_for) == ("orphans", "high", "approval")
    assert [(g.wave, g.min_risk, g.risks) for g in found.spec.strategy.gates] == [(0, "none", [])]
    assert "left the source's selection: web" in found.spec.risk_reasons[0]
    assert rounds.orphaned()[1] == "Removing" and rounds.web() == ["allow", "deny"]
    rounds.decide()
    assert rounds.go(8)[REMOVAL] == "Succeeded"
    assert rounds.web() == [] and sorted(rounds.stage.names()["pay"]) == ["allow", "deny"]
    assert rounds.orphaned() == ("False", "NoOrphans", "")
    assert rounds.stage.shop().status.current_revision == "c" * 40
    assert list(rounds.go(20)) == [FIRST, REMOVAL]


def test_one_that_is_rejected_is_not_tried_again():
    rounds = leaving()
    rounds.decide("reject")
    assert rounds.go(20) == {FIRST: "Succeeded", REMOVAL: "RolledBack"}
    assert rounds.web() == ["allow", "deny"] and "rejected" in rounds.orphaned()[2]
    assert rounds.stage.shop().status.blocked_revision == ""


def test_a_namespace_that_is_selected_again_ends_its_removal():
    rounds = leaving()
    rounds.relabel("web", {"team": "shop"})
    found = rounds.go(8)
    assert found == {FIRST: "Succeeded", REMOVAL: "RolledBack"}
    assert "web is selected again" in rounds.rollout().status.reason
    assert rounds.web() == ["allow", "deny"] and rounds.orphaned()[0] == "False"


def test_a_removal_that_waits_for_people_holds_up_nobody_s_change():
    rounds = leaving()
    rounds.stage.repository.push("d", files(DENY))
    found = rounds.go(12)
    assert found["shop-dddddddddd"] == "Succeeded" and found[REMOVAL] == "RolledBack"
    assert rounds.stage.names()["pay"] == ["deny"]
    assert found["shop-dddddddddd-2"] == "Paused" and rounds.web() == ["allow", "deny"]


def test_after_a_removal_the_label_makes_it_a_new_namespace():
    rounds = leaving()
    rounds.decide()
    rounds.go(8)
    rounds.relabel("web", {"team": "shop"})
    found = rounds.go(8)
    assert found[f"{FIRST}-3"] == "Succeeded" and rounds.rollout(f"{FIRST}-3").spec.cause == "namespaces"
    assert rounds.web() == ["allow", "deny"]


def test_an_old_namespace_that_gets_the_label_later_is_a_new_one():
    stage = Stage()
    stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}})
    rounds = Rounds(stage)
    assert rounds.go() == {FIRST: "Succeeded"}
    fresh = stage.cluster.get(NAMESPACE, "old")
    stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "labels": {"team": "shop"}}})
    assert rounds.go(8) == {FIRST: "Succeeded", REMOVAL: "Succeeded"}
    assert sorted(o["metadata"]["name"] for o in stage.cluster.list(POLICY, "old")) == ["allow", "deny"]


def test_where_nothing_is_selected_any_more_the_source_is_not_ready_and_says_what_is_left():
    rounds = Leaving("remove")
    for name in ("cart", "pay", "web"):
        rounds.relabel(name)
    rounds.go(6)
    assert rounds.condition().status == "False" and "selects no namespace" in rounds.condition().message
    assert "cart (2 policies), pay (2 policies), web (2 policies)" in rounds.orphaned()[2]
    assert all(len(names) == 2 for names in rounds.stage.names().values())


def test_others_objects_and_system_namespaces_are_left_alone():
    rounds = Leaving("remove")
    rounds.stage.namespace("kube-public")
    rounds.relabel("kube-public")
    for space, owner in (("kube-public", "shop"), ("web", "another")):
        rounds.stage.cluster.create(policy("theirs", {"podSelector": {}}, space, {SOURCE_LABEL: owner}))
    rounds.relabel("web")
    rounds.go(12)
    rounds.decide()
    assert rounds.go(8)[REMOVAL] == "Succeeded"
    assert rounds.web() == ["theirs"] and len(rounds.stage.cluster.list(POLICY, "kube-public")) == 1
    assert "kube-public (1 policy)" in rounds.orphaned()[2]


def test_a_label_that_comes_and_goes_makes_no_endless_row_of_removals():
    rounds = Leaving("remove")
    for _ in range(12):
        rounds.relabel("web")
        rounds.go(2)
        rounds.relabel("web", {"team": "shop"})
        rounds.go(2)
    assert len(rounds.rollouts()) == 4 and rounds.web() == ["allow", "deny"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("at", range(0, 40, 2))
def test_a_removal_dies_at_any_call_and_another_process_ends_it(at):
    """Everything of the namespace goes, or nothing does; the others are not touched."""
    rounds = leaving()
    rounds.decide()
    asked = itertools.count()
    Embedded(rounds.stage.context(), "gone", stop=lambda: next(asked) >= at).drive(REMOVAL)
    assert Rounds(rounds.stage).go(12)[REMOVAL] == "Succeeded"
    assert rounds.web() == [] and sorted(rounds.stage.names()["cart"]) == ["allow", "deny"]


def test_a_removal_that_hurts_is_rolled_back():
    rounds = leaving()
    before = rounds.stage.standing()
    rounds.stage.prober.good = False
    rounds.decide()
    assert rounds.go(8)[REMOVAL] == "RolledBack" and rounds.stage.standing() == before
    assert rounds.stage.shop().status.blocked_revision == "" and "rolled back" in rounds.orphaned()[2]
