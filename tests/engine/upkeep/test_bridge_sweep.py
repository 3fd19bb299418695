"""A bridge of no walk is gone within the stated bound, whoever leads; those of open, Failed and others' rollouts stay."""

from dataclasses import replace

import pytest
from drifting import Told
from faulty_port import FaultyPort, just_before
from stage import OWN, Inline, Rounds, Stage, files, policy, work

from orchestrator.cli.operate.guard_service import alone
from orchestrator.context import NAMESPACE, POLICY, ROLLOUT
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments
from orchestrator.engine.upkeep.bridge_sweep import BOUND, Sweeper
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Conflict, Forbidden
from orchestrator.operations.start import start
from orchestrator.policy.writes.bridges import bridge_name
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from orchestrator.writing.stray_bridges import strays
from orchestrator.writing.walk import tag

NAME = "shop-cccccccccc"
OPEN = {"podSelector": {}, "ingress": [{}], "policyTypes": ["Ingress"]}


def lands(stage, rollout=NAME, number=7, space="cart", **meta):
    obj = policy(bridge_name(tag(rollout), number), OPEN, space)
    return stage.cluster.create({**obj, "metadata": {**obj["metadata"], **meta}})


def bridges(stage):
    return [n for found in stage.names().values() for n in found if "bridge" in n]


@pytest.mark.parametrize("rollout", [NAME, f"{NAME}-back"])
@pytest.mark.parametrize("good", [True, False])
def test_one_that_lands_after_the_end_is_gone_within_the_bound_and_the_controller_says_so(good, rollout):
    stage = Stage(good=good)
    work(stage.context(), "one")
    stands = stage.standing()
    rounds, passed = Rounds(stage), 0.0
    rounds.controller.tick(Inline())
    lands(stage, rollout)
    while bridges(stage):
        stage.clock.sleep(3)
        passed += 3
        rounds.controller.tick(Inline())
        assert passed <= BOUND
    assert stage.standing() == stands


def test_the_rollout_that_made_it_gets_an_event():
    stage, told = Stage(), Told()
    work(stage.context(), "one")
    lands(stage)
    assert Sweeper(replace(stage.context(), notifier=told)).look() == 1
    [(_, name, reason, message, _)] = told.events
    assert (name, reason) == (NAME, "StrayBridge") and "cart/netpol-canary-bridge-" in message


def test_the_guard_alone_removes_one_whose_rollout_is_gone():
    stage = Stage()
    lands(stage, "shop-0000000000")
    guard = Guard(alone(stage.cluster, stage.clock, OWN), "guard", GuardInstruments())
    for _ in range(int(BOUND / guard.interval)):
        guard.round(None)
        stage.clock.sleep(guard.interval)
    assert not bridges(stage)


def test_a_guard_that_does_not_lead_removes_nothing():
    stage = Stage()
    ctx = alone(stage.cluster, stage.clock, OWN)
    first, second = (Guard(ctx, name, GuardInstruments()) for name in ("a", "b"))
    first.round(None)
    lands(stage, "shop-0000000000")
    second.round(None)
    assert bridges(stage)


def test_one_that_lands_in_an_applied_namespace_of_an_open_rollout_is_removed_and_one_in_a_pending_stays():
    stage = Stage(gates=[m.Gate(wave=1, approvals=1)])
    assert work(stage.context(), "one").rollout.status.phase == "Paused"
    lands(stage)
    lands(stage, space="web")
    assert Sweeper(stage.context()).look() == 1
    assert [n for n in stage.names()["web"] if "bridge" in n]
    assert not [n for n in stage.names()["cart"] if "bridge" in n]


