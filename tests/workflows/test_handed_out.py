"""A rollout whose waves Argo works on ends as it does in one process, whatever people do to its workflows."""

import pytest
from stage import OWN, SPACES, Stage, check, policy, work
from stand_in import Theatre

from orchestrator.context import APPROVAL, POLICY, ROLLOUT, read
from orchestrator.rollout.handoff import MOST_FAILURES
from orchestrator.rollout.next import FORWARD, REQUEST
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new


def run(theatre, holder="engine", **more):
    return work(theatre.stage.context(), holder, **theatre.engine(**more))


def rollout(theatre):
    return load(theatre.stage.cluster.list(ROLLOUT, OWN)[-1])


def once(theatre, ready, act):
    """Do something in the first round in which it is time."""
    done = []

    def look(now):
        if not done and theatre.stage.cluster.list(ROLLOUT, OWN) and ready():
            done.append(now)
            act()

    theatre.on_round.append(look)
    return done


def written(theatre):
    """Whether something stands that did not before."""
    return theatre.stage.standing() != theatre.before


def reasons(state):
    return [t.reason for t in state.rollout.status.transitions]


def ask(theatre, verb):
    fresh = theatre.stage.cluster.get(ROLLOUT, rollout(theatre).name, OWN)
    annotations = {REQUEST: f"{verb}/{verb}-1/eve"}
    theatre.stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": annotations}})


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("size", [1, 50])
def test_it_ends_as_in_one_process(good, size):
    theatre = Theatre(good, shard_size=size)
    state = run(theatre)
    check(theatre.stage, theatre.before, state)
    # The wave after the canary has two namespaces: a shard each, or both in one.
    applied = {tuple(p.argv[-3:]) for p in theatre.pods if p.step == "apply"}
    assert len(applied) == (1 if not good else 3 if size == 1 else 2)


def test_each_wave_has_one_workflow_and_each_pod_ends():
    theatre = Theatre()
    state = run(theatre)
    assert theatre.argo.names() == [
        f"{state.rollout.name}-w{w}-0" for w in range(len(state.rollout.spec.waves))
    ]
    assert {p.code for p in theatre.pods} == {0}
    steps = [p.step for p in theatre.pods if p.argv[p.argv.index("--wave") + 1] == "0"]
    assert steps == ["baseline", "apply", "settle", "analyze", "verdict"]


def test_the_picture_of_the_workflow_is_the_order_of_what_comes_next():
    """What `next_action` has one process do in an open wave is what the pods do, in the order of the DAG."""
    stands_for = {
        "baseline": "baseline",
        "apply": "apply",
        "settle": "wait",
        "analyze": "analyze",
        "verdict": "analyze",
    }
    stage, verbs = Stage(), []
    work(stage.context(), "engine", watch=lambda state, action: verbs.append(action.verb))
    theatre = Theatre()
    run(theatre)
    handed_out = [v for v in verbs[: verbs.index("promote")] if v in FORWARD]
    assert list(dict.fromkeys(stands_for[p.step] for p in theatre.pods)) == list(dict.fromkeys(handed_out))


def test_a_rejection_and_an_approval_count_between_waves():
    for decision, phase in (("approve", "Succeeded"), ("reject", "RolledBack")):
        theatre = Theatre(gates=[m.Gate(wave=1)])
        state = run(theatre)
        assert (state.rollout.status.phase, state.rollout.status.paused_for) == ("Paused", "approval")
        for user in ("eve", "bob"):  # two, since the author is nobody that the cluster knows
            spec = m.RolloutApprovalSpec(
                rollout=state.rollout.name,
                wave=1,
                plan_digest=state.rollout.spec.plan_digest,
                user=user,
                decision=decision,
            )
            theatre.stage.cluster.acting_as(user).create(new(APPROVAL.kind, user, OWN, spec))
        state = run(theatre)
        assert state.rollout.status.phase == phase, state.rollout.status.reason


def test_a_wave_that_is_good_is_a_workflow_that_succeeded_though_people_are_waited_for():
    theatre = Theatre(gates=[m.Gate(wave=1)])
    run(theatre)
    theatre.stage.clock.sleep(30)
    assert {p.code for p in theatre.pods} == {0}
    assert [w.root.phase for w in theatre.argo.walks.values()] == ["Succeeded"]


def test_an_abort_in_the_middle_puts_back_and_the_pods_stop():
    theatre = Theatre()
    once(theatre, lambda: written(theatre), lambda: ask(theatre, "abort"))
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and "Aborted" in reasons(state)
    assert theatre.stage.standing() == theatre.before
    theatre.stage.clock.sleep(60)
    assert all(p.code is not None for p in theatre.pods)


@pytest.mark.parametrize("how", ["Stop", "Terminate"])
def test_who_stops_the_workflow_has_everything_put_back(how):
    theatre = Theatre()
    name = lambda: rollout(theatre).status.workflow.name  # noqa: E731
    once(theatre, lambda: written(theatre), lambda: theatre.argo.change(name(), shutdown=how))
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and "WorkflowStopped" in reasons(state)
    assert theatre.stage.standing() == theatre.before


