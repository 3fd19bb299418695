"""The controller starts, queues, holds, resumes and lets go, round by round."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from patience import ENOUGH
from prometheus_client import generate_latest
from stage import ALLOW, DENY, OWN, SPACES, Inline, Rounds, Stage, begun, files, policy, work
from written import plain

from orchestrator.context import FINALIZER, FREEZE, NAMESPACE, NAMESPACE_ROLLOUT, POLICY, ROLLOUT
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.lease import LEASE
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.operations.start import find_source, start
from orchestrator.ports import MOST_COMMITS, Commit
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL
from orchestrator.rollout.resources.resource import new

OTHER = policy("allow", {"podSelector": {"matchLabels": {"app": "b"}}, "ingress": [{}]})


def test_a_new_head_is_rolled_out_once():
    stage, rounds = begun()
    assert rounds.go() == {"shop-cccccccccc": "Succeeded"}
    assert stage.shop().status.current_revision == "c" * 40
    assert rounds.condition().status == "True" and "in force" in rounds.condition().message
    writes = dict(stage.cluster.writes)
    rounds.go()
    assert dict(stage.cluster.writes) == writes
    stage.repository.push("d", files(DENY, OTHER))
    assert rounds.go()["shop-dddddddddd"] == "Succeeded"


def test_a_rolled_back_revision_is_held_until_a_newer_one():
    stage, rounds = begun(good=False)
    assert rounds.go() == {"shop-cccccccccc": "RolledBack"}
    assert "is blocked" in rounds.condition().message
    assert rounds.go() == {"shop-cccccccccc": "RolledBack"}
    stage.prober.good = True
    stage.repository.push("d", files(DENY, ALLOW))
    assert rounds.go() == {"shop-cccccccccc": "RolledBack", "shop-dddddddddd": "Succeeded"}
    assert stage.shop().status.blocked_revision == ""


@pytest.mark.parametrize("supersede", ["queue", "immediate"])
def test_a_newer_revision_queues_or_supersedes(supersede):
    stage = Stage(supersede=supersede, gates=[m.Gate(wave=1)])
    before, rounds = stage.standing(), Rounds(stage)
    assert rounds.go() == {"shop-cccccccccc": "Paused"}
    stage.repository.push("d", files(DENY))
    stage.repository.push("e", files(DENY, OTHER))
    if supersede == "queue":
        rounds.go()
        assert stage.shop().status.queued_revision == "e" * 40
        assert "eeeeeeeeee is queued behind shop-cccccccccc" in rounds.condition().message
        assert rounds.rollouts() == {"shop-cccccccccc": "Paused"}
        rounds.ask("shop-cccccccccc", "abort")
        rounds.go(1)
        assert stage.standing() == before
    assert rounds.go(4) == {"shop-cccccccccc": "RolledBack", "shop-eeeeeeeeee": "Paused"}
    assert stage.shop().status.queued_revision == ""


def test_a_stopped_rollout_is_resumed():
    stage = Stage()
    calls = []

    def stop():
        calls.append(1)
        return len(calls) > 4

    state = work(stage.context(), "gone", stop=stop)
    assert state.rollout.status.phase == "Progressing"
    assert Rounds(stage).go() == {"shop-cccccccccc": "Succeeded"}


def test_a_new_namespace_is_brought_to_the_verified_state_by_itself():
    stage, rounds = begun()
    rounds.go()
    stage.prober.good = False
    stage.repository.push("d", files(DENY, OTHER))
    rounds.go()
    assert stage.shop().status.blocked_revision == "d" * 40
    stage.prober.good = True
    stage.namespace("fresh")
    assert rounds.go()["shop-cccccccccc-2"] == "Succeeded"
    assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, "fresh")] == ["allow", "deny"]
    status = stage.shop().status
    assert (status.blocked_revision, status.current_revision) == ("d" * 40, "c" * 40)
    count = len(rounds.rollouts())
    assert len(rounds.go()) == count


def test_a_new_namespace_is_reached_though_the_rollout_that_verified_the_revision_was_deleted():
    stage = Stage()
    stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old", "labels": {}}})
    rounds = Rounds(stage)
    rounds.go()
    stage.remove(ROLLOUT, "shop-cccccccccc")
    assert rounds.go() == {}
    stage.namespace("fresh")
    found = stage.cluster.get(NAMESPACE, "old")
    labels = stage.cluster.get(NAMESPACE, "fresh")["metadata"]["labels"]
    stage.cluster.replace({**found, "metadata": {**found["metadata"], "labels": labels}})
    assert rounds.go() == {"shop-cccccccccc-2": "Succeeded"}  # another may not take its name
    for name in ("fresh", "old"):
        assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, name)] == ["allow", "deny"]


def test_a_namespace_for_which_one_revision_had_nothing_gets_the_next_ones_policies_when_it_comes_again():
    stage = Stage()
    stage.repository.push("d", {f"cart/{n}": text for n, text in files(DENY).items()})
    rounds = Rounds(stage)
    rounds.go()
    stage.namespace("fresh")
    rounds.go()
    stage.cluster.delete(NAMESPACE, "fresh", None, uid="", resource_version="")
    stage.repository.push("e", files(DENY, ALLOW))
    rounds.go()
    stage.namespace("fresh")
    assert rounds.go()["shop-eeeeeeeeee-2"] == "Succeeded"
    assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, "fresh")] == ["allow", "deny"]


@pytest.mark.parametrize("deleted", [False, True])
def test_a_namespace_that_comes_after_a_revision_was_taken_back_gets_the_one_before(deleted):
    stage, rounds = begun()
    rounds.go()
    stage.repository.push("d", files(policy("deny", {"podSelector": {}})))
    rounds.go()
    rounds.ask("shop-dddddddddd", "rollback")
    assert rounds.go()["shop-dddddddddd"] == "RolledBack"
    if deleted:
        stage.remove(ROLLOUT, "shop-cccccccccc")
    stage.namespace("fresh")
    rounds.go()
    assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, "fresh")] == ["allow", "deny"]
    assert stage.shop().status.current_revision == "c" * 40


def test_where_the_first_revision_was_taken_back_a_new_namespace_gets_nothing():
    stage, rounds = begun()
    rounds.go()
    rounds.ask("shop-cccccccccc", "rollback")
    rounds.go()
    stage.namespace("fresh")
    assert rounds.go() == {"shop-cccccccccc": "RolledBack"} and not stage.cluster.list(POLICY, "fresh")
    assert stage.shop().status.current_revision_since is None
    assert not stage.shop().status.current_revision_namespaces


def test_a_new_namespace_whose_rollout_was_rolled_back_is_named_with_what_helps():
    stage, rounds = begun()
    rounds.go()
    stage.namespace("fresh")
    stage.prober.good = False
    assert rounds.go()["shop-cccccccccc-2"] == "RolledBack"
    rounds.go()
    assert len(rounds.rollouts()) == 2
    said = rounds.condition()
    told = "cccccccccc is in force, but not in fresh: rolled back by shop-cccccccccc-2;"
    assert said.message.startswith(told)
    assert "`kubectl delete policyrollout shop-cccccccccc-2`" in said.message
    stage.prober.good = True
    stage.namespace("later")
    assert rounds.go()["shop-cccccccccc-3"] == "Succeeded"
    rounds.go()
    assert "but not in fresh: rolled back by shop-cccccccccc-2;" in rounds.condition().message
    stage.remove(ROLLOUT, "shop-cccccccccc-2")
    found = rounds.go()
    assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, "fresh")] == ["allow", "deny"], found
    rounds.go()
    assert rounds.condition().message == "cccccccccc is in force"


def test_a_new_namespace_is_reached_though_the_newest_commit_changes_nothing():
    stage, rounds = begun()
    rounds.go()
    stage.repository.push("d", files(DENY, ALLOW))
    rounds.go()
    assert "changes nothing" in rounds.condition().message
    stage.namespace("fresh")
    assert rounds.go()["shop-cccccccccc-2"] == "Succeeded"
    assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, "fresh")] == ["allow", "deny"]
    rounds.go()
    assert "changes nothing" in rounds.condition().message


def test_a_new_namespace_is_reached_though_the_newest_commit_cannot_be_read():
    stage, rounds = begun(supersede="immediate")
    rounds.go()
    stage.repository.push("d", {"all.yaml": b"kind: ["})
    rounds.go()
    stage.namespace("fresh")
    assert rounds.go()["shop-cccccccccc-2"] == "Succeeded"
    assert [p["metadata"]["name"] for p in stage.cluster.list(POLICY, "fresh")] == ["allow", "deny"]
    rounds.go()
    assert rounds.condition().reason == "BadInput" and len(rounds.rollouts()) == 2


class Fast:
    """A clock that is ten minutes ahead of the API server's."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        return self._clock.now() + timedelta(minutes=10)

    def __getattr__(self, name):
        return getattr(self._clock, name)


