"""The way back is complete: no bridge stays, no half-written namespace waits for ever, what holds an object is named."""

from contextlib import suppress

import pytest
from stage import OWN, Stage, policy, work
from test_crash import Killed

from orchestrator.context import NAMESPACE_ROLLOUT, POLICY, ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Busy, Refused, Unreachable
from orchestrator.operations import requests
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import load

NAME = "shop-cccccccccc"


class Around:
    """A cluster whose calls pass through `call(verb, real, args, kwargs)`; `calls` counts them."""

    def __init__(self, stage, call):
        self._stage, self._call, self.calls = stage, call, 0

    def __getattr__(self, verb):
        real = getattr(self._stage.cluster, verb)

        def called(*args, **kwargs):
            self.calls += 1
            return self._call(verb, real, args, kwargs)

        return called


def named(args):
    return args[0]["metadata"]["name"] if isinstance(args[0], dict) else args[1] if len(args) > 1 else ""


def writes(args, kwargs):
    kind = (
        args[0]["kind"]
        if args and isinstance(args[0], dict)
        else getattr(args[0], "kind", "")
        if args
        else ""
    )
    return kind == POLICY.kind and not kwargs.get("dry_run")


def killed_half_way(stage):
    """A worker that is gone right after it wrote the policy `deny` into the canary, with bridges around it."""

    def call(verb, real, args, kwargs):
        found = real(*args, **kwargs)
        if verb == "create" and writes(args, kwargs) and named(args) == "deny":
            raise Killed
        return found

    with pytest.raises(Killed):
        work(stage.context(Around(stage, call)), "one")
    assert any("bridge" in n for n in stage.names()["cart"])
    stage.clock.sleep(20)


def edited(stage, name="deny"):
    obj = stage.cluster.get(POLICY, name, "cart")
    stage.cluster.replace({**obj, "spec": {**obj["spec"], "podSelector": {"matchLabels": {"app": "z"}}}})


def test_a_worker_on_a_slow_machine_is_not_at_its_end_while_each_write_costs_it_its_place():
    stage = Stage(deadline_seconds=30)
    before = stage.standing()
    killed_half_way(stage)
    edited(stage, "allow")
    edited(stage)

    def call(verb, real, args, kwargs):
        found = real(*args, **kwargs)
        if verb in ("create", "replace", "delete") and writes(args, kwargs):
            stage.clock.sleep(12)  # the process stood still: it may have been replaced
        return found

    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    state = Embedded(stage.context(Around(stage, call)), "two").drive(NAME)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before, (
        state.rollout.status.reason
    )


def slow_back(stage, call):
    """How a rollout ends that is put back half-way, by a worker whose calls pass through `call`."""
    killed_half_way(stage)
    edited(stage, "allow")
    edited(stage)
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    return Embedded(stage.context(Around(stage, call)), "two").drive(NAME).rollout.status


def test_one_failure_after_a_slow_worker_lost_its_place_again_and_again_is_not_its_end():
    stage, written = Stage(deadline_seconds=30), []
    before = stage.standing()

    def call(verb, real, args, kwargs):
        if verb == "list" and len(written) == 4 and stage.clock.now() > written[-1]:
            written.append(stage.clock.now())
            raise Busy("slow down", 429)
        found = real(*args, **kwargs)
        if verb in ("create", "replace", "delete") and writes(args, kwargs):
            stage.clock.sleep(12)
            written.append(stage.clock.now())
        return found

    status = slow_back(stage, call)
    assert (written[3] - written[0]).total_seconds() > 30
    assert status.phase == "RolledBack" and stage.standing() == before, status.reason


def test_two_failures_between_which_the_worker_stood_still_are_not_its_end():
    stage, failed = Stage(deadline_seconds=30), []
    before = stage.standing()

    def call(verb, real, args, kwargs):
        back = stage.cluster.get(ROLLOUT, NAME, OWN)["status"]["phase"] == "RollingBack"
        if back and verb == "list" and args[0] == NAMESPACE_ROLLOUT and len(failed) < 2:
            if failed:
                stage.clock.sleep(60)
            failed.append(verb)
            raise Busy("internal error", 500)
        return real(*args, **kwargs)

    status = slow_back(stage, call)
    assert len(failed) == 2 and status.phase == "RolledBack" and stage.standing() == before, status.reason


