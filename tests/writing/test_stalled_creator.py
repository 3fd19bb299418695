"""A worker stands still before a call, others go on meanwhile, and it wakes: what it creates then does not stay."""

from contextlib import suppress

import pytest
from faulty_port import FaultyPort, Killed, counted, just_after, just_before
from stage import OWN, Stage, work

from orchestrator.context import ANALYSIS, NAMESPACE_ROLLOUT, POLICY
from orchestrator.errors import NetpolCanaryError, Refused
from orchestrator.operations import requests
from orchestrator.policy.writes.bridges import bridge_tag
from workflows.shard_worker import Worker

NAME = "shop-cccccccccc"
POLICIES = {"kind": "NetworkPolicy", "dry_run": False}
STILL = 58.0  # seconds
ENGINES = pytest.mark.parametrize("engine", ["embedded", "argo"])


class Scene:
    """A rollout with a worker that is overtaken: the embedded engine, or the pod that writes the canary."""

    def __init__(self, engine, good=True):
        self.stage, self.argo = Stage(good, engine=engine), engine == "argo"
        self.before = self.stage.standing()
        if self.argo:
            work(self.stage.context(), "engine", stop=lambda: self._is(ANALYSIS, "Running"))

    def _is(self, kind, phase):
        return any((o.get("status") or {}).get("phase") == phase for o in self.stage.cluster.list(kind, OWN))

    def overtaken(self, *faults):
        """It works with these faults."""
        ctx = self.stage.context(FaultyPort(self.stage.cluster, *faults))
        if self.argo:
            Worker(ctx, NAME, 0).run("apply")
            return
        with suppress(NetpolCanaryError):  # others may be done with it
            work(ctx, "overtaken")

    def others(self, asked="", port=None, until_applied=False):
        """Somebody asks for this, and another worker goes on, to the end or until the canary is Applied; its status."""
        self.stage.clock.sleep(STILL)
        if asked:
            with suppress(NetpolCanaryError, Refused):  # nothing runs
                requests.ask(self.stage.context(), requests.find_rollout(self.stage.context(), NAME), asked)
        stop = (lambda: self._is(NAMESPACE_ROLLOUT, "Applied")) if until_applied else (lambda: False)
        return work(self.stage.context(port), "another", stop=stop).rollout.status

    def bridges(self):
        return [o["metadata"]["name"] for o in self.stage.cluster.list(POLICY) if bridge_tag(o)]

    def ends_well(self, at):
        """Exactly at an end, as the last word on the rollout has it."""
        status = work(self.stage.context(), "last").rollout.status
        assert not self.bridges(), at
        if status.phase == "Succeeded":
            assert all(sorted(found) == ["allow", "deny"] for found in self.stage.names().values()), at
        else:
            assert status.phase == "RolledBack" and self.stage.standing() == self.before, (at, status.reason)


def calls(engine, good):
    """Of a worker that nobody overtakes."""
    scene, seen = Scene(engine, good), counted()
    scene.overtaken(seen)
    return seen


@ENGINES
@pytest.mark.parametrize(("good", "asked"), [(True, ""), (False, ""), (True, "abort"), (True, "rollback")])
def test_at_whatever_call_it_stands_still_nothing_that_it_creates_stays_once_it_has_gone_on(
    engine, good, asked
):
    """Forwards and back; no sweep helps. Sampled, at each creation and one of the calls that one function makes in the same step."""
    seen, created = calls(engine, good), []
    creations = {
        n for n, call in enumerate(seen.seen, 1) if call.verb == "create" and call.kind == "NetworkPolicy"
    }
    for at in sorted({*seen.points(engine, good, asked), *creations}):
        scene = Scene(engine, good)
        wakes = just_before(lambda call, s=scene: s.others(asked), at=at)
        makes = just_after(
            lambda call, w=wakes: created.extend([call] if w.met else []), "create", **POLICIES
        )
        scene.overtaken(wakes, makes)
        assert wakes.met, at
        scene.ends_well((at, wakes.met[0].way))
    assert created, "nothing was created late"


@ENGINES
def test_what_it_creates_and_dies_of_is_gone_before_anybody_says_succeeded(engine):
    created = []
    for at in range(1, 20):
        scene, seen = Scene(engine), []
        says = just_before(
            lambda call, s=scene, seen=seen: seen.append(s.bridges()),
            "replace_status",
            kind="PolicyRollout",
            where=lambda call: call.obj["status"].get("phase") == "Succeeded",
        )
        where = {"at": at, "namespace": "cart", **POLICIES}
        wakes = just_before(lambda call, s=scene: s.others(until_applied=True), "create", **where)
        with suppress(Killed):
            scene.overtaken(wakes, just_after(Killed, "create", **where), says)
        if not wakes.met:
            break
        created += scene.bridges()
        assert scene.others(port=FaultyPort(scene.stage.cluster, says)).phase == "Succeeded"
        assert seen and not any(seen), at
    assert created, "no bridge was created late"


def test_a_policy_that_it_creates_after_everything_was_restored_goes_again():
    scene, late = Scene("argo"), []
    where = {"name": "deny", "namespace": "cart", **POLICIES}
    wakes = just_before(lambda call: scene.others("abort"), "create", **where)
    scene.overtaken(wakes, just_after(late.append, "create", **where))
    assert late[0].answer and scene.stage.standing() == scene.before


def test_a_rollout_that_nobody_overtakes_looks_once_for_what_was_created_late():
    stage, looks = Stage(), counted("list", kind="NetworkPolicy", where=lambda call: call.labels)
    assert work(stage.context(FaultyPort(stage.cluster, looks)), "one").rollout.status.phase == "Succeeded"
    assert len(looks.seen) == 1
