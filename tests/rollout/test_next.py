"""What comes next, for states written down by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.rollout.next import REQUEST, Action, State, next_action
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rollout(annotations=None, strategy=None, people=(), deleting=False, **status):
    waves = [m.Wave(namespaces=[m.WaveNamespace(name=n, before="b", after="a")]) for n in ("one", "two")]
    spec = m.PolicyRolloutSpec(
        source="shop",
        revision="r",
        strategy=strategy or m.Strategy(),
        plan_digest="d",
        waves=waves,
        authors=list(people),
    )
    obj = new("PolicyRollout", "shop-r", "np", spec, finalizer="f")
    obj["metadata"]["annotations"] = annotations or {}
    if deleting:
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    obj["status"] = m.PolicyRolloutStatus(**status).model_dump(mode="json", by_alias=True)
    return load(obj)


def namespace(name, phase):
    obj = new(
        "NamespaceRollout",
        f"shop-r.{name}",
        "np",
        m.NamespaceRolloutSpec(rollout="shop-r", wave=0, namespace=name),
    )
    applied = NOW if phase == "Applied" else None
    obj["status"] = m.NamespaceRolloutStatus(phase=phase, applied_at=applied).model_dump(
        mode="json", by_alias=True
    )
    return load(obj)


def analysis(phase, **status):
    obj = new("WaveAnalysis", "shop-r-0", "np", m.WaveAnalysisSpec(rollout="shop-r", wave=0, since=NOW))
    obj["status"] = m.WaveAnalysisStatus(phase=phase, **status).model_dump(mode="json", by_alias=True)
    return load(obj)


def approval(user, decision="approve", digest="d", created=NOW, groups=(), wave=0, **more):
    spec = m.RolloutApprovalSpec(
        rollout="shop-r",
        wave=wave,
        plan_digest=digest,
        user=user,
        decision=decision,
        groups=list(groups),
        **more,
    )
    obj = new("RolloutApproval", f"a-{user}", "np", spec)
    obj["metadata"]["creationTimestamp"] = created.isoformat()
    return load(obj)


def verb(state, now=NOW):
    return next_action(state, now).verb


def applied(phase):
    spaces = {"one": namespace("one", "Applied"), "two": namespace("two", "Pending")}
    return State(rollout(phase="Progressing", waves_started=1), spaces, {0: analysis(phase)})


def test_a_pending_rollout_is_frozen_first():
    assert verb(State(rollout())) == "snapshot"


def test_a_wave_opens_then_gets_its_baseline_then_is_applied():
    assert verb(State(rollout(phase="Progressing"))) == "open"
    opened = rollout(phase="Progressing", waves_started=1)
    pending = {"one": namespace("one", "Pending")}
    assert verb(State(opened, pending)) == "baseline"
    assert verb(State(opened, pending, {0: analysis("Running")})) == "apply"


def test_an_applied_wave_settles_before_it_is_analysed():
    state = applied("Running")
    assert verb(state) == "wait"
    assert verb(state, NOW + timedelta(seconds=5)) == "analyze"


@pytest.mark.parametrize(
    ("phase", "expected"),
    [("Successful", "promote"), ("Failed", "rollback"), ("Error", "pause"), ("Inconclusive", "pause")],
)
def test_the_verdict_decides(phase, expected):
    assert verb(applied(phase)) == expected


def test_a_rollback_restores_then_verifies_then_finishes():
    spaces = {"one": namespace("one", "Applied")}
    assert verb(State(rollout(phase="RollingBack", waves_started=1), spaces)) == "restore"
    restored = {"one": namespace("one", "Restored")}
    assert verb(State(rollout(phase="RollingBack", waves_started=1), restored)) == "verify"


def test_a_deleted_rollout_is_rolled_back():
    assert verb(State(rollout(phase="Progressing", waves_started=1, deleting=True))) == "rollback"


def test_requests_abort_pause_and_resume_and_are_handled_once():
    def asked(request, **status):
        return State(rollout({REQUEST: f"{request}/1/ann"}, **status))

    assert verb(asked("abort", phase="Progressing")) == "rollback"
    assert verb(asked("pause", phase="Progressing")) == "pause"
    assert verb(asked("resume", phase="Paused", paused_for="user")) == "continue"
    assert verb(asked("resume", phase="Progressing")) == "handle"
    assert verb(asked("abort", phase="Progressing", handled_request="1")) == "open"


def vouched(value, at=NOW):
    """A status with a proof of that time, that approvals can be believed, or cannot."""
    found = m.Condition(
        type="ApprovalsProven", status=value, reason="r", message="proof", last_transition_time=NOW
    )
    return {"approvals_proven_at": at, "conditions": [found]}


VOUCHED = vouched("True")
GATED = m.Strategy(gates=[m.Gate(wave=0, approvals=1)])


@pytest.mark.parametrize(
    ("approvals", "people", "expected"),
    [
        ([], (), "pause"),
        ([approval("bob")], (), "open"),
        ([approval("bob", digest="another plan")], (), "pause"),
        ([approval("bob", created=NOW - timedelta(days=2))], (), "pause"),
        ([approval("ann")], ("user:ann",), "pause"),
        ([approval("bob")], ("Eve <eve@example.com>",), "pause"),
        ([approval("bob"), approval("cid")], ("Eve <eve@example.com>",), "open"),
        ([approval("bob", decision="reject")], (), "rollback"),
    ],
)
def test_a_gate_counts_distinct_people_who_did_not_write_the_change(approvals, people, expected):
    given = rollout(phase="Progressing", strategy=GATED, people=people, **VOUCHED)
    assert verb(State(given, approvals=tuple(approvals))) == expected


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize(
    ("proof", "running", "paused"),
    [
        ({}, "vouch", "vouch"),
        (vouched("True", NOW - timedelta(seconds=30)), "vouch", "vouch"),
        (vouched("False"), "pause", "wait-for-person"),
        (vouched("False", NOW - timedelta(seconds=30)), "vouch", "vouch"),
        (VOUCHED, {"approve": "open", "reject": "rollback"}, {"approve": "continue", "reject": "rollback"}),
    ],
)
def test_nothing_that_people_said_counts_before_it_is_proven(decision, proof, running, paused):
    said = (approval("bob", decision),)
    for expected, status in (
        (running, {"phase": "Progressing"}),
        (paused, {"phase": "Paused", "paused_for": "approval"}),
    ):
        state = State(rollout(strategy=GATED, **status, **proof), approvals=said)
        assert verb(state) == (expected[decision] if isinstance(expected, dict) else expected)


def test_nothing_has_to_be_proven_before_it_would_count():
    paused = {"strategy": GATED, "phase": "Paused", "paused_for": "approval"}
    assert verb(State(rollout(**paused), approvals=(approval("bob", digest="other"),))) == "wait-for-person"
    assert verb(State(rollout(phase="Progressing"))) == "open"


def test_a_broken_glass_is_said_once():
    glass = approval("ann", break_glass=True, comment="all is down")
    given = {"strategy": GATED, "people": ("user:ann",), **VOUCHED}
    action = next_action(State(rollout(phase="Progressing", **given), approvals=(glass,)), NOW)
    assert (action.verb, action.reason, action.actor) == ("open", "BreakGlass", "ann")
    paused = rollout(phase="Paused", paused_for="approval", **given)
    action = next_action(State(paused, approvals=(glass,)), NOW)
    assert (action.verb, action.reason, action.actor) == ("continue", "BreakGlass", "ann")
    for reasons, said in (
        (("BreakGlass",), "WaveStarted"),
        (("BreakGlass", "PausedByUser", "Resumed"), "WaveStarted"),
        (("BreakGlass", "Promoted"), "BreakGlass"),
    ):
        moved = [m.Transition(time=NOW, actor="ann", phase="Progressing", reason=r) for r in reasons]
        after = rollout(phase="Progressing", transitions=moved, **given)
        assert next_action(State(after, approvals=(glass,)), NOW).reason == said


def waiting(verdict="Successful", metrics=True, **status):
    """The first of two waves is promoted and the second waits for approval."""
    plan = m.Analysis(metrics=[m.MetricSpec(name="errors", query="q")] if metrics else [])
    strategy = m.Strategy(gates=[m.Gate(wave=1)], analysis=plan)
    given = rollout(
        strategy=strategy,
        wave=1,
        **{"waves_started": 1, "phase": "Paused", "paused_for": "approval", **status},
    )
    return State(given, {"one": namespace("one", "Applied")}, {0: analysis(verdict, checks=4)})


def test_what_was_promoted_stays_watched_while_the_next_wave_waits():
    due = NOW + timedelta(seconds=5 + 5 * 30)
    action = next_action(waiting(), due - timedelta(seconds=1))
    assert (action.verb, action.until) == ("wait-for-person", due)
    assert next_action(waiting(), due) == Action("watch", 0)
    assert next_action(waiting(metrics=False), due).until is None


@pytest.mark.parametrize("status", [{}, {"phase": "Progressing", "paused_for": ""}])
def test_a_promoted_wave_that_goes_wrong_later_is_rolled_back_whoever_approved(status):
    state = replace(waiting("Failed", **status, **VOUCHED), approvals=(approval("bob", wave=1),))
    action = next_action(state, NOW)
    assert (action.verb, action.wave, action.reason) == ("rollback", 0, "Regression")


@pytest.mark.parametrize("paused_for", ["approval", "window", "limit"])
def test_what_would_go_on_by_itself_can_be_held_and_stays_watched(paused_for):
    due = NOW + timedelta(seconds=5 + 5 * 30)
    asked = waiting(paused_for=paused_for)
    asked.rollout.manifest["metadata"]["annotations"] = {REQUEST: "pause/1/ann"}
    assert verb(asked) == "pause"
    held = waiting(paused_for="user")
    assert (verb(held), verb(held, due)) == ("wait-for-person", "watch")
    assert verb(waiting("Failed", paused_for="user")) == "rollback"
    in_wave = waiting(paused_for="user", waves_started=2)
    assert verb(in_wave, due) == "watch"  # nothing of it is written: the promoted one stays watched


@pytest.mark.parametrize(
    ("verdict", "before", "after"),
    [
        ("Running", "wait-for-person", "analyze"),
        ("Failed", "rollback", "rollback"),
        ("Successful", "wait-for-person", "watch"),
        ("Inconclusive", "wait-for-person", "watch"),
        ("Error", "wait-for-person", "watch"),
    ],
)
def test_a_wave_that_a_person_stopped_is_looked_at_and_not_promoted(verdict, before, after):
    strategy = m.Strategy(analysis=m.Analysis(metrics=[m.MetricSpec(name="errors", query="q")]))
    given = rollout(strategy=strategy, waves_started=1, phase="Paused", paused_for="user")
    state = State(given, {"one": namespace("one", "Applied")}, {0: analysis(verdict)})
    assert (verb(state), verb(state, NOW + timedelta(minutes=1))) == (before, after)
    unwritten = replace(state, namespaces={"one": namespace("one", "Pending")})
    assert verb(unwritten, NOW + timedelta(minutes=1)) == "wait-for-person"


@pytest.mark.parametrize("request_", ["pause", "resume"])
def test_nothing_comes_between_a_rollout_and_its_snapshot_but_its_end(request_):
    assert verb(State(rollout({REQUEST: f"{request_}/1/ann"}))) == "snapshot"
    assert verb(State(rollout({REQUEST: "abort/1/ann"}))) == "rollback"


def undecided(verdict="Inconclusive", minutes=0, written="Applied", **plan):
    """The first of two waves was written, and paused as inconclusive."""
    metric = m.MetricSpec(name="errors", query="q")
    strategy = m.Strategy(analysis=m.Analysis(metrics=[metric], **plan))
    moved = m.Transition(time=NOW, actor="x", phase="Paused", reason="Inconclusive")
    later = m.Transition(time=NOW + timedelta(minutes=minutes), actor="ann", phase="Paused", reason="Ignored")
    given = rollout(
        strategy=strategy,
        waves_started=1,
        phase="Paused",
        paused_for="inconclusive",
        transitions=[moved, later],
    )
    return State(given, {"one": namespace("one", written)}, {0: analysis(verdict, checks=4)})


def test_an_inconclusive_wave_is_watched_until_a_person_decides_or_the_time_for_that_is_over():
    due, hour = NOW + timedelta(seconds=5 + 5 * 30), NOW + timedelta(hours=1)
    action = next_action(undecided(), NOW)
    assert (action.verb, action.until) == ("wait-for-person", due)
    assert next_action(undecided(), due) == Action("watch", 0)
    assert verb(undecided("Failed"), due) == "rollback"
    assert verb(undecided(), hour - timedelta(seconds=1)) == "watch"
    late = next_action(undecided(minutes=59), hour)
    assert (late.verb, late.reason) == ("rollback", "Undecided")
    assert "wave 0 was inconclusive, and nobody decided in 3600 s" in late.message
    assert next_action(undecided(inconclusive_seconds=60), NOW + timedelta(seconds=60)).reason == "Undecided"


def test_the_clock_set_back_ends_no_wait_early():
    assert verb(undecided(), NOW - timedelta(days=1)) == "wait-for-person"


def test_a_request_comes_before_the_end_of_waiting():
    state, late = undecided(), NOW + timedelta(hours=2)
    state.rollout.manifest["metadata"]["annotations"] = {REQUEST: "resume/1/ann"}
    assert verb(state, late) == "continue"


def test_an_inconclusive_wave_of_which_nothing_is_written_has_no_end():
    assert verb(undecided(written="Pending"), NOW + timedelta(days=3)) == "wait-for-person"


def test_a_source_may_want_inconclusive_waves_rolled_back_at_once():
    plan = m.Strategy(analysis=m.Analysis(on_inconclusive="rollback"))
    for verdict in ("Error", "Inconclusive"):
        given = rollout(strategy=plan, phase="Progressing", waves_started=1)
        state = State(given, {"one": namespace("one", "Applied")}, {0: analysis(verdict)})
        action = next_action(state, NOW)
        assert (action.verb, action.reason, action.wave) == ("rollback", "Inconclusive", 0)


def test_a_look_that_a_crash_left_over_in_an_inconclusive_pause_is_made():
    """`resume` started the analysis over and died, and the request was taken back."""
    state = undecided("Running")
    assert verb(state, NOW) == "wait-for-person"
    assert verb(state, NOW + timedelta(seconds=5 + 5 * 30)) == "analyze"
