"""The way back is complete: no bridge stays, no half-written namespace waits for ever, what holds an object is named."""

from contextlib import suppress

import pytest
from faulty_port import WRITES, FaultyPort, Killed, counted, just_after, just_before
from stage import OWN, Stage, policy, work

from orchestrator.context import NAMESPACE_ROLLOUT, POLICY, ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import ApiError, Busy, Refused, Unreachable
from orchestrator.operations import requests
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import load

NAME = "shop-cccccccccc"
POLICIES = {"kind": "NetworkPolicy", "dry_run": False}


def killed_half_way(stage):
    """A worker that is gone right after it wrote the policy `deny` into the canary, with bridges around it."""
    death = just_after(Killed, "create", name="deny", **POLICIES)
    with pytest.raises(Killed):
        work(stage.context(FaultyPort(stage.cluster, death)), "one")
    assert any("bridge" in n for n in stage.names()["cart"])
    stage.clock.sleep(20)


def edited(stage, name="deny"):
    obj = stage.cluster.get(POLICY, name, "cart")
    stage.cluster.replace({**obj, "spec": {**obj["spec"], "podSelector": {"matchLabels": {"app": "z"}}}})


def ended(stage, *faults, asked="abort"):
    """How the rollout ends once that is asked for, by another worker, which meets these faults."""
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), asked)
    return Embedded(stage.context(FaultyPort(stage.cluster, *faults)), "next").drive(NAME).rollout.status


def slow_back(stage, *faults):
    """How a rollout ends that is rolled back half-way, by a worker that meets these faults."""
    killed_half_way(stage)
    edited(stage, "allow")
    edited(stage)
    return ended(stage, *faults)


def test_a_worker_on_a_slow_machine_is_not_at_its_end_while_each_write_costs_it_its_place():
    stage = Stage(deadline_seconds=30)
    before = stage.standing()
    # the process stands still: it may be replaced
    slow = just_after(lambda call: stage.clock.sleep(12), *WRITES, **POLICIES)
    status = slow_back(stage, slow)
    assert slow.met and status.phase == "RolledBack" and stage.standing() == before, status.reason


def test_one_failure_after_a_slow_worker_lost_its_place_again_and_again_is_not_its_end():
    stage, written = Stage(deadline_seconds=30), []
    before = stage.standing()

    def slow(call):
        stage.clock.sleep(12)
        written.append(stage.clock.now())

    then = lambda call: len(written) == 4 and stage.clock.now() > written[-1]  # noqa: E731
    once = just_before(Busy("slow down", 429), "list", where=then, at=1)
    status = slow_back(stage, just_after(slow, *WRITES, **POLICIES), once)
    assert once.met and (written[3] - written[0]).total_seconds() > 30
    assert status.phase == "RolledBack" and stage.standing() == before, status.reason


def test_two_failures_between_which_the_worker_stood_still_are_not_its_end():
    stage = Stage(deadline_seconds=30)
    before = stage.standing()

    def fail(call):
        if len(failed.met) == 2:
            stage.clock.sleep(60)
        raise Busy("internal error", 500)

    back = lambda call: stage.cluster.get(ROLLOUT, NAME, OWN)["status"]["phase"] == "RollingBack"  # noqa: E731
    failed = just_before(fail, "list", kind="NamespaceRollout", where=back, at=range(1, 3))
    status = slow_back(stage, failed)
    assert len(failed.met) == 2 and status.phase == "RolledBack" and stage.standing() == before, status.reason


def test_what_stands_in_the_way_again_and_again_is_the_end_in_time_though_the_worker_is_late_in_between():
    stage, asked = Stage(deadline_seconds=30), []

    def slow(call):
        asked.append(stage.clock.now())
        stage.clock.sleep(12 if len(asked) % 2 else 4)

    refused = just_before(Busy("internal error", 500), *WRITES, **POLICIES)
    status = slow_back(stage, refused, just_before(slow, "list", kind="NetworkPolicy"))
    assert status.phase == "Failed" and "within 30 s: internal error" in status.reason
    assert (asked[-1] - asked[0]).total_seconds() < 30 * 6


def test_a_policy_of_somebody_else_that_comes_in_the_middle_changes_nothing_of_the_walk():
    stage = Stage()
    killed_half_way(stage)
    stage.cluster.create(policy("mine", {"podSelector": {"matchLabels": {"app": "x"}}}, "cart"))
    state = work(stage.context(), "two")
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    assert stage.names()["cart"] == ["allow", "deny", "mine"]


