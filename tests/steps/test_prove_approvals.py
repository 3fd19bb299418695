"""Approvals count only once a dry run has proven that nobody can give them in another's name."""

import pytest
from drifting import Told
from faulty_port import FaultyPort, just_before
from stage import OWN, Stage, work

from orchestrator.context import APPROVAL, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Forbidden, Unreachable
from orchestrator.operations.approve import Decision, decide
from orchestrator.rollout.next import next_action
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

NAME = "shop-cccccccccc"


def gated(vouches=True, **gate):
    """A rollout that waits for approval of its second wave; ann's change, whom the source knows."""
    stage = Stage(gates=[m.Gate(wave=1, **gate)])
    stage.change(identities=[{"email": "ann@example.com", "user": "ann"}])
    stage.cluster.vouches = vouches
    assert work(stage.context(), "first").rollout.status.paused_for == "approval"
    return stage


def says(stage, user, *groups, **decision):
    """A decision by somebody else, over the API."""
    ctx = stage.context(stage.cluster.acting_as(user, *groups))
    return decide(ctx, read(ctx, NAME), Decision(**{"comment": "fine", **decision}))


def go(stage, cluster=None):
    return Embedded(stage.context(cluster), "next").drive(NAME)


def reasons(state):
    return [t.reason for t in state.rollout.status.transitions]


def vouched(state):
    return {c.type: c for c in state.rollout.status.conditions}["ApprovalsProven"]


def test_a_proven_approval_opens_the_gate():
    stage = gated()
    says(stage, "mia")
    state = go(stage)
    assert state.rollout.status.phase == "Succeeded" and vouched(state).status == "True"
    assert len(stage.cluster.list(APPROVAL)) == 1  # the trial left nothing


def test_without_the_policy_it_stays_paused_and_says_so_once():
    stage, before = gated(vouches=False), None
    for _ in range(3):
        says(stage, "mia")
        state = go(stage)
        assert (state.rollout.status.phase, state.rollout.status.paused_for) == ("Paused", "approval")
        assert vouched(state).status == "False" and reasons(state).count("ApprovalsUnproven") == 1
        assert "the API server accepts an approval in another's name" in state.rollout.status.reason
        assert before in (None, vouched(state).last_transition_time)
        before = vouched(state).last_transition_time
        stage.clock.sleep(60)


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_what_was_said_without_the_policy_counts_not_even_once_it_is_back(decision):
    stage = gated(vouches=False)
    says(stage, "mia", decision=decision)
    assert go(stage).rollout.status.phase == "Paused"
    stage.cluster.vouches = True
    stage.clock.sleep(60)
    state = go(stage)
    assert state.rollout.status.phase == "Paused" and vouched(state).status == "True"
    assert reasons(state)[-1] == "ApprovalsProven"
    assert "older ones do not count" in state.rollout.status.reason
    stage.clock.sleep(1)
    says(stage, "mia", decision=decision)
    assert go(stage).rollout.status.phase == ("Succeeded" if decision == "approve" else "RolledBack")


def test_between_two_proofs_nothing_is_written():
    stage = gated(vouches=False)
    says(stage, "mia")
    go(stage)
    writes = {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"}
    go(stage)
    assert {k: n for k, n in stage.cluster.writes.items() if k[1] != "Lease"} == writes


@pytest.mark.parametrize("wave", [0, 1])
def test_approvals_given_in_advance_are_proven_too(wave):
    stage = Stage(gates=[m.Gate(wave=wave)])
    stage.cluster.vouches = False
    Embedded(stage.context(), "first", stop=_after(5)).drive(_begun(stage))
    for user in ("mia", "joe"):
        spec = m.RolloutApprovalSpec(rollout=NAME, wave=wave, plan_digest=_digest(stage), user=user)
        stage.cluster.create(new("RolloutApproval", f"a-{user}", OWN, spec))
    state = go(stage)
    assert state.rollout.status.phase == "Paused" and reasons(state)[-1] == "ApprovalsUnproven"
    assert state.rollout.status.waves_started == wave


def _begun(stage):
    from orchestrator.operations.start import find_source, start

    ctx = stage.context()
    return start(ctx, find_source(ctx, "shop")).rollout


def _digest(stage):
    return read(stage.context(), NAME).rollout.spec.plan_digest


def _after(number):
    calls = []

    def stop():
        calls.append(1)
        return len(calls) > number

    return stop


def trial(error, **which):
    """A trial that meets something else than the policy."""
    return just_before(error, "create", kind="RolloutApproval", dry_run=True, **which)


def test_a_refusal_by_something_else_proves_nothing():
    stage = gated()
    says(stage, "mia")
    state = go(stage, FaultyPort(stage.cluster, trial(Forbidden('User "x" cannot create resource'))))
    assert state.rollout.status.phase == "Paused"
    assert "refused, but not for that: User" in state.rollout.status.reason
    assert "kubectl apply -k config/admission" in state.rollout.status.reason


def test_without_an_answer_it_is_tried_again():
    stage = gated()
    says(stage, "mia")

    once = trial(Unreachable("timed out"), at=1)
    state = go(stage, FaultyPort(stage.cluster, once))
    assert once.met
    assert state.rollout.status.phase == "Succeeded" and "ApprovalsUnproven" not in reasons(state)


def test_a_broken_glass_is_loud():
    stage, told = gated(approvals=3, groups=["security"]), Told()
    with pytest.raises(Forbidden, match="takes the right to the verb breakglass"):
        says(stage, "mia", break_glass=True, comment="all is down")
    says(stage, "ann", "on-call", break_glass=True, comment="all is down")
    ctx = stage.context()
    object.__setattr__(ctx, "notifier", told)
    state = Embedded(ctx, "next").drive(NAME)
    assert state.rollout.status.phase == "Succeeded"
    moved = [t for t in state.rollout.status.transitions if t.reason == "BreakGlass"]
    assert [t.actor for t in moved] == ["ann"] and "all is down" in moved[0].message
    broken = {c.type: c for c in state.rollout.status.conditions}["BreakGlassUsed"]
    assert broken.status == "True" and "ann broke the glass" in broken.message
    assert ("BreakGlass", True) in [(reason, warning) for *_, reason, _, warning in told.events]


def test_nobody_asks_in_anothers_name():
    stage = gated()
    mia = stage.cluster.acting_as("mia")
    meta = mia.get(*_place())["metadata"]

    def asked(text, **more):
        fresh = mia.get(*_place())
        return {
            **fresh,
            "metadata": {**fresh["metadata"], "annotations": {"netpol-canary.dev/request": text}, **more},
        }

    for text in ("abort/1/joe", "supersede/1/mia", "abort/mia", ""):
        if text:
            with pytest.raises(Forbidden, match="the user must be the one who asks"):
                mia.replace(asked(text))
    with pytest.raises(Forbidden, match="by the controller alone"):
        mia.replace(asked("abort/1/mia", finalizers=[]))
    assert meta["finalizers"]
    mia.replace(asked("abort/1/mia"))
    assert next_action(read(stage.context(), NAME), stage.clock.now()).reason == "Aborted"


def _place():
    from orchestrator.context import ROLLOUT

    return ROLLOUT, NAME, OWN
