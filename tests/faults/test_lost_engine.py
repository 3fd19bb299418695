"""The engine is lost at any write and does not come back: the guard rolls everything back in time, or only tells."""

import contextlib
import itertools
import random
from collections import Counter

import pytest
from faulty_port import WRITES, FaultyPort, Killed, instead, just_after, kills
from interleaved import Turns, Waiting
from lost_engine import INTERVAL, LIMIT, Post, kills_at_write, state_of, unpromoted
from stage import OWN, Inline, Stage, work

from orchestrator.cli.operate.guard_service import alone
from orchestrator.context import ROLLOUT
from orchestrator.engine.controller import Controller
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments, Instruments
from orchestrator.engine.lease import Lease
from orchestrator.engine.worker import Embedded
from orchestrator.errors import MetricError, Unreachable
from orchestrator.operations.start import start
from orchestrator.ports import Kind
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.outbox import turned_back
from orchestrator.rollout.resources import model as m


def killed(good, at=0, after=False, **strategy):
    """A stage whose engine was killed there, what stood before, and what killed it."""
    stage = Stage(good, **strategy)
    before, death = stage.standing(), kills_at_write(at, after)
    with contextlib.suppress(Killed):
        work(stage.context(FaultyPort(stage.cluster, death)), "engine")
    return stage, before, death


def events(stage, reason):
    return [e for e in stage.cluster.list(Kind("v1", "Event"), OWN) if e["reason"] == reason]


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_killed_at_any_write_what_is_not_promoted_is_back_in_time(good, after):
    """At each; sampled, at one of those that one function makes in the same step on one kind."""
    death = killed(good)[2]
    assert len(death.seen) > 20
    for at in death.points(good, after):
        stage, before, death = killed(good, at, after)
        assert death.met, at
        state, left, lost = state_of(stage), stage.standing(), stage.clock.now()
        stage.clock.sleep(INTERVAL * 0.99)  # the guard's last look was just before
        post = Post(stage).look()
        if state is None:
            assert stage.standing() == before
            continue
        phase, now = state.rollout.status.phase, state_of(stage).rollout.status
        if unpromoted(state, stage, before) or phase == "RollingBack":
            assert now.phase == "RolledBack", (at, now.reason)
        if now.phase == "RolledBack" and phase not in m.TERMINAL:
            assert stage.standing() == before, at
            judged = any(a.status.phase == "Failed" for a in state.analyses.values())
            assert turned_back(now) == ("Regression" if judged else "EngineLost"), at
            assert (now.restored_at - lost).total_seconds() <= LIMIT + INTERVAL
            assert now.epoch == state.rollout.status.epoch + 1
            assert post.count("rescues_total", phase="RolledBack") == 1
            back = work(stage.context(), "back").rollout
            assert back.status.phase == "RolledBack" and stage.shop().status.active_rollout == ""
            assert stage.shop().status.blocked_revision == ("c" * 40 if judged else "")
        else:
            assert (now.phase, stage.standing()) == (phase, left), at
            assert post.count("alerts_total") == (phase not in m.TERMINAL)


def dies_with(stage, applied):
    """A cluster whose caller dies once so many namespaces are noted as applied."""
    noted = lambda call: call.obj["status"]["phase"] == "Applied"  # noqa: E731
    return FaultyPort(
        stage.cluster, kills(applied, True, "replace_status", kind="NamespaceRollout", where=noted)
    )


def half_done(applied=1, **strategy):
    """A stage whose engine was lost with so many namespaces applied, and what stood before."""
    stage = Stage(**strategy)
    before = stage.standing()
    with pytest.raises(Killed):
        work(stage.context(dies_with(stage, applied)), "engine")
    return stage, before