def test_a_deleted_workflow_is_taken_up_again():
    theatre = Theatre()
    once(
        theatre, lambda: written(theatre), lambda: theatre.argo.delete(rollout(theatre).status.workflow.name)
    )
    state = run(theatre)
    check(theatre.stage, theatre.before, state)
    assert reasons(state).count("WorkflowLost") == 1
    assert f"{state.rollout.name}-w0-1" in theatre.argo.names()


def test_workflows_that_vanish_again_and_again_put_back():
    theatre = Theatre()
    theatre.on_round.append(lambda now: [theatre.argo.delete(n) for n in theatre.argo.names()])
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and theatre.stage.standing() == theatre.before
    assert reasons(state).count("WorkflowLost") == MOST_FAILURES + 1


def test_a_workflow_that_fails_by_itself_is_taken_up_again_and_then_put_back():
    theatre = Theatre()
    theatre.on_round.append(lambda now: [w.end("Error", "node lost") for w in theatre.argo.walks.values()])
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and "node lost" in state.rollout.status.reason
    assert reasons(state).count("WorkflowFailed") == MOST_FAILURES + 1


def test_a_suspended_workflow_is_put_back_by_the_progress_deadline():
    theatre = Theatre(progress_deadline_seconds=60)
    name = lambda: rollout(theatre).status.workflow.name  # noqa: E731
    once(theatre, lambda: bool(name()), lambda: theatre.argo.change(name(), suspend=True))
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and "ProgressDeadlineExceeded" in reasons(state)


def test_an_argo_that_never_answers_is_no_wave_that_is_never_decided():
    theatre = Theatre(progress_deadline_seconds=60)
    theatre.argo.down = True
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and theatre.pods == []


def test_argo_may_be_down_for_the_whole_way_back():
    theatre = Theatre()

    def stop():
        theatre.argo.down = True
        ask(theatre, "abort")

    once(theatre, lambda: written(theatre), stop)
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and theatre.stage.standing() == theatre.before


def test_a_workflow_that_is_resubmitted_or_retried_doubles_nothing():
    theatre = Theatre()
    name = lambda: rollout(theatre).status.workflow.name  # noqa: E731
    once(theatre, lambda: written(theatre), lambda: theatre.argo.resubmit(name()))
    state = run(theatre)
    check(theatre.stage, theatre.before, state)
    assert "WorkflowLost" not in reasons(state)
    writes = dict(theatre.stage.cluster.writes)
    for old in theatre.argo.names():
        theatre.argo.resubmit(old)
    theatre.stage.clock.sleep(60)
    assert {k: v for k, v in theatre.stage.cluster.writes.items() if k[1] == POLICY.kind} == {
        k: v for k, v in writes.items() if k[1] == POLICY.kind
    }


def test_a_retry_after_the_way_back_writes_nothing():
    theatre = Theatre(good=False)
    state = run(theatre)
    check(theatre.stage, theatre.before, state)
    theatre.stage.clock.sleep(30)
    theatre.argo.retry(state.rollout.status.workflow.name)
    theatre.stage.clock.sleep(30)
    assert theatre.stage.standing() == theatre.before
    assert theatre.argo.walks and all(w.root.over for w in theatre.argo.walks.values())


def test_a_pause_within_a_wave_stops_the_pods_and_going_on_begins_another_workflow():
    theatre = Theatre()
    once(theatre, lambda: written(theatre), lambda: ask(theatre, "pause"))
    state = run(theatre)
    assert state.rollout.status.paused_for == "user"
    theatre.stage.clock.sleep(30)
    assert all(p.code is not None for p in theatre.pods)
    ask(theatre, "resume")
    state = run(theatre)
    check(theatre.stage, theatre.before, state)
    assert f"{state.rollout.name}-w0-1" in theatre.argo.names()


def test_drift_found_by_a_pod_pauses():
    theatre = Theatre()
    other = policy("deny", {"podSelector": {}, "policyTypes": ["Egress"]}, SPACES[0])
    opened = lambda: rollout(theatre).status.waves_started > 0  # noqa: E731
    once(theatre, opened, lambda: theatre.stage.cluster.create(other))
    state = run(theatre)
    assert (state.rollout.status.phase, state.rollout.status.paused_for) == ("Paused", "drift")


def test_without_the_templates_nothing_is_written_and_it_says_what_to_do():
    theatre = Theatre(installed=False, deadline_seconds=30)
    state = run(theatre)
    assert state.rollout.status.phase == "RolledBack" and theatre.stage.standing() == theatre.before
    assert "workflows render" in state.rollout.status.reason


def test_a_write_that_lands_late_is_put_back():
    """A pod asked, was held up, and writes after the way back has restored its namespace."""
    theatre = Theatre(good=False)
    late = []

    def land(now):
        state = read(theatre.stage.context(), rollout(theatre).name) if not late else None
        if state and any(n.status.phase == "Restored" for n in state.namespaces.values()):
            late.append(now)
            theatre.stage.cluster.create(
                policy(
                    "deny",
                    {"podSelector": {}, "policyTypes": ["Ingress"]},
                    "cart",
                    {"netpol-canary.dev/source": "shop"},
                )
            )

    theatre.on_round.append(lambda now: theatre.stage.cluster.list(ROLLOUT, OWN) and land(now))
    state = run(theatre)
    assert late and state.rollout.status.phase == "RolledBack"
    assert theatre.stage.standing() == theatre.before