def test_a_namespace_that_was_made_anew_is_reached_though_the_clock_here_is_ahead():
    stage, rounds = begun()
    rounds.controller.ctx = replace(rounds.controller.ctx, clock=Fast(stage.clock))
    rounds.go()
    stage.remove(NAMESPACE, "web", None)
    stage.namespace("web")
    assert rounds.go()["shop-cccccccccc-2"] == "Succeeded"
    assert stage.names()["web"] == ["allow", "deny"]


def test_a_suspended_source_rests():
    stage = Stage()
    stage.change(suspend=True)
    assert Rounds(stage).go() == {}


@pytest.mark.parametrize("error", [BadInput("not YAML", "a.yaml:3"), RepositoryError("git says: no")])
def test_a_bad_source_is_said_and_stops_no_other(error):
    stage, rounds = begun()
    resolve = stage.repository.resolve
    stage.repository.resolve = lambda ref="": (_ for _ in ()).throw(error)
    assert rounds.go() == {}
    assert rounds.condition().status == "False" and str(error) in rounds.condition().message
    stage.repository.resolve = resolve
    assert rounds.go(5) == {"shop-cccccccccc": "Succeeded"}
    assert rounds.condition().status == "True"


def test_old_rollouts_go_but_never_the_verified_one():
    stage = Stage()
    stage.change(revisionHistoryLimit=2)
    rounds = Rounds(stage)
    rounds.go()
    for number, mark in enumerate("defg"):
        stage.repository.push(
            mark, files(DENY, *([OTHER] if number % 2 else [ALLOW, OTHER | {"metadata": {"name": mark}}]))
        )
        rounds.go()
    found = rounds.go()
    assert list(found) == ["shop-ffffffffff", "shop-gggggggggg"]
    left = {o["spec"]["rollout"] for o in stage.cluster.list(NAMESPACE_ROLLOUT, OWN)}
    assert left == set(found)


