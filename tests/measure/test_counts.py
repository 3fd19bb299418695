"""Counters are judged sequentially: alarms at once, promotion only on enough evidence, nothing stored in between."""

from datetime import timedelta

import pytest
from counting import STEP, Counters
from stage import OWN, Stage, check, work

from orchestrator.context import ANALYSIS
from orchestrator.errors import MetricError
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

RATIO = m.MetricSpec(name="errors", kind="ratio", errors="e", total="t", test="sequential")
VOLUME = m.MetricSpec(name="requests", kind="volume", query="t", test="sequential")


def stage(metric, changed=(20.0, 0.02), **analysis):
    given = {
        "interval_seconds": STEP,
        "baseline_seconds": 600,
        "limit_seconds": 600,
        "count": 2,
        "probes": [],
    }
    found = Stage(analysis={**given, "metrics": [metric], **analysis}, deadline_seconds=3600)
    found.metrics = Counters(found, changed)
    return found


def measured(found, wave=0):
    status = min((load(o) for o in found.cluster.list(ANALYSIS, OWN)), key=lambda a: a.spec.wave).status
    return [r for r in status.measurements if r.namespace == "cart"]


@pytest.mark.parametrize("metric", [RATIO, VOLUME])
def test_traffic_as_before_is_promoted_once_enough_was_seen(metric):
    found = stage(metric)
    check(found, {}, work(found.context(), "w"))
    last = measured(found)[-1]
    assert last.phase == "Successful" and "evidence 1:" in last.message and last.query in ("e / t", "t")


def test_more_errors_than_own_past_and_tolerance_allow_roll_back_within_two_looks():
    found = stage(RATIO, (20.0, 0.5))
    before = found.standing()
    state = work(found.context(), "w")
    assert state.rollout.status.phase == "RolledBack" and found.standing() == before
    assert "errors in cart:" in state.rollout.status.reason
    assert "expected (baseline" in state.rollout.status.reason
    assert len(measured(found)) <= 2


def test_requests_that_vanish_roll_back():
    found = stage(VOLUME, (0.0, 0.0))
    state = work(found.context(), "w")
    assert state.rollout.status.phase == "RolledBack" and "requests in cart" in state.rollout.status.reason


@pytest.mark.parametrize("metric", [RATIO, VOLUME])
def test_counters_that_are_gone_after_the_change_roll_back(metric):
    found = stage(metric, None)
    state = work(found.context(), "w")
    assert state.rollout.status.phase == "RolledBack"
    assert "were there before the change and are gone after it" in state.rollout.status.reason


class Patchy(Counters):
    """Nothing is scraped for four intervals of six; nor for the first four after a change, or ever again."""

    def __init__(self, stage, back):
        super().__init__(stage)
        self._back, self._whole = back, False

    def query(self, expression, at):
        """The check before a rollout asks between two gaps."""
        self._whole = True
        try:
            return super().query(expression, at)
        finally:
            self._whole = False

    def _count(self, name, which, at):
        since = self.written.get(name)
        if self._whole:
            return super()._count(name, which, at)
        if since and at > since:
            silent = not self._back or at - since <= timedelta(seconds=4 * STEP)
        else:
            silent = int(at.timestamp() // STEP) % 6 < 4
        return None if silent else super()._count(name, which, at)


@pytest.mark.parametrize("metric", [RATIO, VOLUME])
@pytest.mark.parametrize("back", [True, False])
def test_scrapes_that_are_lost_as_they_were_before_the_change_are_no_regression_until_they_stay_away(
    metric, back
):
    found = stage(metric)
    found.metrics = Patchy(found, back)
    state = work(found.context(), "w")
    status = state.rollout.status
    if back:
        assert status.phase == "Succeeded", status.reason
        return
    assert status.phase == "RolledBack" and "are gone after it" in status.reason
    waited = [r for r in measured(found) if "nor for 4 intervals in a row before it" in r.message]
    assert len(waited) >= 2


def test_too_little_traffic_waits_up_to_the_limit_and_then_pauses():
    found = stage(RATIO.model_copy(update={"regression": 0.01}), limit_seconds=60)
    found.metrics = Counters(found, (0.2, 0.0), (0.2, 0.0))
    status = work(found.context(), "w").rollout.status
    assert (status.phase, status.paused_for) == ("Paused", "inconclusive")
    assert "not enough was seen in 60 s" in status.reason
    assert {r.phase for r in measured(found)} == {"Running"}


def test_a_namespace_without_a_past_has_nothing_to_be_compared_with():
    found = stage(RATIO, watch=["pay"])
    found.metrics = Counters(found, spaces=("pay",))
    status = work(found.context(), "w").rollout.status
    assert status.phase == "Paused" and "no data before the change" in status.reason


def test_a_dry_run_metric_is_counted_and_decides_nothing():
    found = stage(RATIO.model_copy(update={"dry_run": True}), (20.0, 0.5))
    found.metrics = Counters(found, (20.0, 0.5))
    state = work(found.context(), "w")
    assert state.rollout.status.phase != "RolledBack"
    assert measured(found)[-1].phase == "Failed"


def test_a_provider_that_knows_only_the_present_is_an_error():
    found = stage(RATIO, error_limit=0)

    def fail(expression, start, end, step):
        if end - start > timedelta(seconds=60):
            raise MetricError("it has no past")
        return []

    found.metrics.query_range = fail
    status = work(found.context(), "w").rollout.status
    assert status.phase == "Paused" and "it has no past" in status.reason


def test_a_restart_counts_the_same():
    whole, cut = (stage(RATIO, (20.0, 0.06)) for _ in range(2))
    work(whole.context(), "w")
    work(cut.context(), "first", stop=lambda: len(measured_or_none(cut)) == 1)
    cut.clock.sleep(123)
    work(cut.context(), "second")
    assert [(r.phase, r.value) for r in measured(whole)] == [(r.phase, r.value) for r in measured(cut)]


def measured_or_none(found):
    return measured(found) if found.cluster.list(ANALYSIS, OWN) else []
