"""Many rollouts: what is searched for is found, rates and latencies are counted, over time."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from orchestrator.errors import BadInput
from orchestrator.record.drawings.trend import latency_svg, outcomes_svg
from orchestrator.record.search import Search, found
from orchestrator.record.summary import entry, rates, spread, summary

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)


@pytest.fixture
def one(played):
    """A rollout that was rolled back, as an entry that began a day ago."""
    made = entry(played["breaks-checkout"].rollout)
    return replace(made, started_at=NOW - timedelta(days=1), ended_at=NOW - timedelta(days=1))


def test_an_entry_tells_how_long_things_took(played):
    bad, good = entry(played["breaks-checkout"].rollout), entry(played["good-change"].rollout)
    assert bad.phase == "RolledBack" and bad.namespaces == ("payments", "web") and bad.verified == "True"
    assert bad.noticed_seconds == pytest.approx(25.1) and bad.restored_seconds == pytest.approx(0.04)
    assert bad.lead_seconds is None and bad.waited_seconds == 0
    assert good.seconds == pytest.approx(195.56)
    assert good.actors == () and good.reason.startswith("every wave")


@pytest.mark.parametrize(
    ("told", "reason"),
    [("Regression", r) for r in ("ObserverLost", "ProgressDeadlineExceeded", "EngineLost")]
    + [("WaveStarted", "BreakGlass")],
)
def test_whatever_opened_a_wave_and_brought_the_rollback_about_was_noticed(played, told, reason):
    rollout = played["breaks-checkout"].rollout
    moved = [
        t.model_copy(update={"reason": reason}) if t.reason == told else t for t in rollout.status.transitions
    ]
    status = rollout.status.model_copy(update={"transitions": moved})
    assert entry(replace(rollout, status=status)).noticed_seconds == pytest.approx(25.1)


def test_the_lead_time_counts_from_the_commit_unless_it_claims_the_future(played):
    rollout = played["good-change"].rollout

    def committed(moment):
        spec = rollout.spec.model_copy(update={"committed_at": moment})
        return entry(replace(rollout, spec=spec)).lead_seconds

    began = rollout.status.started_at
    assert committed(began - timedelta(hours=1)) == pytest.approx(3600 + 195.56)
    assert committed(began + timedelta(hours=1)) is None and committed(None) is None


@pytest.mark.parametrize(
    ("search", "matches"),
    [
        (Search(), True),
        (Search(source="shop"), True),
        (Search(source="other"), False),
        (Search(namespace="pay*"), True),
        (Search(namespace="payment"), False),
        (Search(person="DEMO@netpol"), True),
        (Search(person="eve"), False),
        (Search(outcome="rolled-back"), True),
        (Search(outcome="RolledBack"), True),
        (Search(outcome="running"), False),
        (Search(since=NOW - timedelta(days=2)), True),
        (Search(since=NOW - timedelta(hours=1)), False),
        (Search(source="shop", outcome="failed"), False),
    ],
)
def test_everything_that_is_searched_for_must_hold(one, search, matches):
    assert bool(found([one], search)) is matches


def test_a_commit_is_found_by_its_beginning(one):
    assert found([one], Search(commit=one.revision[:7].upper())) == [one]
    assert found([one], Search(commit="0" * 12)) == []


def test_a_running_rollout_is_recent_however_old_and_the_newest_comes_first(one):
    old = replace(one, name="old", phase="Paused", started_at=NOW - timedelta(days=90), ended_at=None)
    recent = found([old, one], Search(since=NOW - timedelta(days=3)))
    assert [e.name for e in recent] == [one.name, "old"]


def test_an_unknown_outcome_is_said():
    with pytest.raises(BadInput, match="fine is no outcome; take one of succeeded"):
        Search(outcome="fine")


def test_rates_leave_out_what_decided_nothing(one):
    phases = ["Succeeded"] * 3 + ["RolledBack", "Superseded", "Paused"]
    counted = rates(replace(one, phase=p) for p in phases)
    assert (counted.total, counted.succeeded, counted.superseded, counted.running) == (6, 3, 1, 1)
    assert counted.share(counted.rolled_back) == 0.25 and rates([]).share(0) is None


def test_percentiles_are_values_that_occurred():
    middle = spread([3.0, None, 1.0, 2.0, 100.0])
    assert (middle.count, middle.median, middle.ninth, middle.longest) == (4, 2.0, 100.0, 100.0)
    assert spread([None]) is None


@pytest.mark.parametrize(("days", "size"), [(10, 1), (200, 7), (2000, 28)])
def test_buckets_are_days_weeks_or_four_weeks_without_holes(one, days, size):
    many = [replace(one, started_at=NOW - timedelta(days=n)) for n in range(0, days, 3)]
    made = summary(many, NOW).buckets
    assert {b.end - b.start for b in made} == {timedelta(days=size)} and len(made) <= 60
    assert all(a.end == b.start for a, b in pairwise(made))
    assert made[-1].start <= NOW < made[-1].end
    if days < 1000:
        assert sum(b.rates.total for b in made) == len(many)


def test_trends_are_drawings_that_say_their_numbers(one):
    many = [replace(one, started_at=NOW - timedelta(days=n), lead_seconds=n * 600.0) for n in range(20)]
    many += [replace(e, phase="Succeeded") for e in many] + [replace(many[0], phase="Failed")]
    made = summary(many, NOW).buckets
    bars = ET.fromstring(outcomes_svg(made))
    assert bars.find("{*}desc").text == "20 succeeded, 20 rolled back, 1 failed."
    for which, told in (("lead", "the longest 3.17 h."), ("restored", "the longest 0.04 s.")):
        assert ET.fromstring(latency_svg(made, which)).find("{*}desc").text == f"41 times, {told}"
    for svg in (outcomes_svg(()), latency_svg((), "lead")):
        assert "No" in ET.fromstring(svg).find("{*}desc").text
