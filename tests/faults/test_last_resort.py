"""Whatever one source or one rollout raises is said on it, counted and logged, and everything else goes on."""

from dataclasses import replace

import pytest
from beside import Failing
from drifting import Told
from faulty_port import FaultyPort, just_before
from stage import OWN, Inline, Repository, Rounds, Stage, begun, files, policy
from structlog.testing import capture_logs
from written import plain

from orchestrator.context import POLICY, ROLLOUT, SOURCE, read
from orchestrator.engine.controller import Controller
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments, Instruments
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Commit
from orchestrator.record.build import view
from orchestrator.record.report.tables import facts
from orchestrator.rollout.polling import REQUESTED_AT
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from orchestrator.steps import by_action

ALLOW = {"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{}]}


def beside(stage, repository):
    """A controller on a stage with a second source, looked at first, that has a repository of its own."""
    stage.source("a-first", git=m.Git(url="/first"))
    ctx = replace(
        stage.context(), repository=lambda s: repository if s.name == "a-first" else stage.repository
    )
    rounds = Rounds(stage)
    rounds.controller = Controller(ctx, "one", rounds.instruments, poll_seconds=30)
    return rounds


def broken(ctx, state, action):
    raise KeyError("what nobody foresaw")


def refused(*policies):
    """What the source says of a commit with these that is not taken up, and the stage."""
    stage = Stage()
    stage.repository = Repository(("c" * 40, files(*policies)))
    rounds = Rounds(stage)
    assert rounds.go() == {}
    return rounds.condition(), stage


def ready(stage, name):
    found = load(stage.cluster.get(SOURCE, name, OWN)).status.conditions
    return next(c for c in found if c.type == "Ready")


@pytest.mark.parametrize(
    "error", [AttributeError("no such thing"), RecursionError(), MemoryError(), KeyError(1)]
)
def test_an_error_that_nobody_foresaw_is_said_on_its_source_alone(error):
    stage = Stage()
    rounds = beside(stage, Failing(error))
    with capture_logs() as logs:
        assert rounds.go() == {"shop-cccccccccc": "Succeeded"}
    found = ready(stage, "a-first")
    assert (found.status, found.reason) == ("False", "InternalError")
    assert type(error).__name__ in found.message and "beside.py:" in found.message
    assert rounds.instruments.faults.labels("source")._value.get() >= 1
    assert any(line.get("exc_info") is error for line in logs)


def test_a_round_that_breaks_ends_no_process():
    stage, rounds = Stage(), 0
    broken = just_before(
        ZeroDivisionError("once"), "list", kind="PolicyRollout", where=lambda call: rounds < 20
    )

    def stop():
        nonlocal rounds
        rounds += 1
        ended = (o.get("status", {}).get("phase") == "Succeeded" for o in stage.cluster.list(ROLLOUT, OWN))
        return (rounds > 20 and any(ended)) or rounds > 100_000

    instruments = Instruments()
    Controller(
        stage.context(FaultyPort(stage.cluster, broken)), "one", instruments, poll_seconds=30, stop=stop
    ).serve()
    assert load(stage.cluster.list(ROLLOUT, OWN)[0]).status.phase == "Succeeded"
    assert instruments.faults.labels("round")._value.get() >= 1


def test_a_round_of_the_guard_that_breaks_ends_no_process():
    stage, rounds = Stage(), 0
    broken = just_before(
        ZeroDivisionError("once"), "list", kind="PolicyRollout", where=lambda call: rounds < 3
    )

    def stop():
        nonlocal rounds
        rounds += 1
        return rounds > 6

    instruments = GuardInstruments()
    Guard(stage.context(FaultyPort(stage.cluster, broken)), "one", instruments, stop=stop).serve()
    assert instruments.rounds.labels("error")._value.get() == 2
    assert instruments.faults.labels("round")._value.get() == 2
    assert instruments.rounds.labels("ok")._value.get() >= 1


def test_one_rollout_on_which_the_guard_breaks_keeps_no_other_from_being_rescued():
    stage = Stage()
    scope, plain = m.NamespaceScope(names=["odd"]), m.Strategy()
    stage.source("a-first", git=m.Git(url="/first"), namespaces=scope, strategy=plain)
    stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "odd"}})
    for name, space, most in (("a-first", "odd", 0), ("shop", "cart", 1)):
        made = start(stage.context(), find_source(stage.context(), name)).rollout

        def written(space=space, most=most):
            return len(stage.cluster.list(POLICY, space)) > most

        Embedded(stage.context(), "gone", stop=written).drive(made)
    rollouts = [o["metadata"]["name"] for o in stage.cluster.list(ROLLOUT, OWN)]
    assert len(rollouts) == 2
    broken = just_before(ZeroDivisionError("always"), "get", kind="PolicyRollout", name=rollouts[0])
    ctx = stage.context(FaultyPort(stage.cluster, broken))
    instruments, rounds = GuardInstruments(), iter(range(30))
    guard = Guard(ctx, "guard", instruments, stop=lambda: next(rounds, None) is None)
    for _ in range(20):
        stage.clock.sleep(guard.round(Inline()))
    assert instruments.faults.labels("rollout")._value.get() >= 1
    assert load(stage.cluster.get(ROLLOUT, rollouts[1], OWN)).status.phase == "RolledBack"