@pytest.mark.parametrize("after", [True, False])
def test_a_guard_that_dies_is_followed_by_another(after):
    for at in itertools.count(1):
        stage, before = half_done(2)
        death = kills_at_write(at, after)
        first, second = Post(stage, "first", FaultyPort(stage.cluster, death)), Post(stage, "second")
        try:
            for _ in range(int(LIMIT // INTERVAL) + 2):
                first.guard.round(Inline())
                second.guard.round(Inline())
                stage.clock.sleep(INTERVAL)
        except Killed:
            second.look(2 * LIMIT)
        assert state_of(stage).rollout.status.phase == "RolledBack", at
        assert stage.standing() == before
        if len(death.seen) < at:
            break
    assert at > 5


def test_an_engine_that_wakes_up_late_changes_nothing_any_more():
    rescued = 0
    for at in itertools.count(1, 3):
        stage = Stage(deadline_seconds=3600)
        before, post, seen = stage.standing(), Post(stage), []

        def stand_still(call, stage=stage, post=post, seen=seen):
            found = None if call.verb in WRITES else call.go_on()
            post.look(LIMIT + 2 * INTERVAL)
            state = state_of(stage)
            seen.append(state and state.rollout.status)
            if call.verb in WRITES:
                raise Unreachable("timed out")  # unsent
            return found

        frozen = instead(stand_still, at=at)
        work(stage.context(FaultyPort(stage.cluster, frozen)), "engine")
        if not frozen.met:
            break
        # It may take back what it made itself.
        late = [call.kind for call in frozen.seen[at:] if call.verb in WRITES and call.verb != "delete"]
        if seen and seen[0] is not None and seen[0].phase == "RolledBack":
            rescued += 1
            assert "NetworkPolicy" not in late and stage.standing() == before, at
            assert state_of(stage).rollout.status == seen[0], at
        else:
            assert state_of(stage).rollout.status.phase == "Succeeded", at
    assert rescued > 10


def contest(seed):
    """Guard and engine after the same rollout, call by call as the seed has it; the end, and who wrote what."""
    stage, before = half_done(1, deadline_seconds=3600)
    turns, story = Turns(stage, seed, 2), []
    delay = random.Random(seed).uniform(10, 22)

    def cluster(worker):
        def note(call):
            if call.kind == "NetworkPolicy":
                story.append(("policy", worker))
            elif (call.verb, call.kind) == ("replace_status", "PolicyRollout"):
                story.append((call.answer["status"]["epoch"], worker))

        return turns.cluster(worker, just_after(note, *WRITES, dry_run=False))

    def guard():
        clock = Waiting(turns, 0)
        found = Guard(alone(cluster(0), clock, OWN), "guard", GuardInstruments(), INTERVAL)
        while state_of(stage).rollout.status.phase not in m.TERMINAL:
            clock.sleep(found.round(Inline()))

    def engine():
        clock = Waiting(turns, 1)
        clock.sleep(delay)
        work(stage.context(cluster(1), clock=clock), "again", tries=200)

    ends = turns.play(guard, engine)
    assert ends == {0: None, 1: None}, (seed, ends)
    return stage, before, story


def test_an_engine_that_comes_back_at_the_same_moment_wins_or_loses_as_a_whole():
    ends = Counter()
    for seed in range(24):
        stage, before, story = contest(seed)
        status = state_of(stage).rollout.status
        ends[status.phase] += 1
        if status.phase == "RolledBack":
            assert stage.standing() == before and turned_back(status) == "EngineLost", seed
        else:
            assert status.phase == "Succeeded", (seed, status.reason)
            assert all(sorted(found) == ["allow", "deny"] for found in stage.names().values())
        owner, epoch = None, 0
        for what, worker in story:
            if what != "policy" and what > epoch:
                owner, epoch = worker, what
            assert worker == owner, (seed, story)
    assert set(ends) == {"RolledBack", "Succeeded"}, ends


def test_time_in_which_the_guard_saw_nothing_does_not_count():
    stage, before = half_done()
    post = Post(stage).look(LIMIT / 2)
    stage.cluster.list, real = unreachable, stage.cluster.list
    post.look(3 * LIMIT)
    stage.cluster.list = real
    post.look(LIMIT - INTERVAL)
    assert state_of(stage).rollout.status.phase == "Progressing" and stage.standing() != before
    assert post.count("rounds_total", outcome="error") > 10
    post.look(2 * INTERVAL)
    assert state_of(stage).rollout.status.phase == "RolledBack" and stage.standing() == before


def unreachable(*args):
    raise Unreachable("no route to host")


def test_what_waits_for_a_person_a_window_or_room_is_left_alone():
    always = m.Window(kind="deny", schedule="* * * * *", duration_seconds=3600)
    gated, closed = Stage(gates=[m.Gate(wave=1)]), Stage(windows=[always])
    for stage, wanted in ((gated, "approval"), (closed, "window")):
        work(stage.context(), "engine")
        held_up(stage, wanted)


def test_a_wave_that_a_person_paused_is_left_alone():
    stage, before = half_done()
    fresh = stage.cluster.get(ROLLOUT, state_of(stage).rollout.name, OWN)
    annotations = {REQUEST: "pause/1/eve"}
    stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": annotations}})
    work(stage.context(), "again")
    held_up(stage, "user")
    assert stage.standing() != before


def held_up(stage, wanted):
    status, now, post = state_of(stage).rollout.status, stage.standing(), Post(stage).look(10 * LIMIT)
    assert (status.phase, status.paused_for) == ("Paused", wanted)
    assert state_of(stage).rollout.status == status and stage.standing() == now
    assert post.count("alerts_total") == 0 and post.count("silent_rollouts") == 0


def test_a_revision_whose_engine_was_lost_is_tried_once_more_and_then_held():
    stage, before = half_done()
    Post(stage).look()
    work(stage.context(), "back")
    assert stage.shop().status.blocked_revision == ""
    again = start(stage.context(), stage.shop()).rollout
    with pytest.raises(Killed):
        Embedded(stage.context(dies_with(stage, 1)), "again").drive(again)
    Post(stage).look()
    Embedded(stage.context(), "back").drive(again)
    source = stage.shop()
    assert stage.standing() == before
    assert (source.status.blocked_revision, source.status.active_rollout) == ("c" * 40, "")
    assert "nobody worked on it" in source.status.blocked_reason


def test_probes_that_could_not_run_again_are_said():
    stage, before = half_done()
    Post(stage).look()
    status = state_of(stage).rollout.status
    verified = next(c for c in status.conditions if c.type == "RollbackVerified")
    assert (verified.status, verified.reason) == ("Unknown", "ProbesDidNotRun")
    assert stage.standing() == before


def test_one_rollout_that_cannot_be_read_holds_up_no_other():
    stage, before = half_done()
    strange = stage.cluster.get(ROLLOUT, state_of(stage).rollout.name, OWN)
    meta = {"name": "aaa", "namespace": OWN}
    stage.cluster.strict = False
    stage.cluster.create({**strange, "metadata": meta, "spec": {**strange["spec"], "strategy": {"what": 1}}})
    Post(stage).look()
    assert stage.standing() == before


def test_only_the_replica_with_the_lease_acts():
    stage, _ = half_done()
    first, second = Post(stage, "first"), Post(stage, "second")
    first.guard.round(Inline())
    second.look(LIMIT / 4)
    assert (first.count("leader"), second.count("leader")) == (1, 0)


def test_a_standby_replica_takes_over_before_the_guard_acts():
    stage, _ = half_done()
    controller = Controller(stage.context(), "standby", Instruments(), poll_seconds=5)
    leader = Lease(stage.context(), "controller", "leader")
    leader.acquire()
    lease, post = Lease(stage.context(), "controller", "standby"), Post(stage)
    for _ in range(int(LIMIT / 3) + 2):
        if lease.acquire():
            controller.tick(Inline())
        else:
            controller.stand_by()
        post.guard.round(Inline())
        stage.clock.sleep(3)
    status = state_of(stage).rollout.status
    assert status.phase == "Succeeded", status.reason
    assert [t.reason for t in status.transitions].count("TakenOver") == 1


def test_slow_metrics_do_not_look_like_a_lost_engine():
    class Timeouts:
        """Each answer takes the longest that a provider gets by default; then it is none."""

        def query(self, expression, at):
            for _ in range(2):
                stage.clock.sleep(5)
                post.guard.round(Inline())
            raise MetricError("timed out")

    metrics = [m.MetricSpec(name=f"m{n}", query="up", required=False) for n in range(6)]
    stage = Stage(metrics=Timeouts(), analysis={"metrics": metrics}, deadline_seconds=3600)
    post = Post(stage)
    state = work(stage.context(), "engine")
    reasons = [t.reason for t in state.rollout.status.transitions]
    assert "EngineLost" not in reasons and state.rollout.status.phase == "Succeeded", reasons
