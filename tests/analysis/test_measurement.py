"""Numbers become verdicts, and no data is never a success."""

import math
from datetime import UTC, datetime

import pytest

from orchestrator.analysis.measurement import Reading, measure
from orchestrator.analysis.probe_answers import Judgement
from orchestrator.analysis.queries.query import resolve
from orchestrator.analysis.verdict import verdict
from orchestrator.rollout.resources.model import Analysis, MeasurementRecord, MetricSpec

NOTHING = Judgement()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
VOLUME = MetricSpec(name="volume", kind="volume", query="q", min_ratio=0.5)


def phase(spec, before, now, controls=()):
    return measure(spec, "a", Reading(before), Reading(now), controls).phase


def test_a_series_that_is_gone_after_the_change_is_a_regression():
    assert phase(VOLUME, {"a": 10}, {}) == "Failed"
    assert phase(VOLUME, {"a": 10, "c": 5}, {"c": 5}, ("c",)) == "Failed"


def test_a_series_that_the_controls_lose_as_well_is_inconclusive():
    assert phase(VOLUME, {"a": 10, "c": 5}, {}, ("c",)) == "Inconclusive"


@pytest.mark.parametrize("nothing", [{}, {"a": math.nan}])
def test_no_data_at_all_is_inconclusive(nothing):
    assert phase(VOLUME, nothing, nothing) == "Inconclusive"


def test_a_fall_that_the_controls_share_is_the_time_of_day():
    assert phase(VOLUME, {"a": 100, "c": 100}, {"a": 40, "c": 40}, ("c",)) == "Successful"
    assert phase(VOLUME, {"a": 100, "c": 100}, {"a": 40, "c": 100}, ("c",)) == "Failed"
    assert phase(VOLUME, {"a": 100}, {"a": 40}) == "Failed"


def test_thresholds_hold_whatever_the_controls_do():
    spec = MetricSpec(name="errors", kind="ratio", maximum=0.05)
    assert phase(spec, {"a": 0.2, "c": 0.2}, {"a": 0.2, "c": 0.2}, ("c",)) == "Failed"
    low = MetricSpec(name="low", minimum=3)
    assert phase(low, {"a": 5}, {"a": 2}) == "Failed"


def test_an_increase_is_compared_with_that_of_the_controls():
    spec = MetricSpec(name="errors", kind="ratio", max_increase=0.01)
    assert phase(spec, {"a": 0.01, "c": 0.01}, {"a": 0.05, "c": 0.05}, ("c",)) == "Successful"
    assert phase(spec, {"a": 0.01, "c": 0.01}, {"a": 0.05, "c": 0.01}, ("c",)) == "Failed"


def test_too_few_samples_are_inconclusive():
    spec = MetricSpec(name="errors", kind="ratio", maximum=1, min_samples=10)
    reading = Reading({"a": 0.0}, {"a": 3})
    assert measure(spec, "a", reading, reading, ()).phase == "Inconclusive"


def test_a_template_takes_one_query_for_a_wave_or_one_a_namespace():
    assert resolve('x{n=~"$namespaces"}[$window]', ["a-b", "c"], 60) == ['x{n=~"a-b|c"}[60s]']
    assert resolve('x{n="$namespace"}', ["a", "c"], 60) == ['x{n="a"}', 'x{n="c"}']


def kept(metric, what, second=0, namespace="a"):
    return MeasurementRecord(
        metric=metric, namespace=namespace, time=NOW.replace(second=second), phase=what, message=metric
    )


def test_a_wave_is_good_only_with_every_required_measurement():
    plan = Analysis(count=2, metrics=[VOLUME])
    assert verdict(plan, [kept("volume", "Successful")], NOTHING, 1)[0] == "Running"
    assert verdict(plan, [kept("volume", "Successful")], NOTHING, 2)[0] == "Successful"
    assert verdict(plan, [], NOTHING, 2)[0] == "Inconclusive"
    assert verdict(plan, [kept("volume", "Successful"), kept("volume", "Inconclusive", 1)], NOTHING, 2)[
        0
    ] == ("Inconclusive")


