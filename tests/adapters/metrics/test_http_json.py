"""Any JSON over HTTP gives numbers, as a JMESPath expression finds them."""

from datetime import timedelta

import pytest

from orchestrator.adapters.metrics.http_json import build
from orchestrator.adapters.metrics.metric_sources import Settings
from orchestrator.errors import BadInput, MetricError
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock

CLOCK = SimulatedClock()


def source(url, result="value"):
    provider = m.Provider(name="web", type="http", url=url, result=result)
    return build(Settings(provider, {}, None, CLOCK))


def ask(httpserver, body, result, expression="numbers"):
    httpserver.expect_request("/api/numbers").respond_with_json(body)
    return source(httpserver.url_for("/api"), result).query(expression, CLOCK.now())


def test_a_number_belongs_to_whatever_namespace_was_asked_for(httpserver):
    (sample,) = ask(httpserver, {"data": {"rate": "0.25"}}, "data.rate")
    assert (sample.labels, sample.value, sample.time) == ({}, 0.25, CLOCK.now())


def test_a_list_of_objects_names_its_namespaces(httpserver):
    body = [{"ns": "pay", "n": 3}, {"ns": "web", "n": 0.5}]
    found = ask(httpserver, body, "[].{namespace: ns, value: n}")
    assert [(s.labels["namespace"], s.value) for s in found] == [("pay", 3.0), ("web", 0.5)]


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": []}])
def test_null_and_an_empty_list_are_no_data(httpserver, body):
    assert ask(httpserver, body, "value") == []


def test_the_query_is_a_path_with_a_query_string_below_the_address(httpserver):
    body = {"value": 1}
    httpserver.expect_request("/api/numbers", query_string="ns=pay&window=60s").respond_with_json(body)
    found = source(httpserver.url_for("/api/")).query("/numbers?ns=pay&window=60s", CLOCK.now())
    assert [s.value for s in found] == [1.0]


@pytest.mark.parametrize("path", ["../admin", "a/../../admin", "a#b"])
def test_a_path_that_leads_out_of_the_address_is_refused(httpserver, path):
    with pytest.raises(MetricError, match="is no path below"):
        source(httpserver.url_for("/api")).query(path, CLOCK.now())
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("body", "result", "said"),
    [
        ({"value": True}, "value", "yields True, where a number is wanted"),
        ({"value": "many"}, "value", "yields 'many', where a number is wanted"),
        ({"value": {"a": 1}}, "value", "yields {'a': 1}, where a number"),
        ([{"n": 1}], "@", "yields {'n': 1} in a list, where namespace and value are wanted"),
        ([1, 2], "@", "yields 1 in a list"),
        ([{"namespace": "a", "value": None}], "@", "yields None, where a number"),
        ({"value": "x"}, "abs(value)", "result fails on it"),
    ],
)
def test_what_is_no_number_is_named(httpserver, body, result, said):
    with pytest.raises(MetricError, match=said):
        ask(httpserver, body, result)


def test_an_error_answer_says_what_the_server_says(httpserver):
    httpserver.expect_request("/api/numbers").respond_with_json({"message": "no such metric"}, status=404)
    with pytest.raises(MetricError, match="answered 404: no such metric"):
        source(httpserver.url_for("/api")).query("numbers", CLOCK.now())


def test_the_past_is_not_answered_with_the_present(httpserver):
    found = source(httpserver.url_for("/api"))
    with pytest.raises(MetricError, match="knows the present alone"):
        found.query("numbers", CLOCK.now() - timedelta(minutes=5))
    with pytest.raises(MetricError, match="sequential tests need Prometheus"):
        found.query_range("numbers", CLOCK.now(), CLOCK.now(), 5)
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("result", "said"), [("", "it has no result"), ("a[", "its result is not JMESPath: ")]
)
def test_a_result_that_cannot_be_meant_is_bad_input(result, said):
    with pytest.raises(BadInput, match=said):
        source("http://x", result)