def test_a_deleted_rollout_is_put_back_and_goes_with_its_records():
    stage = Stage(gates=[m.Gate(wave=1)])
    before, rounds = stage.standing(), Rounds(stage)
    rounds.go()
    stage.remove(ROLLOUT, "shop-cccccccccc")
    assert rounds.go() == {}
    assert stage.standing() == before and not stage.cluster.list(NAMESPACE_ROLLOUT, OWN)


def test_a_succeeded_rollout_can_be_taken_back():
    stage = Stage()
    before, rounds = stage.standing(), Rounds(stage)
    rounds.go()
    rounds.ask("shop-cccccccccc", "rollback")
    assert rounds.go() == {"shop-cccccccccc": "RolledBack"}
    assert stage.standing() == before and stage.shop().status.blocked_revision == "c" * 40


def test_a_pause_before_the_snapshot_waits_for_it_and_skips_nothing():
    stage = Stage()
    ctx = stage.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    rounds = Rounds(stage)
    rounds.ask(name, "pause")
    assert rounds.go(2) == {name: "Paused"}
    assert len(stage.cluster.list(NAMESPACE_ROLLOUT, OWN)) == 3
    rounds.ask(name, "resume")
    assert rounds.go() == {name: "Succeeded"}
    assert all(found == ["allow", "deny"] for found in stage.names().values())


def test_only_the_latest_rollout_is_taken_back_whoever_asked():
    stage, rounds = begun()
    rounds.go()
    stage.repository.push("d", files(policy("deny", {"podSelector": {}})))
    rounds.go()
    standing = stage.standing()
    rounds.ask("shop-cccccccccc", "rollback")
    assert rounds.go() == {"shop-cccccccccc": "Succeeded", "shop-dddddddddd": "Succeeded"}
    assert stage.standing() == standing
    said = stage.cluster.get(ROLLOUT, "shop-cccccccccc", OWN)["status"]["transitions"][-1]
    assert said["reason"] == "Ignored" and "not the source's latest" in said["message"]


def test_a_git_host_that_takes_its_time_holds_up_no_way_back():
    stage = Stage(gates=[m.Gate(wave=1)])
    before, rounds = stage.standing(), Rounds(stage)
    rounds.go()
    asked, answered = threading.Event(), threading.Event()

    def resolve(ref=""):
        asked.set()
        assert answered.wait(ENOUGH)
        return "c" * 40

    stage.repository.resolve = resolve
    with ThreadPoolExecutor(1) as beside:
        try:
            stage.clock.sleep(60)
            rounds.controller.tick(Inline(), beside)
            assert asked.wait(ENOUGH)
            rounds.ask("shop-cccccccccc", "abort")
            rounds.controller.tick(Inline(), beside)
            assert rounds.rollouts() == {"shop-cccccccccc": "RolledBack"} and stage.standing() == before
        finally:
            answered.set()


def odd(stage, kind):
    """An object of the waiting rollout as another version of the kind would have it."""
    spec = {"user": "eve", "of": "another version"}
    stage.cluster.strict = False
    stage.cluster.create(plain(kind, f"{OWN}/odd", spec, {ROLLOUT_LABEL: "shop-cccccccccc"}))


def test_an_approval_that_cannot_be_read_stops_no_way_back():
    stage = Stage(gates=[m.Gate(wave=1)])
    before, rounds = stage.standing(), Rounds(stage)
    rounds.go()
    odd(stage, "RolloutApproval")
    rounds.ask("shop-cccccccccc", "abort")
    assert rounds.go() == {"shop-cccccccccc": "RolledBack"} and stage.standing() == before


