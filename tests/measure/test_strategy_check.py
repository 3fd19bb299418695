"""Before anything is applied, metrics show whether they can be counted on; what is wrong is named with its query."""

import math
from datetime import timedelta

import pytest

from orchestrator.errors import BadInput, MetricError
from orchestrator.measure.metric_history import POINTS, history
from orchestrator.measure.strategy_check import answer, unanswered
from orchestrator.ports import Sample
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import START

SPACES = ("pay", "web")


class Given:
    """Answers each expression with samples that were given, or with the error that was."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def query(self, expression, at):
        self.asked.append(expression)
        found = self.answers.get(expression, [])
        if isinstance(found, str):
            raise MetricError(found)
        return [Sample(labels, value, at) for labels, value in found]

    def query_range(self, expression, start, end, step):
        found = self.answers.get(f"{expression}_range", [])
        if isinstance(found, str):
            raise MetricError(found)
        return [Sample(labels, v, start + timedelta(seconds=s * step)) for labels, s, v in found]


def one(space, value, **labels):
    return ({"namespace": space, **labels}, value)


def value(**fields):
    return m.MetricSpec(name="x", query="q", **fields)


RATIO = m.MetricSpec(name="r", kind="ratio", errors="e", total="t")


def plan(*metrics, **fields):
    return m.Analysis(metrics=list(metrics), **fields)


def look(spec, source, spaces=SPACES):
    return answer(lambda plan, name: source, plan(spec), spec, spaces, START)


def refused(*metrics, source):
    return unanswered(lambda plan, name: source, plan(*metrics), SPACES, START)


def test_a_metric_that_answers_in_one_namespace_at_least_is_answered():
    source = Given(q=[one("pay", 3.0)])
    assert refused(value(), source=source) == []
    found = look(value(), source)
    assert (found.values, found.problems, found.notes) == ({"pay": 3.0}, (), ("nothing for web",))


def test_a_metric_that_answers_nowhere_is_named_with_its_query():
    (text,) = refused(value(), source=Given())
    assert text == "the metric x: nothing is answered for any of 2 namespaces (query: q)"


def test_a_failing_query_and_a_missing_provider_are_named():
    (text,) = refused(value(), source=Given(q="parse error"))
    assert text == "the metric x: parse error (query: q)"
    (text,) = refused(value(provider="mimir"), source=None)
    assert "no provider mimir is set up" in text


def test_what_does_not_decide_may_be_silent():
    tried = value(dry_run=True).model_copy(update={"name": "y"})
    assert refused(value(required=False), tried, source=Given()) == []


def test_a_missing_secret_is_a_problem_of_the_metric():
    for where in ("", "the provider prometheus", "the provider prometheus, secretRef"):

        def without(plan, name, where=where):
            raise BadInput("there is no Secret s", where)

        (text,) = unanswered(without, plan(value()), SPACES, START)
        assert text == f"the metric x: {where or 'the provider prometheus'}: there is no Secret s"


def test_no_errors_at_all_is_an_answer_where_there_is_traffic():
    found = look(RATIO, Given(t=[one("pay", 50.0), one("web", 0.0)]))
    assert found.values == {"pay": 0.0} and found.of == {"pay": 50.0, "web": 0.0}
    assert found.notes == ("no traffic in web",) and not found.silent
    assert look(RATIO, Given(e=[one("pay", 5.0)], t=[one("pay", 50.0)])).values == {"pay": 0.1}


def test_a_ratio_without_a_total_is_silent_and_so_is_one_whose_errors_fail():
    assert look(RATIO, Given(e=[one("pay", 5.0)])).silent
    (text,) = refused(RATIO, source=Given(e="boom", t=[one("pay", 5.0)]))
    assert "boom (query: e)" in text


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([({"pod": "a", "job": "j"}, 1.0)], "without a namespace label (its labels: pod, job)"),
        ([one("pay", 1.0, pod="a"), one("pay", 2.0, pod="b")], "several series for pay: sum by (namespace)"),
        ([one("pay", math.nan)], "NaN in pay"),
    ],
)
def test_an_answer_that_cannot_be_used_is_a_problem_with_its_query(samples, said):
    (problem,) = look(value(), Given(q=samples)).problems
    assert said in problem and problem.endswith("(query: q)")


def test_a_number_without_labels_is_the_namespaces_that_was_asked_for_alone():
    source = Given(**{"q-pay": [({}, 1.0)], "q-web": [({}, 2.0)]})
    spec = m.MetricSpec(name="x", query="q-$namespace")
    assert look(spec, source).values == {"pay": 1.0, "web": 2.0}


def test_a_metric_that_asks_for_each_namespace_does_not_ask_without_end():
    source = Given()
    look(m.MetricSpec(name="x", query="q-$namespace"), source, [f"n{i}" for i in range(500)])
    assert len(source.asked) == 20


def test_a_sequential_test_takes_the_pods_together_and_needs_a_history():
    spec = value(kind="volume", test="sequential")
    pods = [one("pay", 3.0, pod="a"), one("pay", 4.0, pod="b")]
    assert look(spec, Given(q=pods)).values == {"pay": 7.0}
    (text,) = refused(spec, source=Given(q=pods, q_range="has no history: sequential tests need Prometheus"))
    assert "sequential tests need Prometheus (query: q)" in text


def test_a_metric_without_its_query_and_a_preset_that_is_unknown():
    words = "a ratio without its query: give errors and total, or a preset"
    assert words in "".join(refused(m.MetricSpec(name="x", kind="ratio"), source=Given()))
    with pytest.raises(BadInput, match="no preset itsio"):
        refused(m.MetricSpec(name="x", preset="itsio"), source=Given())


def test_a_preset_is_asked_for_by_its_queries():
    source = Given()
    refused(m.MetricSpec(name="x", preset="up"), source=source)
    assert source.asked == ['sum by (namespace) (up{namespace=~"pay|web"})']


def past(spec, source):
    return history(lambda plan, name: source, plan(spec, baseline_seconds=600), spec, SPACES, START)


def test_the_history_has_gaps_where_there_was_nothing_and_says_how_old_its_end_is():
    found = past(value(), Given(q_range=[({"namespace": "pay"}, 0, 1.0), ({"namespace": "pay"}, 58, 2.0)]))
    assert found.values["pay"][0] == 1.0 and found.values["pay"][1] is None
    assert len(found.values["pay"]) == POINTS + 1
    assert (found.ages, found.step) == ({"pay": 20.0}, 10.0)


def test_of_counters_the_history_shows_what_was_added_over_restarts_too():
    a, b = {"namespace": "pay", "pod": "a"}, {"namespace": "pay", "pod": "b"}
    rows = [(a, 0, 10.0), (a, 1, 15.0), (a, 2, 4.0), (b, 0, 0.0), (b, 1, 1.0)]
    found = past(value(kind="volume", test="sequential"), Given(q_range=rows))
    assert found.values["pay"][:4] == [None, 6.0, 4.0, None]


def test_the_history_of_a_ratio_is_of_shares():
    pay = {"namespace": "pay"}
    source = Given(e_range=[(pay, 1, 5.0)], t_range=[(pay, 0, 0.0), (pay, 1, 50.0), (pay, 2, 50.0)])
    assert past(RATIO, source).values["pay"][:4] == [None, 0.1, 0.0, None]


def test_why_there_is_no_history_is_said():
    assert past(value(), Given(q_range="has no history")).trouble == "has no history (query: q)"
    assert past(value(provider="p"), None).trouble == "no provider p is set up"