def test_what_stands_in_the_way_again_and_again_is_the_end_in_time_though_the_worker_is_late_in_between():
    stage, asked = Stage(deadline_seconds=30), []

    def call(verb, real, args, kwargs):
        if verb in ("create", "replace", "delete") and writes(args, kwargs):
            raise Busy("internal error", 500)
        if verb == "list" and args[0] == POLICY:
            asked.append(stage.clock.now())
            stage.clock.sleep(12 if len(asked) % 2 else 4)
        return real(*args, **kwargs)

    status = slow_back(stage, call)
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
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), end)
    state = Embedded(stage.context(), "three").drive(NAME)
    assert state.rollout.status.phase == ("Succeeded" if end == "resume" else "RolledBack")
    assert not any("bridge" in n for found in stage.names().values() for n in found)


def test_a_way_back_from_a_drifted_namespace_leaves_no_bridge_however_often_it_is_interrupted():
    for at in range(1, 40):
        stage, left = Stage(gates=[m.Gate(wave=1, approvals=1)]), [at]
        before = stage.standing()
        work(stage.context(), "one")
        edited(stage, "allow")
        requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")

        def call(verb, real, args, kwargs, left=left):
            if verb in ("create", "replace", "delete") and writes(args, kwargs):
                left[0] -= 1
                if left[0] in (0, -1):
                    raise Busy("internal error", 500)
            return real(*args, **kwargs)

        state = Embedded(stage.context(Around(stage, call)), "two").drive(NAME)
        assert state.rollout.status.phase == "RolledBack" and stage.standing() == before, at
        if left[0] > 0:
            return
    raise AssertionError("more writes than a way back has")


class Holding:
    """Somebody puts a finalizer on an object as soon as it stands."""

    def __init__(self, stage, name):
        self.stage, self.name = stage, name

    def __call__(self, verb, real, args, kwargs):
        found = real(*args, **kwargs)
        if (
            verb == "create"
            and writes(args, kwargs)
            and named(args) == self.name
            and found["metadata"]["namespace"] == "cart"
        ):
            meta = {**found["metadata"], "finalizers": ["example.com/never"]}
            found = self.stage.cluster.replace({**found, "metadata": meta})
        return found


@pytest.mark.parametrize("seconds", [30, 300])
def test_what_somebody_holds_is_failed_in_time_in_few_calls_by_one_line_that_names_it(seconds):
    stage = Stage(good=False, deadline_seconds=seconds)
    before = stage.standing()
    around = Around(stage, Holding(stage, "deny"))
    began = stage.clock.now()
    status = work(stage.context(around), "one").rollout.status
    passed = (stage.clock.now() - began).total_seconds()
    assert status.phase == "Failed" and "\n" not in status.reason
    assert "cart: NetworkPolicy/deny (finalizer example.com/never)" in status.reason
    assert passed < seconds + 60 and around.calls < 300 + 3 * seconds
    assert stage.names()["cart"] == ["deny", "old"]
    held = stage.cluster.get(POLICY, "deny", "cart")
    assert held["spec"]["podSelector"].get("matchExpressions"), "it still selects pods"
    stage.cluster.replace({**held, "metadata": {**held["metadata"], "finalizers": []}})
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "rollback")
    state = Embedded(stage.context(), "later").drive(NAME)
    assert state.rollout.status.phase == "RolledBack" and stage.standing() == before


def test_what_somebody_holds_selects_no_pod_any_more_where_nothing_stood_there_before():
    stage = Stage(good=False, deadline_seconds=30)
    old = stage.cluster.get(POLICY, "old", "cart")["metadata"]
    stage.cluster.delete(POLICY, "old", "cart", uid=old["uid"], resource_version=old["resourceVersion"])
    work(stage.context(Around(stage, Holding(stage, "deny"))), "one")
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
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    state = Embedded(stage.context(), "two").drive(NAME)
    assert (
        state.rollout.status.phase == "Failed"
        and f"{later}: NetworkPolicy/deny" in state.rollout.status.reason
    )
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


class Mute:
    """One write of a policy is sent and never answered; it lands when `land` is called."""

    def __init__(self, at):
        self.left, self.sent = at, None

    def __call__(self, verb, real, args, kwargs):
        if verb in ("create", "replace", "delete") and writes(args, kwargs):
            self.left -= 1
            if self.left == 0:
                self.sent = (verb, real, args, kwargs)
                raise Unreachable("timed out")
        return real(*args, **kwargs)

    def land(self):
        """Whether it took effect."""
        _, real, args, kwargs = self.sent
        try:
            real(*args, **kwargs)
        except Exception:
            return False
        return True


