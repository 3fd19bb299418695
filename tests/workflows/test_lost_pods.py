"""Pods and the controller die anywhere in a wave that Argo works on: every namespace ends as one, and in time."""

import contextlib

import pytest
from faulty_port import FaultyPort, Killed, just_before
from lost_engine import INTERVAL, LIMIT, Post, kills_at_write, state_of, unpromoted
from stage import Stage, check, work
from stand_in import Pod, Theatre

from orchestrator.errors import Unreachable
from orchestrator.rollout.resources import model as m
from workflows.exit_codes import AGAIN

KILLED = 137


class Doomed(Pod):
    """A pod that a write kills, before or after its effect; Argo then begins another one."""

    def poll(self):
        try:
            return super().poll()
        except Killed:
            self.code = -9
            return self.code


def doomed(theatre, at, after):
    """Pods of which the first to come to its n-th write dies of it."""
    death = kills_at_write(at, after)
    mortal = FaultyPort(theatre.stage.cluster, death)

    def begin(argv, env, name):
        # Whoever comes after the one that died calls the cluster itself.
        dead = any(p.code == -9 for p in theatre.pods)
        pod = Doomed(theatre.stage.context(theatre.stage.cluster if dead else mortal), argv)
        theatre.pods.append(pod)
        return pod

    theatre.argo._begin = begin
    return death


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_a_pod_that_dies_at_any_write_is_followed_by_another(good, after):
    """At each; sampled, at one of those that one function makes in the same step on one kind."""

    def outcome(at):
        theatre = Theatre(good)
        death = doomed(theatre, at, after)
        state = work(theatre.stage.context(), "engine", **theatre.engine())
        check(theatre.stage, theatre.before, state)
        return theatre, death

    _, death = outcome(0)
    assert len(death.seen) > 8
    for at in death.points(good, after):
        assert any(pod.code == -9 for pod in outcome(at)[0].pods), at


def test_a_pod_that_gets_no_answer_gives_up_for_another_one():
    theatre = Theatre()

    mute = FaultyPort(theatre.stage.cluster, just_before(Unreachable("no answer")))
    pod = Pod(
        theatre.stage.context(mute),
        [
            "netpol-canary",
            "step",
            "apply",
            "--log",
            "json",
            "-n",
            "x",
            "--rollout",
            "r",
            "--wave",
            "0",
            "--shard",
            "0",
        ],
    )
    for _ in range(200):
        if pod.poll() is not None:
            break
        theatre.stage.clock.sleep(1)
    assert pod.code == AGAIN


def killed(good, at=0, after=False):
    """A theatre whose controller was killed there; its pods and Argo go on."""
    theatre = Theatre(good)
    death = kills_at_write(at, after)
    with contextlib.suppress(Killed):
        work(theatre.stage.context(FaultyPort(theatre.stage.cluster, death)), "engine", **theatre.engine())
    return theatre, death


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_a_controller_killed_at_any_write_is_stood_in_for_by_the_guard(good, after):
    """Pods go on writing until the guard has begun the way back, and never after it. Sampled as above."""
    death, rescued = killed(good)[1], 0
    assert len(death.seen) > 10
    for at in death.points(good, after):
        theatre, _ = killed(good, at, after)
        stage, before, lost = theatre.stage, theatre.before, theatre.stage.clock.now()
        first = state_of(stage)
        Post(stage).look(LIMIT + 4 * INTERVAL)
        state = state_of(stage)
        if state is None:
            assert stage.standing() == before
            continue
        now = state.rollout.status
        assert not unpromoted(state, stage, before), (at, now.phase)
        if now.phase == "RolledBack" and first.rollout.status.phase not in m.TERMINAL:
            rescued += 1
            back = max(n.status.restored_at for n in state.namespaces.values() if n.status.restored_at)
            assert (back - lost).total_seconds() <= LIMIT + 2 * INTERVAL, at
        stage.clock.sleep(20)  # whatever pods are left have their time
        if now.phase == "RolledBack":
            assert stage.standing() == before, at
        assert all(p.code is not None for p in theatre.pods), at
    assert rescued


@pytest.mark.parametrize("good", [True, False])
def test_a_controller_that_comes_back_at_any_write_goes_on(good):
    for at in killed(good)[1].points(good):
        theatre, _ = killed(good, at)
        state = work(theatre.stage.context(), "another", **theatre.engine())
        check(theatre.stage, theatre.before, state)


def test_a_controller_without_argo_goes_on_where_pods_stopped():
    """`run` and `--here` do in their own process what a workflow has begun."""
    theatre = Theatre()
    applied = lambda: any(p.step == "settle" for p in theatre.pods)  # noqa: E731
    work(theatre.stage.context(), "engine", stop=applied, **theatre.engine())
    theatre.argo.down = True
    theatre.stage.clock.sleep(30)
    check(theatre.stage, theatre.before, work(theatre.stage.context(), "here"))


def test_nothing_is_handed_out_where_the_source_does_not_say_so():
    stage = Stage()
    theatre = Theatre()
    state = work(stage.context(), "engine", **theatre.engine())
    assert state.rollout.status.phase == "Succeeded" and theatre.pods == []
