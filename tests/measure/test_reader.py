"""Every kind of answer that docs/analysis.md names has the outcome that stands there, in a wave and before it."""

import json
import math
import re
from datetime import timedelta
from pathlib import Path

import pytest
from stage import SPACES, Stage, work

from orchestrator.adapters.http.client import Answer, Client
from orchestrator.adapters.metrics.prometheus import PrometheusSource
from orchestrator.context import ANALYSIS
from orchestrator.errors import MetricError, Refused
from orchestrator.measure.metric_history import history
from orchestrator.measure.strategy_check import answer, unanswered
from orchestrator.ports import Sample
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from orchestrator.sandbox.clock import START, SimulatedClock

DOCS = Path(__file__).parents[2] / "docs" / "analysis.md"
RATIO = m.MetricSpec(name="x", kind="ratio", errors="e", total="t", maximum=0.5)
VALUE = m.MetricSpec(name="x", query="q", maximum=500)
COUNT = m.MetricSpec(name="x", kind="volume", query="q", min_ratio=0.5)
VOLUME = m.MetricSpec(name="requests", kind="volume", query="v", min_ratio=0.5)


def rows():
    """The table: what is answered, what a wave takes it as, what the check before a rollout says."""
    lines = DOCS.read_text().split("| what is answered for a namespace |")[1].splitlines()[2:]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: (row[1], row[2]) for row in found[: next(i for i, line in enumerate(lines) if not line)]}


def partial(**more):
    """What a Prometheus says, as its adapter passes it on."""

    class Given(Client):
        def ask(self, method, path="", **asked):
            row = {"metric": {"namespace": "cart"}, "value": [1.0, "1"]}
            body = {"status": "success", "data": {"resultType": "vector", "result": [row]}}
            return Answer(200, {}, json.dumps({**body, **more}).encode())

    def ask(expression, at):
        return PrometheusSource(Given("http://p", MetricError), SimulatedClock()).query(expression, at)

    return ask


def fails(expression, at):
    raise MetricError("HTTP 503")


def late(expression, at):
    return [Sample({"namespace": n}, 1.0, at - timedelta(seconds=90)) for n in SPACES]


def labelled(*labels):
    return lambda expression, at: [Sample(each, 1.0, at) for each in labels]


MATRIX = {"resultType": "matrix", "result": [{"metric": {"namespace": "cart"}, "values": [[1.0, "1"]]}]}
# By row: the metric, what each query answers before the change and after it.
EXAMPLES = {
    "a number": (VALUE, {"q": 1.0}, {"q": 1.0}),
    "nothing, as before the change": (VALUE, {"q": None}, {"q": None}),
    "nothing, where there was a value before the change": (VALUE, {"q": 1.0}, {"q": None}),
    "no errors, and requests": (RATIO, {"e": None, "t": 9.0}, {"e": None, "t": 9.0}),
    "no requests, where there were some before the change": (RATIO, {"e": 0, "t": 9.0}, {"e": 0, "t": 0.0}),
    "no requests, where a volume says that nothing was lost": (
        RATIO,
        {"e": 0, "t": 9.0, "v": 5.0},
        {"e": 0, "t": 0.0, "v": 5.0},
    ),
    "NaN": (VALUE, {"q": 1.0}, {"q": math.nan}),
    "NaN, where a volume says that nothing was lost": (
        VALUE,
        {"q": 1.0, "v": 5.0},
        {"q": math.nan, "v": 5.0},
    ),
    "infinite": (VALUE, {"q": 1.0}, {"q": math.inf}),
    "a negative count": (COUNT, {"q": 1.0}, {"q": -1.0}),
    "more errors than requests, by over 5 %": (RATIO, {"e": 0, "t": 9.0}, {"e": 10.0, "t": 9.0}),
    "several series": (
        VALUE,
        {"q": 1.0},
        {"q": labelled(*({"namespace": n, "pod": p} for n in SPACES for p in "ab"))},
    ),
    "a sample without a namespace, where several were asked about": (
        VALUE,
        {"q": 1.0},
        {"q": labelled({"exported_namespace": "pay"}, {"namespace": "pay"}, {"namespace": "web"})},
    ),
    "samples of other namespaces alone": (VALUE, {"q": 1.0}, {"q": labelled({"namespace": "monitoring"})}),
    "a sample of another time, by over 60 s": (VALUE, {"q": 1.0}, {"q": late}),
    "a partial answer (`warnings`, `isPartial`)": (VALUE, {"q": 1.0}, {"q": partial(isPartial=True)}),
    "an answer of another type, such as a range": (VALUE, {"q": 1.0}, {"q": partial(data=MATRIX)}),
    "an error, or no answer in time": (VALUE, {"q": 1.0}, {"q": fails}),
    "an error for the time before the change, where a limit compares with it": (
        COUNT,
        {"q": fails},
        {"q": 1.0},
    ),
}


