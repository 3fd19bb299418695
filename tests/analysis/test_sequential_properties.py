"""What holds of the evidence for any counts: peeking, order, more errors, no data, restarts."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.analysis.sequential.alarm import Counts, alarm_at, verdict_of
from orchestrator.analysis.sequential.counters import increments
from orchestrator.analysis.sequential.streams import ratio_evidence, volume_evidence
from orchestrator.ports import Sample

pytestmark = pytest.mark.exhaustive

START, STEP, BEFORE, AFTER = datetime(2026, 1, 1, tzinfo=UTC), 15, 9, 6
ALARM = alarm_at(streams=2, waves=1, alpha=0.05)
CHECKED = settings(max_examples=60)


def increment_lists(length, most=300):
    """Increments of one series, None where it was not scraped."""
    value = st.one_of(st.none(), st.integers(0, most).map(float))
    return st.lists(value, min_size=length, max_size=length).map(tuple)


@st.composite
def counts(draw, length, shortest=None):
    """Requests, and errors among them."""
    total = draw(increment_lists(length))
    errors = tuple(draw(st.one_of(st.none(), st.integers(0, int(t or 0)).map(float))) for t in total)
    return Counts(errors, total)


@st.composite
def scenes(draw):
    """Own counts before and after a change, and the controls', or None twice."""
    own = (draw(counts(BEFORE)), draw(counts(AFTER)))
    if draw(st.booleans()):
        return (*own, draw(counts(BEFORE)), draw(counts(AFTER)))
    return (*own, None, None)


def until(part, look):
    return part if part is None else Counts(part.errors[:look], part.total[:look])


def both(before, after, controls_before, controls_after):
    """The evidence of both metrics."""
    volumes = (part and part.total for part in (before, after, controls_before, controls_after))
    return {
        "errors": ratio_evidence(
            before, after, controls_before, controls_after, tolerance=0.5, alarm_at=ALARM
        ),
        "requests": volume_evidence(*volumes, min_ratio=0.6, alarm_at=ALARM),
    }


@CHECKED
@given(scenes(), st.integers(1, AFTER - 1))
def test_a_look_says_the_same_whether_or_not_others_follow(scene, look):
    before, after, controls_before, controls_after = scene
    whole = both(*scene)
    early = both(before, until(after, look), controls_before, until(controls_after, look))
    for name, found in early.items():
        for now, later in zip(found.path, whole[name].path[:look], strict=True):
            assert math.isclose(now, later, abs_tol=1e-9)


@CHECKED
@given(scenes(), st.sets(st.integers(1, AFTER), min_size=1))
def test_peeking_at_any_subset_of_looks_never_alarms_where_looking_at_all_does_not(scene, looks):
    before, after, controls_before, controls_after = scene
    peeked = [
        verdict_of(both(before, until(after, n), controls_before, until(controls_after, n)), 0.05, 1)
        for n in looks
    ]
    full = verdict_of(both(*scene), 0.05, 1)
    assert max(v.log_e for v in peeked) <= full.log_e + 1e-9
    assert full.alarm or not any(v.alarm for v in peeked)


@CHECKED
@given(scenes(), st.integers(0, AFTER - 1), st.integers(1, 50))
def test_more_errors_never_lower_the_evidence(scene, where, more):
    before, after, *controls = scene
    requests = after.total[where] or 0.0
    raised = list(after.errors)
    raised[where] = min((raised[where] or 0.0) + more, requests)
    worse = Counts(tuple(raised), after.total)
    paths = [both(before, part, *controls)["errors"].path for part in (after, worse)]
    assert all(low <= high + 1e-9 for low, high in zip(*paths, strict=True))


@CHECKED
@given(scenes(), st.integers(0, AFTER - 1), st.integers(1, 300))
def test_fewer_requests_never_lower_the_evidence_that_they_are_gone(scene, where, fewer):
    before, after, *controls = scene
    if after.total[where] is None:
        return
    left = list(after.total)
    left[where] = max(left[where] - fewer, 0.0)
    paths = [
        both(before, Counts((None,) * AFTER, part), *controls)["requests"].path
        for part in (after.total, tuple(left))
    ]
    assert all(low <= high + 1e-9 for low, high in zip(*paths, strict=True))


@CHECKED
@given(scenes(), st.sampled_from([None, 0.0]))
def test_no_data_never_gives_enough_to_promote(scene, nothing):
    before, after, *controls = scene
    empty = Counts((nothing,) * AFTER, (nothing,) * AFTER)
    assert not both(before, empty, *controls)["errors"].enough
    missing = Counts((None,) * AFTER, (None,) * AFTER)
    assert not any(e.enough or e.peak > 0 for e in both(before, missing, *controls).values())
    bare = Counts((nothing,) * BEFORE, (nothing,) * BEFORE)
    assert not any(e.enough or e.peak > 0 for e in both(bare, after, *controls).values())


@CHECKED
@given(scenes())
def test_evidence_is_always_a_number(scene):
    for found in both(*scene).values():
        assert all(math.isfinite(x) for x in (*found.path, found.expected, found.seen, found.exposure))
        assert found.log_e == found.path[-1]
        assert found.peak == max(found.path)


def scraped(values, pod):
    """The samples of a pod's counter that grows by these values; None is a lost scrape."""
    total = 0.0
    for slot, value in enumerate([0.0, *values]):
        total += value or 0.0
        if value is not None:
            time = START + timedelta(seconds=STEP * slot)
            yield Sample({"namespace": "shop", "pod": pod}, total, time)


@CHECKED
@given(st.lists(increment_lists(BEFORE + AFTER), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_a_restart_and_the_order_of_arrival_change_no_evidence(pods, random):
    samples = [s for pod, values in enumerate(pods) for s in scraped(values, str(pod))]
    again = [*samples, *samples[:3]]
    random.shuffle(again)

    def answer(found):
        grown = increments(found, START, STEP, BEFORE + AFTER)["shop"]
        return volume_evidence(grown[:BEFORE], grown[BEFORE:], None, None, min_ratio=0.6, alarm_at=ALARM)

    assert answer(again) == answer(samples)