@pytest.mark.parametrize("end", ["resume", "abort"])
def test_one_of_ours_that_is_edited_in_the_middle_pauses_with_no_bridge_left_and_resume_goes_on(end):
    stage = Stage()
    before = stage.standing()
    killed_half_way(stage)
    edited(stage)
    status = work(stage.context(), "two").rollout.status
    assert (status.phase, status.paused_for) == ("Paused", "drift")
    assert "as they were before" in status.reason and stage.standing()["cart"] == before["cart"]
    assert ended(stage, asked=end).phase == ("Succeeded" if end == "resume" else "RolledBack")
    assert not any("bridge" in n for found in stage.names().values() for n in found)


def test_a_way_back_from_a_drifted_namespace_leaves_no_bridge_however_often_it_is_interrupted():
    for at in range(1, 40):
        stage = Stage(gates=[m.Gate(wave=1, approvals=1)])
        before = stage.standing()
        work(stage.context(), "one")
        edited(stage, "allow")
        twice = just_before(Busy("internal error", 500), *WRITES, at=range(at, at + 2), **POLICIES)
        assert ended(stage, twice).phase == "RolledBack" and stage.standing() == before, at
        if not twice.met:
            return
    raise AssertionError("more writes than a way back has")


def holding(stage):
    """Somebody puts a finalizer on `deny` of cart as soon as it stands."""

    def hold(call):
        meta = {**call.answer["metadata"], "finalizers": ["example.com/never"]}
        call.answer = stage.cluster.replace({**call.answer, "metadata": meta})

    return just_after(hold, "create", name="deny", namespace="cart", **POLICIES)


@pytest.mark.parametrize("seconds", [30, 300])
def test_what_somebody_holds_is_failed_in_time_in_few_calls_by_one_line_that_names_it(seconds):
    stage = Stage(good=False, deadline_seconds=seconds)
    before = stage.standing()
    hold, calls = holding(stage), counted()
    began = stage.clock.now()
    status = work(stage.context(FaultyPort(stage.cluster, hold, calls)), "one").rollout.status
    passed = (stage.clock.now() - began).total_seconds()
    assert status.phase == "Failed" and "\n" not in status.reason
    assert "cart: NetworkPolicy/deny (finalizer example.com/never)" in status.reason
    assert passed < seconds + 60 and len(calls.seen) < 300 + 3 * seconds
    assert stage.names()["cart"] == ["deny", "old"]
    held = stage.cluster.get(POLICY, "deny", "cart")
    assert held["spec"]["podSelector"].get("matchExpressions"), "it still selects pods"
    stage.cluster.replace({**held, "metadata": {**held["metadata"], "finalizers": []}})
    assert ended(stage, asked="rollback").phase == "RolledBack" and stage.standing() == before


def test_what_somebody_holds_selects_no_pod_any_more_where_nothing_stood_there_before():
    stage = Stage(good=False, deadline_seconds=30)
    stage.remove(POLICY, "old", "cart")
    work(stage.context(FaultyPort(stage.cluster, holding(stage))), "one")
    assert stage.names()["cart"] == ["deny"]
    selector = stage.cluster.get(POLICY, "deny", "cart")["spec"]["podSelector"]
    assert selector.get("matchExpressions"), "it still selects pods"


def test_one_held_namespace_holds_up_the_way_back_of_no_other():
    stage = Stage(gates=[m.Gate(wave=2, approvals=1)], steps=[m.WaveStep(count=1)], deadline_seconds=30)
    before = stage.standing()
    work(stage.context(), "one")
    later = next(n for n in ("pay", "web") if stage.standing()[n] != before[n])
    obj = stage.cluster.get(POLICY, "deny", later)
    stage.cluster.replace({**obj, "metadata": {**obj["metadata"], "finalizers": ["example.com/never"]}})
    status = ended(stage)
    assert status.phase == "Failed" and f"{later}: NetworkPolicy/deny" in status.reason
    assert stage.standing()["cart"] == before["cart"]


def test_what_goes_only_after_a_while_is_waited_for_and_the_rollout_goes_on():
    stage = Stage()
    old = stage.cluster.get(POLICY, "old", "cart")
    stage.cluster.replace({**old, "metadata": {**old["metadata"], "finalizers": ["example.com/soon"]}})

    def soon(now):
        for obj in stage.cluster.list(POLICY, "cart"):
            if obj["metadata"].get("deletionTimestamp"):
                stage.cluster.replace({**obj, "metadata": {**obj["metadata"], "finalizers": []}})

    stage.clock.subscribe(soon, 20)
    assert work(stage.context(), "one").rollout.status.phase == "Succeeded"
    assert stage.names()["cart"] == ["allow", "deny"]


def unheard(at, error=Unreachable("timed out")):
    """The n-th write of a policy is sent and never answered; it lands, or is refused, whenever it goes on."""
    return just_before(error, *WRITES, at=at, **POLICIES)


def lands(call):
    """Whether it took effect."""
    try:
        call.go_on()
    except ApiError:
        return False
    return True


