"""However many begin a rollout of a source at once, wherever one of them dies: one rollout is made, and one works."""

from functools import partial

import pytest
from faulty_port import FaultyPort, Killed, counted, just_before, kills
from interleaved import Turns
from stage import ALLOW, DENY, OWN, Rounds, Stage, files

from orchestrator.context import ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import NetpolCanaryError, RetryLater
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.next import next_action
from orchestrator.rollout.resources.resource import load
from orchestrator.steps.by_action import STEPS

SEEDS = 40
OTHER = files(DENY)


def rollouts(stage):
    return [load(o) for o in stage.cluster.list(ROLLOUT, OWN)]


def begun(stage, seed, revisions):
    """What came of several who start at once, interleaved call by call; each tries again as its command does."""
    turns = Turns(stage, seed, len(revisions))

    def body(worker):
        ctx = turns.context(worker)
        for _ in range(60):
            try:
                return start(ctx, find_source(ctx, "shop"), revisions[worker])
            except RetryLater as later:
                ctx.clock.sleep(later.delay)
        return None

    ends = turns.play(*(partial(body, n) for n in range(len(revisions))))
    assert all(hasattr(e, "rollout") or isinstance(e, NetpolCanaryError) for e in ends.values()), (seed, ends)
    return ends


def test_starters_of_one_revision_make_one_rollout_at_any_interleaving():
    for seed in range(SEEDS):
        stage = Stage()
        ends = begun(stage, seed, [""] * (2 + seed % 2))
        assert {getattr(e, "rollout", e) for e in ends.values()} == {"shop-cccccccccc"}, (seed, ends)
        assert [r.name for r in rollouts(stage)] == ["shop-cccccccccc"], seed


def test_starters_of_two_revisions_let_one_rollout_work_at_any_interleaving():
    for seed in range(SEEDS):
        stage = Stage()
        stage.repository.push("d", OTHER)
        begun(stage, seed, ["c" * 40, "d" * 40])
        for rollout in rollouts(stage):
            Embedded(stage.context(), "worker").drive(rollout.name)
        done = [r for r in rollouts(stage) if r.status.phase != "Superseded"]
        assert len(done) == 1 and done[0].status.phase == "Succeeded", seed
        assert stage.shop().status.current_revision == done[0].spec.revision
        assert stage.shop().status.active_rollout == ""


@pytest.mark.parametrize("newer", [False, True])
def test_wherever_a_starter_dies_the_next_one_makes_the_only_rollout(newer):
    stage, calls = Stage(), counted()
    start(stage.context(FaultyPort(stage.cluster, calls)), find_source(stage.context(), "shop"))
    for at in range(1, len(calls.seen) + 1):
        answered = calls.seen[at - 1].answer is not None  # what is not found has no moment after its answer
        for after in (False, True) if answered else (False,):
            stage, death = Stage(), kills(at, after)
            with pytest.raises(Killed):
                start(stage.context(FaultyPort(stage.cluster, death)), find_source(stage.context(), "shop"))
            if newer:
                stage.repository.push("d", files(DENY, ALLOW))
            rounds = Rounds(stage)
            rounds.go(6)
            done = [r for r in rollouts(stage) if r.status.phase != "Superseded"]
            assert done and done[-1].status.phase == "Succeeded", (at, after)
            assert len(rollouts(stage)) == 1 or rollouts(stage)[0].spec.revision != done[-1].spec.revision
            assert stage.shop().status.active_rollout == ""
            assert all(found == ["allow", "deny"] for found in stage.names().values())


@pytest.mark.parametrize("while_it_runs", [True, False])
def test_a_creation_that_lands_after_its_place_was_given_away_writes_nothing(while_it_runs):
    stage = Stage()
    sent = just_before(Killed, "create", kind="PolicyRollout")  # and nobody hears of it
    with pytest.raises(Killed):
        start(stage.context(FaultyPort(stage.cluster, sent)), find_source(stage.context(), "shop"))
    stage.repository.push("d", OTHER)
    ctx = stage.context()
    with pytest.raises(RetryLater, match="begun by somebody"):
        start(ctx, find_source(ctx, "shop"))
    stage.clock.sleep(16)
    name = start(ctx, find_source(ctx, "shop")).rollout
    if not while_it_runs:
        Embedded(stage.context(), "worker").drive(name)
    sent.met.pop().go_on()
    late = Embedded(stage.context(), "other").drive("shop-cccccccccc").rollout
    assert late.status.phase == "Superseded" and late.status.waves_started == 0
    state = Embedded(stage.context(), "worker").drive(name)
    assert state.rollout.status.phase == "Succeeded" and stage.shop().status.current_revision_rollout == name


def test_a_claim_that_changes_hands_while_a_rollout_is_created_leaves_one_that_works():
    """Both are created; whichever writes its uid into the source first has the place, the other ends."""
    stage = Stage()
    name = start(stage.context(), find_source(stage.context(), "shop")).rollout
    source = stage.shop()
    stolen = source.status.model_copy(update={"active_rollout": "shop-dddddddddd"})
    stage.cluster.replace_status(source.with_status(stolen))
    state = read(stage.context(), name)
    action = next_action(state, stage.clock.now())
    STEPS[action.verb](stage.context(), state, action)
    found = read(stage.context(), name).rollout.status
    assert found.phase == "Superseded" and "shop-dddddddddd" in found.reason
    assert stage.shop().status.active_rollout == "shop-dddddddddd"
