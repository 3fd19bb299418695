"""Whether a deadline has passed, though wall clocks were set."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rollout.test_next import NOW, analysis, namespace, rollout

from orchestrator.rollout.expiry import believed
from orchestrator.rollout.next import State, next_action
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.state import Watched

LIMIT = 300
LATER = NOW + timedelta(seconds=LIMIT + 100)
PLANNED = NOW - timedelta(seconds=20)


def moved(*seconds, reason="WaveStarted"):
    """Transitions at seconds after NOW."""
    rest = [
        m.Transition(time=NOW + timedelta(seconds=s), phase="Progressing", reason=reason, actor="a")
        for s in seconds
    ]
    return [m.Transition(time=PLANNED, phase="Progressing", reason="Planned", actor="a"), *rest]


def written(transitions, created=PLANNED, watched=None):
    """A wave that was written at NOW and is due to be looked at."""
    plan = m.Strategy(progress_deadline_seconds=LIMIT, settle_seconds=60)
    found = rollout(phase="Progressing", waves_started=1, strategy=plan, transitions=transitions)
    found.manifest["metadata"]["creationTimestamp"] = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    spaces = {"one": namespace("one", "Applied")}
    return State(found, spaces, {0: analysis("Running")}, watched=watched)


def end(state, now=LATER):
    return next_action(state, now).reason


def test_who_only_looks_at_a_rollout_believes_its_times():
    assert end(written(moved(-5))) == "ProgressDeadlineExceeded"


def test_a_worker_that_has_just_come_believes_times_that_agree():
    found = next_action(written(moved(-5), watched=Watched()), LATER)
    assert found.reason == "ProgressDeadlineExceeded" and "since 2026-01-01 00:01:00" in found.message


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (written(moved(-5), watched=Watched(steady=False)), "its own clock was set"),
        (written(moved(-605), watched=Watched()), "a later transition is ten minutes older"),
        (written(moved(30), watched=Watched()), "the wave was written before it was opened"),
        (
            written(moved(-5), created=NOW + timedelta(seconds=60), watched=Watched()),
            "made before it was made",
        ),
    ],
)
def test_a_worker_believes_no_times_that_contradict_each_other(state, why):
    assert end(state) != "ProgressDeadlineExceeded", why
    assert not believed(state)
    seen = replace(state, watched=replace(state.watched, still=LIMIT - 1))
    assert end(seen) != "ProgressDeadlineExceeded"
    seen = replace(state, watched=replace(state.watched, still=LIMIT))
    found = next_action(seen, LATER)
    assert found.reason == "ProgressDeadlineExceeded" and "since" not in found.message


def test_what_was_watched_counts_however_far_a_wall_clock_is_behind():
    seen = Watched(still=LIMIT, steady=False)
    back = written(moved(-5), watched=seen)
    assert end(back, datetime(2020, 1, 1, tzinfo=UTC)) == "ProgressDeadlineExceeded"


def undecided(watched):
    clear = m.Transition(time=NOW, phase="Paused", reason="Inconclusive", actor="a")
    plan = m.Strategy(analysis=m.Analysis(inconclusive_seconds=600))
    found = rollout(
        phase="Paused",
        paused_for="inconclusive",
        waves_started=1,
        strategy=plan,
        transitions=[*moved(-5), clear],
    )
    return State(found, {"one": namespace("one", "Applied")}, {0: analysis("Inconclusive")}, watched=watched)


def test_people_have_their_whole_time_to_decide_though_a_clock_is_set_forward():
    late = NOW + timedelta(seconds=700)
    assert end(undecided(Watched(undecided=100, steady=False)), late) != "Undecided"
    assert end(undecided(Watched(undecided=600, steady=False)), NOW) == "Undecided"
    assert end(undecided(Watched(undecided=100)), late) == "Undecided"