class Given:
    """Answers from the example's `before` up to a time, and from its `now` after it."""

    def __init__(self, before, now, until):
        self.sides, self.until = (before, now), until

    def query(self, expression, at):
        said = self.sides[at > self.until()].get(expression)
        if callable(said):
            return said(expression, at)
        return [] if said is None else [Sample({"namespace": n}, float(said), at) for n in SPACES]

    def query_range(self, expression, start, end, step):
        return self.query(expression, end)


def in_a_wave(metric, before, now):
    """The records of the first look of a wave over all namespaces, whatever the check before it says."""
    wanted = [metric, *([VOLUME] if "v" in before else [])]
    stage = Stage(analysis={"metrics": wanted, "probes": [], "watch": list(SPACES), "count": 1})
    start = stage.clock.now()
    fine = dict.fromkeys((*before, *now), 1.0)
    stage.metrics = Given(fine, fine, lambda: start)

    def since():
        found = [load(o) for o in stage.cluster.list(ANALYSIS, "netpol-canary")]
        return found[0].spec.since if found else stage.clock.now()

    given = Given(before, now, since)

    def begun(plan, name):
        return given if stage.cluster.list(ANALYSIS, "netpol-canary") else stage.metrics

    context = stage.context()
    object.__setattr__(context, "metrics", begun)
    work(context, "w", stop=lambda: any(a.status.checks for a in analyses(stage)))
    (first, *_) = analyses(stage)
    return [r for r in first.status.measurements if r.metric == metric.name and r.namespace == "cart"]


def analyses(stage):
    return [load(o) for o in stage.cluster.list(ANALYSIS, "netpol-canary")]


def test_every_row_has_an_example_and_every_example_a_row():
    assert rows().keys() == EXAMPLES.keys()


@pytest.mark.parametrize("row", EXAMPLES)
def test_a_wave_takes_each_answer_as_the_table_says(row):
    (record, *_) = in_a_wave(*EXAMPLES[row])
    wanted = re.split(r"\W", rows()[row][0])[0]
    assert record.phase == ("Successful" if wanted == "judged" else wanted), record.message


@pytest.mark.parametrize("row", EXAMPLES)
def test_the_check_before_a_rollout_says_what_the_table_says(row):
    metric, _, now = EXAMPLES[row]
    source, plan = Given(now, now, lambda: START), m.Analysis(metrics=[metric])
    found = answer(lambda plan, name: source, plan, metric, SPACES, START)
    said = rows()[row][1]
    assert bool(found.problems) == (not said.startswith("fine"))
    refused = unanswered(lambda plan, name: source, plan, SPACES, START)
    nothing = all(v is None for v in now.values())
    assert bool(refused) == (
        said == "refused" or (said.startswith("refused") and nothing) or not (found.values or found.of)
    )
    assert bool(found.notes) == said.endswith("with a note")


def test_half_of_all_requests_fail_and_the_errors_name_no_namespace():
    """The rollout is refused, or pauses where its check was before; it never succeeds."""
    for label in ("", "exported_namespace"):
        labels = [{label: n} if label else {} for n in SPACES]
        broken = {"e": labelled(*labels), "t": 9.0}
        stage = Stage(analysis={"metrics": [RATIO], "probes": []})
        stage.metrics = Given(broken, broken, stage.clock.now)
        with pytest.raises(Refused, match="without a namespace label"):
            work(stage.context(), "w")
        fine = {"e": 0.0, "t": 9.0}
        (record,) = in_a_wave(RATIO, fine, broken)
        assert record.phase == "Error" and "without a namespace label" in record.message


def test_errors_under_the_scrapers_namespace_are_not_no_errors():
    stage = Stage(analysis={"metrics": [RATIO], "probes": []})
    wrong = {"e": labelled({"namespace": "monitoring"}), "t": 9.0}
    stage.metrics = Given(wrong, wrong, stage.clock.now)
    with pytest.raises(Refused, match="the answer is about monitoring"):
        work(stage.context(), "w")


