"""What keeps a wave from opening, in which order it is said, and how it goes on by itself."""

from datetime import timedelta

import pytest
from rollout.test_next import GATED, NOW, VOUCHED, analysis, approval, namespace, rollout, vouched

from orchestrator.rollout.gates.opening import closure
from orchestrator.rollout.next import State, next_action
from orchestrator.rollout.outbox import severity
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

HOUR = timedelta(hours=1)
# NOW is the beginning of 2026 in UTC, a Thursday.
LATER = m.Window(schedule="0 9 * * *", duration_seconds=3600)
NOON = m.Strategy(windows=[LATER])


def freeze(name="stop", **spec):
    return load(new("RolloutFreeze", name, "np", m.RolloutFreezeSpec(reason="an audit", **spec)))


def state(strategy=NOON, freezes=(), approvals=(), lacking="", namespaces=None, analyses=None, **status):
    given = rollout(strategy=strategy, **{"phase": "Progressing", **status})
    return State(given, namespaces or {}, analyses or {}, tuple(approvals), tuple(freezes), lacking)


def paused(found, **more):
    """The same rollout, paused as `found` says."""
    return state(phase="Paused", paused_for=found.paused_for, reason=found.message, **more)


def test_outside_its_window_a_wave_does_not_open_and_the_message_says_until_when():
    found = next_action(state(), NOW)
    assert (found.verb, found.paused_for, found.until) == ("pause", "window", NOW + 9 * HOUR)
    assert "outside the window" in found.message and "until 2026-01-01 09:00 UTC" in found.message
    waiting = next_action(paused(found), NOW + HOUR)
    assert (waiting.verb, waiting.until) == ("wait-for-turn", NOW + 9 * HOUR)
    assert next_action(paused(found), NOW + 9 * HOUR).verb == "continue"
    assert next_action(state(), NOW + 9 * HOUR).verb == "open"


def test_a_gate_is_asked_for_before_the_window_and_again_when_it_has_expired():
    gated = GATED.model_copy(update={"windows": [LATER]})
    assert next_action(state(gated), NOW).paused_for == "approval"
    yes, opens = [approval("bob")], NOW + 9 * HOUR
    found = next_action(state(gated, approvals=yes, **VOUCHED), NOW)
    assert found.paused_for == "window"
    fresh = {"strategy": gated, **vouched("True", opens)}
    assert next_action(paused(found, approvals=yes, strategy=gated), NOW + HOUR).verb == "wait-for-turn"
    assert next_action(paused(found, approvals=yes, strategy=gated), opens).verb == "vouch"
    assert next_action(paused(found, approvals=yes, **fresh), opens).verb == "continue"
    late = next_action(paused(found, strategy=gated, approvals=yes), NOW + 33 * HOUR)
    assert (late.verb, late.paused_for) == ("pause", "approval")
    no = [approval("bob", decision="reject")]
    assert next_action(paused(found, strategy=gated, approvals=no, **VOUCHED), NOW).verb == "rollback"


def test_what_was_promoted_stays_watched_while_a_window_is_waited_for():
    metrics = m.Analysis(metrics=[m.MetricSpec(name="errors", query="q")])
    plan = m.Strategy(windows=[LATER], analysis=metrics)
    good = {0: analysis("Successful", checks=4)}
    given = {
        "strategy": plan,
        "wave": 1,
        "waves_started": 1,
        "namespaces": {"one": namespace("one", "Applied")},
    }
    found = next_action(state(analyses=good, **given), NOW)
    due = NOW + timedelta(seconds=5 + 5 * 30)
    waiting = next_action(paused(found, analyses=good, **given), NOW)
    assert (waiting.verb, waiting.until) == ("wait-for-turn", due)
    assert next_action(paused(found, analyses=good, **given), due).verb == "watch"
    lost = next_action(paused(found, analyses={0: analysis("Failed")}, **given), NOW)
    assert (lost.verb, lost.reason) == ("rollback", "Regression")


@pytest.mark.parametrize(
    ("spec", "frozen"),
    [
        ({}, True),
        ({"sources": ["shop"]}, True),
        ({"sources": ["other"]}, False),
        ({"from": NOW + HOUR}, False),
        ({"from": NOW - HOUR, "until": NOW + HOUR}, True),
        ({"until": NOW}, False),
    ],
)
def test_a_freeze_is_for_its_sources_and_its_time(spec, frozen):
    found = next_action(state(m.Strategy(), [freeze(**spec)]), NOW)
    assert found.verb == ("pause" if frozen else "open")
    if frozen:
        assert found.paused_for == "window" and "RolloutFreeze stop): an audit" in found.message