def muted(at, dies):
    """A rollout whose `at`th write is lost at its worker's, which dies over it or goes on; then it is rolled back."""
    stage = Stage(good=False)
    before, lost = stage.standing(), unheard(at, Killed) if dies else unheard(at)
    try:
        work(stage.context(FaultyPort(stage.cluster, lost)), "one")
    except Killed:
        with suppress(Refused):  # on its way back already
            requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    return stage, before, lost.met


@pytest.mark.parametrize("dies", [True, False])
def test_a_replacement_or_deletion_that_lands_after_its_writer_was_replaced_is_refused(dies):
    seen = set()
    for at in range(1, 60):
        stage, before, sent = muted(at, dies)
        if not sent:
            break
        state = work(stage.context(), "two")
        assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
        verb = sent[0].verb
        seen.add(verb)
        if verb != "create":
            assert not lands(sent[0]) and stage.standing() == before, (at, verb)
    assert {"create", "delete"} <= seen


@pytest.mark.parametrize("seconds", [0, 6, 11])
def test_a_creation_that_lands_while_the_way_back_is_confirmed_is_undone_before_it_is_said(seconds):
    for at in range(1, 60):
        stage, before, sent = muted(at, True)
        if not sent:
            return
        if sent[0].verb != "create":
            continue
        landed = []

        def land(now, stage=stage, sent=sent, landed=landed):
            records = [load(o) for o in stage.cluster.list(NAMESPACE_ROLLOUT, OWN)]
            written = records and all(r.status.phase != "Pending" for r in records if r.spec.wave == 0)
            if written and not landed:
                landed.append(now)
                stage.clock.sleep(seconds)
                lands(sent[0])

        stage.clock.subscribe(land, 1)
        state = work(stage.context(), "two")
        assert landed and state.rollout.status.phase == "RolledBack", at
        assert stage.standing() == before, (at, stage.names())


def test_a_lease_is_kept_where_a_write_was_not_answered_so_that_the_next_worker_knows():
    stage = Stage(good=True, gates=[m.Gate(wave=1, approvals=1)])
    work(stage.context(FaultyPort(stage.cluster, unheard(3))), "one")
    began = stage.clock.now()
    assert ended(stage).phase == "RolledBack"
    unsure = (stage.clock.now() - began).total_seconds() > 15
    assert unsure == bool(read(stage.context(), NAME).rollout.status.epoch)


@pytest.mark.parametrize("label", [None, {SOURCE_LABEL: "another"}])
@pytest.mark.parametrize("when", ["before the wave", "half way"])
def test_what_somebody_makes_under_a_name_that_only_the_change_holds_outlives_the_way_back(when, label):
    stage = Stage(gates=[m.Gate(wave=0, approvals=1)])
    before = stage.standing()
    theirs = policy("deny", {"podSelector": {"matchLabels": {"app": "z"}}}, "cart", label)
    if when == "half way":
        stage = Stage()
        before = stage.standing()
        killed_half_way(stage)
        stage.cluster.delete(POLICY, "deny", "cart", uid="", resource_version="")
    else:
        work(stage.context(), "one")
    made = stage.cluster.create(theirs)
    if when == "half way":
        status = work(stage.context(), "two").rollout.status
        assert (status.phase, status.paused_for) == ("Paused", "drift")
    assert ended(stage).phase == "RolledBack"
    kept = stage.cluster.get(POLICY, "deny", "cart")
    assert kept["metadata"]["uid"] == made["metadata"]["uid"] and kept["spec"] == made["spec"]
    assert kept["metadata"].get("labels") == made["metadata"].get("labels")
    stage.cluster.delete(POLICY, "deny", "cart", uid="", resource_version="")
    assert stage.standing() == before


@pytest.mark.parametrize("label", [None, {SOURCE_LABEL: "another"}])
def test_what_somebody_makes_while_the_wave_waits_to_be_written_is_left_by_the_pause_and_by_the_way_back(
    label,
):
    stage = Stage()
    before = stage.standing()
    theirs, made = policy("deny", {"podSelector": {"matchLabels": {"app": "z"}}}, "cart", label), []
    opens = lambda call: call.obj["status"].get("wavesStarted")  # noqa: E731
    make = lambda call: made.append(stage.cluster.create(theirs))  # noqa: E731
    somebody = just_after(make, "replace_status", kind="PolicyRollout", where=opens, at=1)
    status = work(stage.context(FaultyPort(stage.cluster, somebody)), "one").rollout.status
    assert made and (status.phase, status.paused_for) == ("Paused", "drift"), status.reason
    assert ended(stage).phase == "RolledBack"
    kept = stage.cluster.get(POLICY, "deny", "cart")
    assert kept["metadata"]["uid"] == made[0]["metadata"]["uid"] and kept["spec"] == made[0]["spec"]
    stage.cluster.delete(POLICY, "deny", "cart", uid="", resource_version="")
    assert stage.standing() == before