def test_a_sample_without_a_namespace_is_that_of_the_one_that_was_asked_about():
    each = m.MetricSpec(name="x", query="q-$namespace")
    source = Given({}, {}, lambda: START)
    source.query = lambda expression, at: [Sample({}, float(len(expression)), at)]
    found = answer(lambda plan, name: source, m.Analysis(metrics=[each]), each, SPACES, START)
    assert found.values == {"cart": 6.0, "pay": 5.0, "web": 5.0} and not found.problems


def test_what_a_wave_cannot_use_is_no_history_either():
    source = Given({}, {"q": labelled({}, {})}, lambda: START - timedelta(days=1))
    found = history(lambda plan, name: source, m.Analysis(metrics=[VALUE]), VALUE, SPACES, START)
    assert not found.values and "without a namespace label" in found.trouble


class Counting:
    """Counters of a sequential test, of which one thing is wrong."""

    def __init__(self, wrong):
        self.wrong = wrong

    def query(self, expression, at):
        return self._at(expression, at)

    def query_range(self, expression, start, end, step):
        times = [
            start + timedelta(seconds=step * n) for n in range(int((end - start).total_seconds() // step) + 1)
        ]
        return [s for at in times for s in self._at(expression, at)]

    def _at(self, expression, at):
        count = (at - START + timedelta(days=1)).total_seconds() * (20 if expression == "t" else 0.2)
        found = [Sample({"namespace": n, "pod": "a"}, count, at) for n in SPACES]
        return self.wrong(expression, found)


def first(expression, samples):
    return expression == "e" and samples[0].time > START + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            lambda e, s: [Sample({"pod": "a"}, 1.0, s[0].time)] if first(e, s) else s,
            "without a namespace label",
        ),
        (lambda e, s: [Sample({"namespace": "x"}, 1.0, s[0].time)] if first(e, s) else s, "is about x"),
        (lambda e, s: [Sample(x.labels, math.inf, x.time) for x in s] if first(e, s) else s, "infinite"),
        (
            lambda e, s: [Sample(x.labels, -x.value, x.time) for x in s] if first(e, s) else s,
            "negative count",
        ),
        (
            lambda e, s: [*s, *(Sample(x.labels, x.value + 1, x.time) for x in s)] if first(e, s) else s,
            "two values at a time",
        ),
        (
            lambda e, s: [Sample(x.labels, x.value * 200, x.time) for x in s] if e == "e" else s,
            "errors in",
        ),
    ],
)
def test_counters_are_read_by_the_same_rules(wrong, said):
    spec = m.MetricSpec(name="errors", kind="ratio", errors="e", total="t", test="sequential")
    stage = Stage(
        metrics=Counting(wrong),
        analysis={"metrics": [spec], "probes": [], "baseline_seconds": 600, "error_limit": 0},
        deadline_seconds=3600,
    )
    status = work(stage.context(), "w").rollout.status
    assert (status.phase, status.paused_for) == ("Paused", "inconclusive") and said in status.reason


def test_a_lost_scrape_among_counters_is_no_error():
    def holes(expression, samples):
        nan = samples[0].time.second % 20 == 10
        return [Sample(x.labels, math.nan, x.time) for x in samples] if nan else samples

    spec = m.MetricSpec(name="errors", kind="ratio", errors="e", total="t", test="sequential")
    stage = Stage(
        metrics=Counting(holes),
        analysis={"metrics": [spec], "probes": [], "baseline_seconds": 600},
        deadline_seconds=3600,
    )
    assert work(stage.context(), "w").rollout.status.phase == "Succeeded"


def test_a_quiet_namespace_waits_for_traffic_and_is_promoted_with_it():
    """Two looks without a request while the volume stands: the wave looks on until there is something to judge."""
    looks = []

    class Quiet(Given):
        def query(self, expression, at):
            looks.append(at)
            quiet = expression == "t" and START + timedelta(seconds=6) < at < START + timedelta(seconds=25)
            return [Sample({"namespace": n}, 0.0 if quiet or expression == "e" else 9.0, at) for n in SPACES]

    stage = Stage(metrics=Quiet({}, {}, None), analysis={"metrics": [RATIO, VOLUME], "probes": []})
    status = work(stage.context(), "w").rollout.status
    assert status.phase == "Succeeded", status.reason
    phases = [r.phase for r in analyses(stage)[0].status.measurements if r.metric == "x"]
    assert phases[:2] == ["Running", "Running"] and phases[-1] == "Successful"