def test_of_several_freezes_the_one_that_lasts_longest_is_named():
    short, long = freeze("short", until=NOW + HOUR), freeze("long", until=NOW + 2 * HOUR)
    assert closure([], [long, short], "shop", NOW).until == NOW + 2 * HOUR
    endless = closure([], [long, freeze("stop", user="ann"), short], "shop", NOW)
    assert endless.until is None
    assert "frozen by ann (RolloutFreeze stop): an audit; `netpol-canary unfreeze stop`" in endless.message


def test_a_freeze_that_ends_leaves_the_window_to_be_waited_for():
    found = next_action(state(freezes=[freeze()]), NOW)
    after = next_action(paused(found), NOW)
    assert (after.verb, after.paused_for) == ("pause", "window") and "outside the window" in after.message


def test_a_wave_that_is_open_finishes_whatever_is_frozen_and_the_last_one_succeeds():
    spaces = {"one": namespace("one", "Applied"), "two": namespace("two", "Applied")}
    closed = {"freezes": [freeze()], "namespaces": spaces, "analyses": {0: analysis("Successful")}}
    assert next_action(state(waves_started=1, **closed), NOW).verb == "promote"
    assert next_action(state(waves_started=1, wave=1, **closed), NOW).verb == "pause"
    last = {**closed, "analyses": {1: analysis("Successful")}}
    assert next_action(state(waves_started=2, wave=1, **last), NOW).verb == "succeed"
    failed = {**closed, "analyses": {0: analysis("Failed")}}
    assert next_action(state(waves_started=1, **failed), NOW).verb == "rollback"
    assert next_action(state(phase="RollingBack", waves_started=1, **closed), NOW).verb == "restore"


def test_where_there_is_no_room_it_waits_and_goes_on_when_there_is():
    found = next_action(state(m.Strategy(), lacking="16 rollouts are on their way"), NOW)
    assert (found.verb, found.paused_for) == ("pause", "limit") and "16 rollouts" in found.message
    waiting = paused(found, strategy=m.Strategy(), lacking="15 rollouts are on their way")
    assert next_action(waiting, NOW).verb == "wait-for-turn"
    assert next_action(paused(found, strategy=m.Strategy()), NOW).verb == "open"


def test_a_wave_that_gets_nowhere_is_put_back():
    plan = m.Strategy(progress_deadline_seconds=60, settle_seconds=0)
    applied = {"one": namespace("one", "Applied")}

    def verb(seconds, **status):
        look = analysis("Running", **status)
        given = state(plan, waves_started=1, namespaces=applied, analyses={0: look})
        return next_action(given, NOW + timedelta(seconds=seconds))

    assert verb(59).verb == "analyze"
    late = verb(60)
    assert (late.verb, late.reason) == ("rollback", "ProgressDeadlineExceeded")
    assert "wave 0 made no progress for 60 s, since 2026-01-01 00:00:00 UTC" in late.message
    assert verb(100, progressed_at=NOW + timedelta(seconds=50)).verb == "analyze"
    judged = state(plan, waves_started=1, namespaces=applied, analyses={0: analysis("Successful")})
    assert next_action(judged, NOW + HOUR).verb == "promote"


def test_waiting_for_a_look_that_is_planned_is_no_lack_of_progress():
    probe = m.ProbeSpec(name="p", source="a/a", destination="b/b", port=1)
    plan = m.Strategy(
        progress_deadline_seconds=60, analysis=m.Analysis(interval_seconds=3600, probes=[probe])
    )
    spec = m.WaveAnalysisSpec(
        rollout="shop-r",
        wave=0,
        since=NOW,
        probes=[
            m.WaveProbe(name="p", role="declared", source="a/a", destination="b/b", port=1, expect="reach")
        ],
    )
    obj = new("WaveAnalysis", "shop-r-0", "np", spec)
    obj["status"] = {"phase": "Running"}
    given = state(
        plan, waves_started=1, namespaces={"one": namespace("one", "Applied")}, analyses={0: load(obj)}
    )
    assert next_action(given, NOW + timedelta(seconds=3000)).verb == "wait"
    assert next_action(given, NOW + timedelta(seconds=3606)).verb == "analyze"
    assert next_action(given, NOW + timedelta(seconds=3700)).verb == "rollback"


def test_waiting_for_a_window_or_for_room_warns_nobody():
    closed = next_action(state(), NOW)
    queued = next_action(state(m.Strategy(), lacking="at most 1 rollout at once"), NOW)
    assert [severity("Paused", a.reason) for a in (closed, queued)] == ["info", "info"]
    assert severity("Paused", "Inconclusive") == "warning"
