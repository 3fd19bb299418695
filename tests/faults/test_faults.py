"""One failed call changes nothing of the outcome; calls that fail for good end in sight, and lose nothing."""

import pytest
from faulty_port import WRITES, FaultyPort, instead, just_after, just_before
from sampling import sampled
from stage import OWN, Stage, check, work

from orchestrator.context import NAMESPACE_ROLLOUT, ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Busy, Conflict, NetpolCanaryError, Unreachable
from orchestrator.rollout.resources.resource import load

FAULTS = {
    "409": (Conflict("the object has been modified"), False),
    "429": (Busy("slow down", 429, retry_after=2), False),
    "500": (Busy("internal error", 500), False),
    "timeout": (Unreachable("timed out"), True),
    "broken connection": (Unreachable("connection reset"), False),
}
EVERYWHERE = ("500", "timeout")  # the others are answers to what is written, or the same to whoever reads
FOR_GOOD = 10**9


def fails(fault, at, *verbs, **which):
    """That fault of FAULTS, at calls with these numbers among those that fit."""
    error, landed = FAULTS[fault]
    return (just_after if landed else just_before)(error, *verbs, at=at, **which)


def outcome(good, fault, at, verbs):
    stage, failing = Stage(good), fails(fault, at, *verbs)
    before = stage.standing()
    return stage, before, work(stage.context(FaultyPort(stage.cluster, failing)), "worker"), failing


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", FAULTS)
def test_each_call_fails_once(fault):
    """Each call of a good and of a bad change; sampled, one of those that one function makes in the same step on one kind."""
    verbs = () if fault in EVERYWHERE else WRITES
    found = {good: outcome(good, fault, 0, verbs)[3] for good in (True, False)}
    cases = [(good, at) for good, calls in found.items() for at in range(1, len(calls.seen) + 1)]
    for good, at in sampled(cases, lambda case: found[case[0]].way(case[1]), fault):
        stage, before, state, failing = outcome(good, fault, at, verbs)
        check(stage, before, state)
        assert len(failing.seen) >= at


@pytest.mark.parametrize("first", [1, 12, 40])
def test_with_every_call_failing_for_good_it_fails_within_its_deadline(first):
    stage = Stage(deadline_seconds=30)
    before, began = stage.standing(), stage.clock.now()
    with pytest.raises(NetpolCanaryError):
        work(stage.context(FaultyPort(stage.cluster, fails("500", range(first, FOR_GOOD)))), "worker")
    assert (stage.clock.now() - began).total_seconds() < 200
    check(stage, before, work(stage.context(), "another"))


@pytest.mark.parametrize("written", [0, 1, 2])
def test_policies_that_cannot_be_written_end_as_failed_or_put_back_and_keep_what_stood_there(written):
    stage = Stage(deadline_seconds=30)
    before = stage.standing()

    policies = {"kind": "NetworkPolicy", "dry_run": False}
    broken = fails("500", range(written + 1, FOR_GOOD), *WRITES, **policies)
    state = work(stage.context(FaultyPort(stage.cluster, broken)), "worker")
    status = state.rollout.status
    assert broken.met and status.phase in ("RolledBack", "Failed") and "internal error" in status.reason
    if status.phase == "RolledBack":
        assert stage.standing() == before
        return
    records = [load(o) for o in stage.cluster.list(NAMESPACE_ROLLOUT, OWN)]
    assert all(r.manifest["metadata"]["finalizers"] and r.spec.after for r in records)
    annotations = {"netpol-canary.dev/request": "rollback/1/eve"}
    fresh = stage.cluster.get(ROLLOUT, state.rollout.name, OWN)
    stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": annotations}})
    again = Embedded(stage.context(), "later").drive(state.rollout.name)
    assert again.rollout.status.phase == "RolledBack" and stage.standing() == before


def test_a_good_end_that_was_written_after_all_is_not_taken_back():
    """Its write fails for longer than the deadline, and the last try lands all the same."""
    stage, tries = Stage(), []

    def late(call):
        tries.append(stage.clock.now())
        if (tries[-1] - tries[0]).total_seconds() >= 300:
            call.go_on()
        raise Busy("internal error", 500)

    end = lambda call: call.obj["status"].get("phase") == "Succeeded"  # noqa: E731
    ends = instead(late, "replace_status", name="shop-cccccccccc", where=end)
    state = work(stage.context(FaultyPort(stage.cluster, ends)), "worker")
    assert (tries[-1] - tries[0]).total_seconds() >= 300
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    assert all(found == ["allow", "deny"] for found in stage.names().values())