def test_a_rollout_that_cannot_be_read_stops_no_other():
    stage, rounds = begun(gates=[m.Gate(wave=1)])
    rounds.go()
    odd(stage, "WaveAnalysis")
    stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "extra"}})
    stage.source("extra", namespaces=m.NamespaceScope(names=["extra"]), strategy=m.Strategy())
    assert rounds.go(6) == {"extra-cccccccccc": "Succeeded", "shop-cccccccccc": "Paused"}


def test_a_rollout_of_another_version_stops_no_way_back_and_keeps_its_records():
    stage = Stage(gates=[m.Gate(wave=1)])
    before, rounds = stage.standing(), Rounds(stage)
    rounds.go()
    spec = {"source": "else", "of": "another version"}
    stage.cluster.strict = False
    stage.cluster.create(plain("PolicyRollout", f"{OWN}/odd", spec, about={"finalizers": ["x"]}))
    record = {"rollout": "odd", "wave": 0, "namespace": "web"}
    held = {"finalizers": [FINALIZER]}
    stage.cluster.create(plain("NamespaceRollout", f"{OWN}/odd.web", record, about=held))
    stage.remove(NAMESPACE_ROLLOUT, "odd.web")
    rounds.ask("shop-cccccccccc", "abort")
    for _ in range(3):
        stage.clock.sleep(60)
        rounds.controller.tick(Inline())
    assert stage.standing() == before
    assert stage.cluster.get(NAMESPACE_ROLLOUT, "odd.web", OWN)["metadata"]["finalizers"] == [FINALIZER]


def test_what_happened_can_be_scraped():
    rounds = Rounds(Stage(good=False))
    rounds.go()
    text = generate_latest(rounds.instruments.registry).decode()
    assert 'netpol_canary_rollouts{phase="RolledBack",source="shop"} 1.0' in text
    assert "netpol_canary_restore_seconds_count 1.0" in text
    assert 'netpol_canary_step_seconds_count{step="restore"} 1.0' in text


def test_serving_holds_the_lease_and_lets_it_go():
    stage = Stage()
    done = []

    def stop():
        done.append(1)
        return len(done) > 200

    controller = Controller(stage.context(), "one", Instruments(), poll_seconds=30, stop=stop)
    controller.serve()
    assert controller.ready()
    assert stage.cluster.get(LEASE, "controller", OWN)["spec"]["holderIdentity"] == ""
    assert set(SPACES) == set(stage.names())


def test_commits_beyond_those_that_are_read_count_as_somebody_unknown():
    stage = Stage(gates=[m.Gate(wave=0)])
    by = [Commit(f"{n:040}", ("Ann <ann@example.com>",), "change") for n in range(MOST_COMMITS)]
    stage.repository.commits = lambda since, until: by
    Rounds(stage).go()
    people = stage.cluster.list(ROLLOUT, OWN)[0]["spec"]["authors"]
    assert people == ["Ann <ann@example.com>", "whoever made the commits before"]


@pytest.mark.parametrize("cause", ["blocked", "changes nothing"])
@pytest.mark.parametrize("supersede", ["queue", "immediate"])
def test_a_head_that_would_not_begin_takes_no_ones_place(cause, supersede):
    stage, rounds = begun(supersede=supersede)
    rounds.go()
    stage.prober.good = cause != "blocked"
    stage.repository.push("d", files(DENY, OTHER if cause == "blocked" else ALLOW))
    rounds.go()
    assert cause in rounds.condition().message
    stage.prober.good = True
    stop = new("RolloutFreeze", "stop", OWN, m.RolloutFreezeSpec(reason="INC-42"))
    stage.cluster.create(stop)
    stage.namespace("fresh")
    assert rounds.go(4)["shop-cccccccccc-2"] == "Paused"
    stage.remove(FREEZE, "stop")
    assert rounds.go()["shop-cccccccccc-2"] == "Succeeded"


def test_a_new_namespace_is_reached_though_a_newer_revision_took_its_place_and_failed():
    stage, rounds = begun()
    rounds.go()
    stop = new("RolloutFreeze", "stop", OWN, m.RolloutFreezeSpec(reason="INC-42"))
    stage.cluster.create(stop)
    stage.namespace("fresh")
    assert rounds.go()["shop-cccccccccc-2"] == "Paused"
    stage.prober.good = False
    stage.repository.push("d", files(DENY, OTHER))
    assert rounds.go()["shop-cccccccccc-2"] == "RolledBack"
    stage.remove(FREEZE, "stop")
    assert rounds.go(1)["shop-dddddddddd"] == "RolledBack"
    stage.prober.good = True
    assert rounds.go()["shop-cccccccccc-3"] == "Succeeded"
