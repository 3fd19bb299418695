"""Numbers come from a Prometheus API; anything else that it answers is a MetricError."""

from datetime import UTC, datetime, timedelta

import pytest
from werkzeug import Response

from orchestrator.adapters.http.client import Client
from orchestrator.adapters.metrics.prometheus import PrometheusSource
from orchestrator.errors import MetricError
from orchestrator.sandbox.clock import SimulatedClock

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def source(httpserver):
    return PrometheusSource(Client(httpserver.url_for("/"), MetricError), SimulatedClock())


def answer(kind, result):
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def test_a_vector_a_scalar_and_a_matrix(httpserver, source):
    series = {"metric": {"namespace": "pay"}, "value": [NOW.timestamp(), "0.5"]}
    body = answer("vector", [series])
    httpserver.expect_ordered_request("/api/v1/query", method="POST").respond_with_json(body)
    (sample,) = source.query("up", NOW)
    assert (sample.labels, sample.value, sample.time) == ({"namespace": "pay"}, 0.5, NOW)
    body = answer("scalar", [NOW.timestamp(), "NaN"])
    httpserver.expect_ordered_request("/api/v1/query").respond_with_json(body)
    (sample,) = source.query("scalar(up)", NOW)
    assert sample.value != sample.value
    row = {"metric": {}, "values": [[NOW.timestamp(), "1"], [NOW.timestamp() + 5, "2"]]}
    httpserver.expect_ordered_request("/api/v1/query_range").respond_with_json(answer("matrix", [row]))
    found = source.query_range("up", NOW, NOW + timedelta(seconds=5), 5)
    assert [s.value for s in found] == [1.0, 2.0]
    assert httpserver.log[-1][0].form["step"] == "5"


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (Response('{"status":"error","error":"parse error"}', 400), "answered 400: parse error"),
        (Response("gateway", 502), "HTTP 502, not JSON"),
        (Response("[]", 200), "answered 200: not Prometheus"),
        (Response('{"status":"success","data":{"resultType":"string","result":[]}}', 200), "unknown shape"),
        (Response('{"status":"success","data":{}}', 200), "unknown shape"),
        (Response('{"status":"success","data":{"resultType":"vector","result":[3]}}', 200), "unknown shape"),
        (
            Response('{"status":"success","data":{"resultType":"scalar","result":[1e300,"1"]}}', 200),
            "unknown shape",
        ),
        (Response("[" * 100000, 200), "not JSON"),
    ],
)
def test_an_unusable_answer_names_the_address(httpserver, source, response, said):
    httpserver.expect_request("/api/v1/query").respond_with_response(response)
    with pytest.raises(MetricError, match=said) as error:
        source.query("up", NOW)
    assert httpserver.url_for("").rstrip("/") in str(error.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"warnings": ["store-b:10901: connection refused"]}, "partial answer: store-b:10901"),
        ({"warnings": ["PromQL info: might not be a counter", "shard 3 is down"]}, "partial answer: shard 3"),
        ({"warnings": "down"}, "partial answer: down"),
        ({"isPartial": True}, "partial answer: isPartial"),
        ({"warnings": []}, ""),
        ({"warnings": ["PromQL info: metric might not be a counter"]}, ""),
        ({"infos": ["PromQL info: metric might not be a counter"], "isPartial": False}, ""),
    ],
)
def test_a_partial_answer_is_none_and_an_info_leaves_nothing_out(httpserver, source, more, said):
    body = {**answer("vector", [{"metric": {}, "value": [1.0, "1"]}]), **more}
    httpserver.expect_request("/api/v1/query").respond_with_json(body)
    if said:
        with pytest.raises(MetricError, match=said):
            source.query("up", NOW)
    else:
        assert [s.value for s in source.query("up", NOW)] == [1.0]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (answer("matrix", [{"metric": {}, "values": [[1.0, "1"]]}]), "a matrix, where a vector is wanted"),
        (answer("vector", [{"metric": {}, "value": [1.0, True]}]), "unknown shape"),
        (answer("vector", [{"metric": {"namespace": 5}, "value": [1.0, "1"]}]), "unknown shape"),
        (answer("vector", [{"metric": {}, "histogram": [1.0, {}]}]), "unknown shape"),
    ],
)
def test_a_result_of_another_type_is_an_error(httpserver, source, result, said):
    httpserver.expect_request("/api/v1/query").respond_with_json(result)
    with pytest.raises(MetricError, match=said):
        source.query("up", NOW)