def muted(at, dies):
    """A rollout whose `at`th write is lost at its worker's, which dies over it or goes on; then it is put back."""
    stage = Stage(good=False)
    before, mute = stage.standing(), Mute(at)

    def call(verb, real, args, kwargs):
        try:
            return mute(verb, real, args, kwargs)
        except Unreachable:
            if dies:
                raise Killed from None
            raise

    try:
        work(stage.context(Around(stage, call)), "one")
    except Killed:
        with suppress(Refused):  # on its way back already
            requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    return stage, before, mute


@pytest.mark.parametrize("dies", [True, False])
def test_a_replacement_or_deletion_that_lands_after_its_writer_was_replaced_is_refused(dies):
    seen = set()
    for at in range(1, 60):
        stage, before, mute = muted(at, dies)
        if mute.sent is None:
            break
        state = work(stage.context(), "two")
        assert state.rollout.status.phase == "RolledBack" and stage.standing() == before
        verb = mute.sent[0]
        seen.add(verb)
        if verb != "create":
            assert not mute.land() and stage.standing() == before, (at, verb)
    assert {"create", "delete"} <= seen


@pytest.mark.parametrize("seconds", [0, 6, 11])
def test_a_creation_that_lands_while_the_way_back_is_confirmed_is_undone_before_it_is_said(seconds):
    for at in range(1, 60):
        stage, before, mute = muted(at, True)
        if mute.sent is None:
            return
        if mute.sent[0] != "create":
            continue
        landed = []

        def land(now, stage=stage, mute=mute, landed=landed):
            records = [load(o) for o in stage.cluster.list(NAMESPACE_ROLLOUT, OWN)]
            if (
                not landed
                and records
                and all(r.status.phase != "Pending" for r in records if r.spec.wave == 0)
            ):
                landed.append(now)
                stage.clock.sleep(seconds)
                mute.land()

        stage.clock.subscribe(land, 1)
        state = work(stage.context(), "two")
        assert landed and state.rollout.status.phase == "RolledBack", at
        assert stage.standing() == before, (at, stage.names())


def test_a_lease_is_kept_where_a_write_was_not_answered_so_that_the_next_worker_knows():
    stage = Stage(good=True, gates=[m.Gate(wave=1, approvals=1)])
    work(stage.context(Around(stage, Mute(3))), "one")
    began = stage.clock.now()
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    state = Embedded(stage.context(), "two").drive(NAME)
    assert state.rollout.status.phase == "RolledBack"
    unsure = (stage.clock.now() - began).total_seconds() > 15
    assert unsure == bool(read(stage.context(), NAME).rollout.status.epoch)


@pytest.mark.parametrize("label", [None, {SOURCE_LABEL: "another"}])
@pytest.mark.parametrize("when", ["before the wave", "half way"])
def test_what_somebody_makes_under_a_name_that_only_the_change_holds_outlives_the_way_back(when, label):
    stage = Stage(gates=[m.Gate(wave=0, approvals=1)])
    before, theirs = (
        stage.standing(),
        policy("deny", {"podSelector": {"matchLabels": {"app": "z"}}}, "cart", label),
    )
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
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    state = Embedded(stage.context(), "three").drive(NAME)
    assert state.rollout.status.phase == "RolledBack"
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

    def call(verb, real, args, kwargs):
        found = real(*args, **kwargs)
        if (
            verb == "replace_status"
            and found["kind"] == ROLLOUT.kind
            and found["status"].get("opened")
            and not made
        ):
            theirs = policy("deny", {"podSelector": {"matchLabels": {"app": "z"}}}, "cart", label)
            made.append(stage.cluster.create(theirs))
        return found

    made = []
    status = work(stage.context(Around(stage, call)), "one").rollout.status
    assert made and (status.phase, status.paused_for) == ("Paused", "drift"), status.reason
    requests.ask(stage.context(), requests.find_rollout(stage.context(), NAME), "abort")
    state = Embedded(stage.context(), "two").drive(NAME)
    assert state.rollout.status.phase == "RolledBack"
    kept = stage.cluster.get(POLICY, "deny", "cart")
    assert kept["metadata"]["uid"] == made[0]["metadata"]["uid"] and kept["spec"] == made[0]["spec"]
    stage.cluster.delete(POLICY, "deny", "cart", uid="", resource_version="")
    assert stage.standing() == before