def test_the_limits_count_looks_not_namespaces():
    plan = Analysis(count=3, failure_limit=1, error_limit=1, metrics=[VOLUME])
    one = [kept("volume", "Failed"), kept("volume", "Failed", 0, "b")]
    assert verdict(plan, one, NOTHING, 1)[0] == "Running"
    assert verdict(plan, [*one, kept("volume", "Failed", 5)], NOTHING, 2)[0] == "Failed"
    errors = [kept("volume", "Error", s) for s in (1, 2)]
    assert verdict(plan, errors, NOTHING, 2)[0] == "Error"


def test_a_lost_scrape_is_said_to_be_one():
    plan = Analysis(metrics=[VOLUME, MetricSpec(name="scrape", kind="scrape", query="up")])
    said = verdict(plan, [kept("volume", "Failed"), kept("scrape", "Failed")], NOTHING, 1)
    assert said == ("Failed", "the change cuts off the observer: scrape")


def test_a_dry_run_metric_is_recorded_and_decides_nothing():
    tried = VOLUME.model_copy(update={"name": "tried", "dry_run": True})
    plan = Analysis(count=1, metrics=[VOLUME, tried])
    good = [kept("volume", "Successful"), kept("tried", "Failed")]
    assert verdict(plan, good, NOTHING, 1)[0] == "Successful"
    assert verdict(plan, [kept("tried", "Failed")], NOTHING, 1)[0] == "Inconclusive"


def test_a_sequential_alarm_is_believed_at_once_whatever_the_failure_limit():
    counted = VOLUME.model_copy(update={"test": "sequential"})
    alarm = [kept("volume", "Failed")]
    assert verdict(Analysis(failure_limit=3, metrics=[counted]), alarm, NOTHING, 1)[0] == "Failed"
    assert verdict(Analysis(failure_limit=3, metrics=[VOLUME]), alarm, NOTHING, 1)[0] == "Running"


def test_a_wave_waits_for_enough_evidence_up_to_its_limit_and_then_pauses():
    counted = VOLUME.model_copy(update={"test": "sequential"})
    plan = Analysis(count=1, limit_seconds=600, metrics=[counted])
    few = [kept("volume", "Running")]
    assert verdict(plan, few, NOTHING, 5, waited=599)[0] == "Running"
    assert verdict(plan, few, NOTHING, 5, waited=600)[0] == "Inconclusive"
    assert verdict(plan, [*few, kept("volume", "Successful", 1)], NOTHING, 6, waited=600)[0] == "Successful"


def test_without_a_measurement_and_without_an_expected_answer_nothing_is_good():
    assert verdict(Analysis(count=1), [], NOTHING, 1, probes=True)[0] == "Inconclusive"
    assert verdict(Analysis(count=1), [], NOTHING, 1)[0] == "Successful"  # nothing was asked for
    idle = Analysis(count=1, metrics=[VOLUME], on_no_traffic="probes")
    assert verdict(idle, [], Judgement(agreed=3), 1, probes=True)[0] == "Successful"
    assert verdict(idle, [], NOTHING, 1, probes=True)[0] == "Inconclusive"


def test_a_lost_way_of_seeing_is_named_before_everything_else():
    plan = Analysis(count=1, metrics=[VOLUME])
    said = verdict(plan, [kept("volume", "Failed")], NOTHING, 1, lost=["pods no longer Ready: a/x"])
    assert said == ("Failed", "the change cuts off the observer: pods no longer Ready: a/x")


def test_without_the_past_that_a_limit_compares_with_nothing_is_good():
    before, now = Reading(broken={"a": "HTTP 503"}), Reading({"a": 10.0})
    assert measure(VOLUME, "a", before, now, ()).phase == "Error"
    held = MetricSpec(name="x", query="q", maximum=20)
    assert measure(held, "a", before, now, ()).phase == "Successful"
    low = VOLUME.model_copy(update={"minimum": 11})
    assert measure(low, "a", before, now, ()).phase == "Failed"
