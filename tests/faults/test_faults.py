"""One failed call changes nothing of the outcome; calls that fail for good end in sight, and lose nothing."""

import pytest
from sampling import sampled, way
from stage import OWN, Stage, check, work

from orchestrator.context import NAMESPACE_ROLLOUT, ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Busy, Conflict, NetpolCanaryError, Unreachable
from orchestrator.rollout.resources.resource import load

FAULTS = {
    "409": (lambda: Conflict("the object has been modified"), False),
    "429": (lambda: Busy("slow down", 429, retry_after=2), False),
    "500": (lambda: Busy("internal error", 500), False),
    "timeout": (lambda: Unreachable("timed out"), True),
    "broken connection": (lambda: Unreachable("connection reset"), False),
}
EVERYWHERE = ("500", "timeout")  # the others are answers to what is written, or the same to whoever reads
WRITES = {"create", "replace", "replace_status", "delete"}
POLICY_WRITES = {"create", "replace", "delete"}


class Faulty:
    """A cluster whose calls number `first` to `last` fail; `landed` where they take effect all the same."""

    def __init__(self, cluster, fault, first, last, only=lambda verb, args: True):
        self._cluster, self._fault, self._span, self._only = cluster, FAULTS[fault], (first, last), only
        self.calls, self.ways = 0, []

    def __getattr__(self, name):
        real = getattr(self._cluster, name)

        def call(*args, **kwargs):
            if not self._only(name, args):
                return real(*args, **kwargs)
            self.calls += 1
            self.ways.append((name, _kind(args), way()))
            make, landed = self._fault
            if not self._span[0] <= self.calls <= self._span[1]:
                return real(*args, **kwargs)
            if landed:
                real(*args, **kwargs)
            raise make()

        return call


def outcome(good, fault, first, last, only=lambda verb, args: True, **strategy):
    stage = Stage(good, **strategy)
    before = stage.standing()
    faulty = Faulty(stage.cluster, fault, first, last, only)
    return stage, before, work(stage.context(faulty), "worker"), faulty.ways


@pytest.mark.parametrize("fault", FAULTS)
def test_each_call_fails_once(fault):
    """Each call of a good and of a bad change; sampled, one of those that one function makes in the same step on one kind."""
    only = (lambda verb, args: True) if fault in EVERYWHERE else (lambda verb, args: verb in WRITES)
    ways = {good: outcome(good, fault, 0, 0, only)[3] for good in (True, False)}
    cases = [(good, at) for good, found in ways.items() for at in range(1, len(found) + 1)]
    for good, at in sampled(cases, lambda case: ways[case[0]][case[1] - 1], fault):
        stage, before, state, _ = outcome(good, fault, at, at, only)
        check(stage, before, state)


def policy_writes(verb, args):
    return verb in POLICY_WRITES and _kind(args) == "NetworkPolicy"


def _kind(args):
    return args[0]["kind"] if isinstance(args[0], dict) else args[0].kind


@pytest.mark.parametrize("first", [1, 12, 40])
def test_with_every_call_failing_for_good_it_fails_within_its_deadline(first):
    stage = Stage(deadline_seconds=30)
    before, began = stage.standing(), stage.clock.now()
    with pytest.raises(NetpolCanaryError):
        work(stage.context(Faulty(stage.cluster, "500", first, 10**9)), "worker")
    assert (stage.clock.now() - began).total_seconds() < 200
    check(stage, before, work(stage.context(), "another"))


@pytest.mark.parametrize("written", [0, 1, 2])
def test_policies_that_cannot_be_written_end_as_failed_or_put_back_and_keep_what_stood_there(written):
    stage = Stage(deadline_seconds=30)
    before = stage.standing()

    class ReadOnly(Faulty):
        """Dry runs pass: only what would change a policy fails."""

        def __getattr__(self, name):
            call = super().__getattr__(name)
            real = getattr(self._cluster, name)
            return lambda *a, **k: real(*a, **k) if k.get("dry_run") else call(*a, **k)

    broken = ReadOnly(stage.cluster, "500", written + 1, 10**9, policy_writes)
    state = work(stage.context(broken), "worker")
    status = state.rollout.status
    assert status.phase in ("RolledBack", "Failed") and "internal error" in status.reason
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


class Late:
    """The write of the good end fails for longer than the deadline; the last try lands all the same."""

    def __init__(self, stage):
        self._stage, self._first = stage, None

    def __getattr__(self, name):
        return getattr(self._stage.cluster, name)

    def replace_status(self, obj):
        if obj["status"].get("phase") != "Succeeded" or obj["metadata"]["name"] != "shop-cccccccccc":
            return self._stage.cluster.replace_status(obj)
        now = self._stage.clock.now()
        self._first = self._first or now
        if (now - self._first).total_seconds() >= 300:
            self._stage.cluster.replace_status(obj)
        raise Busy("internal error", 500)


def test_a_good_end_that_was_written_after_all_is_not_taken_back():
    stage = Stage()
    state = work(stage.context(Late(stage)), "worker")
    assert state.rollout.status.phase == "Succeeded", state.rollout.status.reason
    assert all(found == ["allow", "deny"] for found in stage.names().values())
