"""A wave is watched on a grid of times; whatever cannot be read is never a success."""

import math
from datetime import timedelta

import pytest
from faulty_port import FaultyPort, just_before
from stage import SPACES, Stage, check, work

from orchestrator.errors import MetricError, Refused
from orchestrator.ports import Kind, ProbeResult, Sample
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

VOLUME = m.MetricSpec(name="requests", kind="volume", query='q{n=~"$namespaces"}', min_ratio=0.5)
RATIO = m.MetricSpec(name="errors", kind="ratio", errors="e", total="t", maximum=0.1)


class Numbers:
    """Answers every query with the same number for each namespace, or as `answer` says.

    The first `good` questions, before anything is written, are answered well.
    """

    def __init__(self, answer=lambda expression, at: 100.0, good=1):
        self.answer, self.good, self.asked = answer, good, []

    def query(self, expression, at):
        self.asked.append((expression, at))
        value = self.answer(expression, at) if len(self.asked) > self.good else 100.0
        if isinstance(value, list):
            return value
        return [Sample({"namespace": n}, value, at) for n in SPACES]


def stage(answer=None, metric=VOLUME, **analysis):
    good = 2 if metric.kind == "ratio" else 1
    numbers = Numbers(answer, good) if answer else Numbers()
    return Stage(metrics=numbers, analysis={"metrics": [metric], **analysis}, deadline_seconds=3600)


def analyses(found):
    kind = Kind(m.API_VERSION, "WaveAnalysis")
    return [load(o) for o in found.cluster.list(kind, "netpol-canary")]


def test_every_measurement_keeps_its_query_its_value_and_its_time():
    found = stage()
    check(found, {}, work(found.context(), "w"))
    (first, _) = analyses(found)
    assert [(r.namespace, r.phase, r.value) for r in first.status.measurements] == [
        ("cart", "Successful", 100.0)
    ] * 2
    assert first.status.measurements[0].query == 'q{n=~"cart"}'


class Holding:
    """Answers as expected, and says that every connection that was kept open broke."""

    def __init__(self):
        self.standing = {}

    def run(self, probes):
        return [ProbeResult(p, p.reachable) for p in probes]

    def hold(self, probes, key):
        self.standing[key] = probes

    def held(self, key):
        return [ProbeResult(p, False) for p in self.standing.get(key, ())]

    def release(self, key):
        self.standing.pop(key, None)


def test_what_became_of_kept_connections_outlives_a_crash_before_it_is_written():
    found = stage()
    found.prober = Holding()
    answered = lambda call: call.obj["status"].get("probedAt")  # noqa: E731
    dies = just_before(KeyboardInterrupt, "replace_status", kind="WaveAnalysis", where=answered, at=1)
    with pytest.raises(KeyboardInterrupt):
        work(found.context(FaultyPort(found.cluster, dies)), "first")
    assert dies.met and found.prober.standing
    work(found.context(), "second")
    (first, *_) = analyses(found)
    assert {r.observed for r in first.status.probes if r.when == "longLived"} == {"blocked"}
    assert not found.prober.standing


def test_one_query_serves_a_whole_wave():
    found = stage()
    work(found.context(), "w")
    assert 'q{n=~"pay|web"}' in {q for q, _ in found.metrics.asked}


@pytest.mark.parametrize(
    ("answer", "phase", "said"),
    [
        (lambda q, at: (_ for _ in ()).throw(MetricError("HTTP 503")), "Paused", "HTTP 503"),
        (lambda q, at: math.nan, "Paused", "no data"),
        (lambda q, at: [], "Paused", "no data"),
        (lambda q, at: [Sample({"namespace": "cart"}, 1.0, at)] * 2, "Paused", "several series for cart"),
    ],
)
def test_what_cannot_be_read_pauses(answer, phase, said):
    found = stage(answer, error_limit=0)
    status = work(found.context(), "w").rollout.status
    assert (status.phase, status.paused_for) == (phase, "inconclusive") and said in status.reason


def test_a_fall_in_requests_rolls_back():
    start = Stage().clock.now()

    def answer(query, at):
        return 100.0 if at - start < timedelta(seconds=5) else 10.0

    found = stage(answer)
    before = found.standing()
    status = work(found.context(), "w").rollout.status
    assert status.phase == "RolledBack"
    assert "requests in cart: expected at least 50 % of 100, seen 10" in status.reason
    assert found.standing() == before


@pytest.mark.parametrize(
    ("errors", "total", "phase"),
    [([], 100.0, "Succeeded"), (20.0, 100.0, "RolledBack"), ([], [], "Paused"), (0.0, 0.0, "Paused")],
)
def test_a_ratio_of_nothing_to_something_is_zero_and_of_nothing_to_nothing_is_no_data(errors, total, phase):
    found = stage(lambda q, at: errors if q == "e" else total, RATIO)
    assert work(found.context(), "w").rollout.status.phase == phase


def test_after_a_restart_the_same_times_are_measured():
    whole, cut = stage(), stage()
    work(whole.context(), "w")
    looks = []

    def stop():
        looks.append(1)
        return len(analyses(cut)) == 1 and len(analyses(cut)[0].status.measurements) == 1

    work(cut.context(), "first", stop=stop)
    cut.clock.sleep(333)
    work(cut.context(), "second")

    def times(found):
        (first, _) = analyses(found)
        return [r.time - first.spec.since for r in first.status.measurements]

    assert times(whole) == times(cut)


def test_an_inconclusive_wave_starts_over_when_a_person_says_so():
    broken = [True]
    found = stage(lambda q, at: math.nan if broken[0] else 100.0)
    state = work(found.context(), "w")
    assert state.rollout.status.paused_for == "inconclusive"
    broken[0] = False
    fresh = found.cluster.get(Kind(m.API_VERSION, "PolicyRollout"), state.rollout.name, "netpol-canary")
    fresh["metadata"]["annotations"] = {"netpol-canary.dev/request": "resume/1/eve"}
    found.cluster.replace(fresh)
    check(found, {}, work(found.context(), "w"))


@pytest.mark.parametrize("answer", [lambda q, at: [], lambda q, at: math.nan])
def test_a_source_whose_queries_return_nothing_is_refused_before_anything_is_written(answer):
    found = stage()
    found.metrics.answer, found.metrics.good = answer, 0
    with pytest.raises(Refused, match="nothing could be judged: the metric requests"):
        work(found.context(), "w")
    assert not found.cluster.list(Kind(m.API_VERSION, "PolicyRollout"), "netpol-canary")


def test_where_probes_may_decide_instead_silence_is_no_reason_to_refuse():
    found = stage(on_no_traffic="probes")
    found.metrics.answer, found.metrics.good = (lambda q, at: []), 0
    assert work(found.context(), "w").rollout.status.phase != "Pending"