@pytest.mark.parametrize("verb", ["snapshot", "baseline", "apply", "analyze"])
def test_a_step_that_breaks_pauses_its_rollout_in_sight_and_resume_goes_on(monkeypatch, verb):
    stage = Stage()
    rounds, right = Rounds(stage), by_action.STEPS[verb]
    monkeypatch.setitem(by_action.STEPS, verb, broken)
    assert rounds.go() == {"shop-cccccccccc": "Paused"}
    status = load(stage.cluster.list(ROLLOUT, OWN)[0]).status
    assert status.paused_for == "error"
    assert "KeyError" in status.reason and "test_last_resort.py:" in status.reason
    assert status.transitions[-1].reason == "InternalError"
    assert rounds.instruments.faults.labels("rollout")._value.get() >= 3
    monkeypatch.setitem(by_action.STEPS, verb, right)
    rounds.ask("shop-cccccccccc", "resume")
    assert rounds.go(6) == {"shop-cccccccccc": "Succeeded"}


def test_a_way_back_that_breaks_is_failed_in_sight_within_its_deadline(monkeypatch):
    stage, rounds = begun(good=False, deadline_seconds=20)
    monkeypatch.setitem(by_action.STEPS, "restore", broken)
    assert rounds.go(6) == {"shop-cccccccccc": "Failed"}
    assert "KeyError" in load(stage.cluster.list(ROLLOUT, OWN)[0]).status.reason


def test_two_hundred_and_one_policies_in_a_namespace_are_refused_when_they_are_planned():
    said, stage = refused(*(policy(f"p{i:03}", ALLOW) for i in range(201)))
    assert said.status == "False" and "a rollout holds 200 of one namespace" in said.message
    assert len(stage.cluster.list(POLICY)) == 1


def test_a_policy_larger_than_a_record_holds_is_refused_when_it_is_planned():
    peers = [{"ipBlock": {"cidr": f"10.0.{n // 256}.{n % 256}/32"}} for n in range(8000)]
    said, _ = refused(policy("big", {"podSelector": {}, "ingress": [{"from": peers}]}))
    assert "NetworkPolicy/big has more than 256 Ki characters" in said.message


def test_annotations_that_the_api_server_would_not_take_are_refused_when_they_are_planned():
    given = policy("big", ALLOW)
    given["metadata"]["annotations"] = {f"a{i}": "x" * 30_000 for i in range(9)}
    assert "metadata.annotations: have 270018 bytes together" in refused(given)[0].message


