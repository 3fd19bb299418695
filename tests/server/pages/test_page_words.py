"""How the pages put things: times, headlines, answers."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.record.view import Cell, WaveView
from orchestrator.server.pages.now_page import headline
from orchestrator.server.pages.read import Seen
from orchestrator.server.pages.render import ago, duration, figure, lines, moment
from orchestrator.server.pages.why_page import answer, broken, steps, times

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.04, "0.04 s"),
        (12, "12 s"),
        (119, "119 s"),
        (200, "3 min"),
        (7500, "2 h 5 min"),
        (86400, "24 h"),
        (864000, "10 days"),
    ],
)
def test_durations_are_short(seconds, said):
    assert duration(seconds) == said


def test_figures_have_three_digits_that_matter():
    values = (None, float("nan"), 0.0, 0.21162, 12.3456, 1780.4)
    assert [figure(v) for v in values] == ["–", "–", "0", "0.212", "12.3", "1780"]


def test_times_are_told_from_now():
    assert ago(T - timedelta(seconds=2), T) == "just now"
    assert ago(T - timedelta(minutes=4), T) == "4 min ago"
    assert ago(T - timedelta(days=5), T) == "24 Feb 12:00"
    assert ago(T - timedelta(days=500), T) == "17 Oct 2024"
    assert moment(T, T) == "12:00:00" and moment(T - timedelta(days=1), T) == "28 Feb 12:00:00"


def test_a_diff_keeps_its_lines_and_loses_its_file_names():
    assert lines("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same") == [
        ("at", "@@ -1 +1 @@"),
        ("del", "-old"),
        ("add", "+new"),
        ("ctx", " same"),
    ]


@pytest.mark.parametrize(
    ("given", "state", "said"),
    [
        ({"phase": "RollingBack"}, "running", "It is being rolled back now"),
        (
            {"phase": "RolledBack", "restored_seconds": 2.0, "verified": "True"},
            "good",
            "restored in 2 s, and verified",
        ),
        ({"phase": "RolledBack", "verified": "Unknown"}, "waiting", "Everything was restored"),
        ({"phase": "RolledBack", "verified": "False"}, "bad", "yet connections differ"),
        ({"phase": "Failed", "reason": "two left"}, "bad", "Not everything could be restored"),
        ({"phase": "Paused", "paused_for": "drift", "waits_for": "a person"}, "waiting", "It stands still"),
        ({"phase": "Succeeded"}, "good", "Nothing was rolled back"),
    ],
)
def test_the_first_answer_of_a_rollback(view, given, state, said):
    found = answer(view(**given))
    assert found[0] == state and said in found[1]
    assert steps(view(**given))


def test_times_of_a_rollback_are_those_of_the_wave_that_went_wrong(view):
    def wave(number, state, at):
        return WaveView(number, "", state, "Pending", "", (Cell("a", number, "Restored", applied_at=at),))

    waves = (wave(0, "undone", T), wave(1, "bad", T + timedelta(minutes=2)))
    found = times(
        view(
            waves=waves,
            detected_at=T + timedelta(minutes=3),
            restored_at=T + timedelta(minutes=4),
            restored_seconds=60.0,
        )
    )
    assert [(word, more) for word, _, more in found][1:] == [
        ("Detected", "60 s later"),
        ("Rolled back", "60 s after detection"),
    ]
    assert found[0][1] == T + timedelta(minutes=2)


def test_what_broke_has_its_first_part_first(view):
    assert broken(view(), {"detected": "errors in a; requests in b"}) == ["errors in a", "requests in b"]
    assert broken(view(reason="because"), {}) == ["because"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "Nothing is being rolled out"),
        (("approval",), "One rollout waits for somebody"),
        (("approval", "drift", "", ""), "Two rollouts wait for somebody, 2 are under way"),
        (("approval", "window"), "One rollout waits for somebody, 1 waits for a better time"),
        (("limit",), "One rollout waits for a better time"),
        (("",), "One rollout is under way"),
    ],
)
def test_now_is_told_in_one_sentence(view, given, said):
    seen = [
        Seen(None, view(phase="Paused" if reason else "Progressing", paused_for=reason)) for reason in given
    ]
    assert headline(seen) == said