@pytest.mark.parametrize("phase", ["RollingBack", "Failed"])
def test_those_of_a_rollout_on_its_way_back_or_failed_are_left_alone(phase):
    stage = Stage()
    work(stage.context(), "one")
    lands(stage)
    found = load(stage.cluster.get(ROLLOUT, NAME, OWN))
    stage.cluster.replace_status(found.with_status(found.status.model_copy(update={"phase": phase})))
    assert Sweeper(stage.context()).look() == 0 and bridges(stage)


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("whose", ["shop", "mill"])
def test_those_of_a_failed_rollout_go_with_the_next_one_of_its_source_and_of_no_other(good, whose):
    stage = Stage()
    work(stage.context(), "one")
    ended, name = stage.cluster.get(ROLLOUT, NAME, OWN), NAME.replace("shop", whose)
    if whose != "shop":
        meta = {"name": name, "namespace": OWN, "labels": ended["metadata"]["labels"]}
        stage.cluster.create({**ended, "metadata": meta, "spec": {**ended["spec"], "source": whose}})
    found = load(stage.cluster.get(ROLLOUT, name, OWN))
    failed = load(ended).status.model_copy(update={"phase": "Failed"})
    stage.cluster.replace_status(found.with_status(failed))
    lands(stage, name)
    stage.repository.push("d", files(policy("allow", OPEN)))
    stage.prober.good = good
    state = Embedded(stage.context(), "two").drive(start(stage.context(), stage.shop()).rollout)
    assert state.rollout.status.phase == ("Succeeded" if good else "RolledBack"), state.rollout.status.reason
    assert bool(bridges(stage)) == (whose == "mill")


@pytest.mark.parametrize("here", [True, False])
def test_a_second_installation_keeps_its_own_even_where_the_rollouts_have_the_same_name(here):
    stage = Stage()
    work(stage.context(), "one")
    ended = stage.cluster.get(ROLLOUT, NAME, OWN)
    stage.cluster.create({"apiVersion": "v1", "kind": NAMESPACE.kind, "metadata": {"name": "second"}})
    name = NAME if here else "other-dddddddddd"
    twin = {**ended, "metadata": {"name": name, "namespace": "second", "labels": ended["metadata"]["labels"]}}
    stage.cluster.create(twin)
    lands(stage, name)
    assert Sweeper(stage.context()).look() == 0 and bridges(stage)


def test_a_policy_of_somebody_else_is_none_whatever_its_labels_say():
    stage = Stage()
    label = {"netpol-canary.dev/bridge": tag(NAME)}
    for name in ("mine", "netpol-canary-bridge-mine", f"netpol-canary-bridge-{tag(NAME)}"):
        stage.cluster.create(policy(name, OPEN, "cart", label))
    assert strays(stage.context()) == []


def test_one_that_somebody_holds_is_asked_for_once_and_selects_no_pod():
    stage = Stage()
    lands(stage, "shop-0000000000", finalizers=["example.com/never"])
    sweeper = Sweeper(stage.context(), every=0)
    assert [sweeper.look() for _ in range(3)] == [1, 0, 0]
    [found] = [o for o in stage.cluster.list(POLICY, "cart") if "bridge" in o["metadata"]["name"]]
    assert found["metadata"]["deletionTimestamp"] and found["spec"] != OPEN
    assert found["spec"]["podSelector"].get("matchExpressions"), "it still selects pods"


@pytest.mark.parametrize(
    ("verb", "error"),
    [("delete", Conflict("changed", 409)), ("delete", Forbidden("no", 403)), ("list", Forbidden("no", 403))],
)
def test_what_the_api_server_refuses_stops_nothing_and_is_tried_again(verb, error):
    stage = Stage()
    lands(stage, "shop-0000000000")
    refused = just_before(error, verb, where=lambda call: call.kind in (POLICY.kind, ROLLOUT.kind))
    sweeper = Sweeper(stage.context(FaultyPort(stage.cluster, refused)), every=0)
    assert sweeper.look() == 0 and refused.met and bridges(stage)
    sweeper.ctx = stage.context()
    assert sweeper.look() == 1 and not bridges(stage)