@pytest.mark.parametrize(
    "commit",
    [
        Commit("c" * 40, ("Ann <ann@example.com>",), "s" * 5000),
        Commit("c" * 40, ("A" * 5000 + " <ann@example.com>",), "change"),
        Commit("c" * 40, ("Ann <" + "a" * 5000 + "@example.com>",), "change"),
        Commit("c" * 40, ("Ann <ann@example.com>",), "change", ("f" * 4000,)),
    ],
)
def test_what_git_holds_of_any_length_is_cut_and_holds_nothing_up(commit):
    stage = Stage()
    name = "p" + "-x" * 122
    stage.repository = Repository(("c" * 40, {f"{'f' * 1500}.yaml": files(policy(name, ALLOW))["all.yaml"]}))
    stage.repository.commits = lambda since, until: [commit]
    assert Rounds(stage).go() == {"shop-cccccccccc": "Succeeded"}


def test_people_whose_names_begin_alike_stay_two():
    from orchestrator.rollout.gates.approvals import people

    names = ["A" * 2000 + " <a@example.com>", "A" * 2000 + " <b@example.com>"]
    assert len(people(names, [])) == 2 and people(names, [("a@example.com", "ann")])[1] == "user:ann"
    assert all(len(found) <= 1024 for found in people(names, []))


def test_an_inline_pool_is_enough_for_a_round_with_a_rollout_that_cannot_be_read():
    stage, rounds = begun()
    rounds.go(1)
    stage.source("other")
    broken = stage.cluster._objects[next(k for k in stage.cluster._objects if k[0] == ROLLOUT)]
    broken["spec"]["waves"] = []
    rounds.controller.tick(Inline())


def heard(stage):
    """A controller on a stage whose Events are kept."""
    rounds, found = Rounds(stage), Told()
    rounds.controller = Controller(
        replace(stage.context(), notifier=found), "one", rounds.instruments, poll_seconds=30
    )
    return rounds, found


@pytest.mark.parametrize(
    "text",
    [
        "pause/" + "x" * 300 + "/eve",
        "pause/1/" + "e" * 3000,
        "destroy/1/eve",
        "pause",
        "pause//eve",
        "pause/\n/e",
    ],
)
def test_a_request_that_is_none_is_ignored_aloud_and_the_rollout_goes_on(text):
    stage = Stage()
    rounds, told = heard(stage)
    rounds.controller._look([])
    stage.cluster.vouches = False  # somebody who may write without the admission policy
    fresh = stage.cluster.list(ROLLOUT, OWN)[0]
    fresh["metadata"]["annotations"] = {"netpol-canary.dev/request": text}
    stage.cluster.replace(fresh)
    assert rounds.go() == {"shop-cccccccccc": "Succeeded"}
    assert [reason for *_, reason, _, _ in told.events].count("RequestIgnored") == 1


def test_an_approval_that_cannot_be_read_is_ignored_aloud_and_shown_with_the_rollout():
    stage = Stage(gates=[m.Gate(wave=0)])
    rounds, found = heard(stage)
    rounds.go(2)
    name = "shop-cccccccccc"
    stage.cluster.vouches = stage.cluster.strict = False  # as a resource of another version
    bad = {"rollout": name, "wave": "first", "planDigest": "d" * 3000, "user": "eve"}
    stage.cluster.create(plain("RolloutApproval", f"{OWN}/bad", bad))
    rounds.go(3)
    assert [k for k, _, r, *_ in found.events if r == "ApprovalIgnored"] == ["PolicyRollout"]
    state = read(stage.context(), name)
    assert any("bad cannot be read" in text for text in view(state, stage.clock.now()).ignored)
    assert "bad cannot be read" in dict(facts(view(state, stage.clock.now())))["Ignored"]


@pytest.mark.parametrize("text", ["x" * 200_000, "a\nb", "\x1b[31m"])
def test_a_request_for_a_look_that_is_none_is_ignored_aloud_and_stands_in_ready(text):
    stage = Stage()
    rounds, found = heard(stage)
    fresh = stage.cluster.get(SOURCE, "shop", OWN)
    fresh["metadata"]["annotations"] = {REQUESTED_AT: text}
    stage.cluster.replace(fresh)
    assert rounds.go() == {"shop-cccccccccc": "Succeeded"}
    assert [k for k, _, r, *_ in found.events if r == "RequestIgnored"] == ["PolicySource"]
    assert "requested-at is ignored" in ready(stage, "shop").message
