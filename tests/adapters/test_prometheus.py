"""Numbers come from a Prometheus API, with credentials, within bounds; anything else is a MetricError."""

from datetime import UTC, datetime, timedelta

import pytest
from werkzeug import Response

from orchestrator.adapters import prometheus as module
from orchestrator.adapters.prometheus import PrometheusSource, access
from orchestrator.errors import MetricError

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def answer(kind, result):
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def test_a_vector_a_scalar_and_a_matrix(httpserver):
    source = PrometheusSource(httpserver.url_for("/"))
    series = {"metric": {"namespace": "pay"}, "value": [NOW.timestamp(), "0.5"]}
    httpserver.expect_ordered_request("/api/v1/query", method="POST").respond_with_json(
        answer("vector", [series])
    )
    (sample,) = source.query("up", NOW)
    assert (sample.labels, sample.value, sample.time) == ({"namespace": "pay"}, 0.5, NOW)
    httpserver.expect_ordered_request("/api/v1/query").respond_with_json(
        answer("scalar", [NOW.timestamp(), "NaN"])
    )
    (sample,) = source.query("scalar(up)", NOW)
    assert sample.value != sample.value
    row = {"metric": {}, "values": [[NOW.timestamp(), "1"], [NOW.timestamp() + 5, "2"]]}
    httpserver.expect_ordered_request("/api/v1/query_range").respond_with_json(answer("matrix", [row]))
    found = source.query_range("up", NOW, NOW + timedelta(seconds=5), 5)
    assert [s.value for s in found] == [1.0, 2.0]
    assert httpserver.log[-1][0].form["step"] == "5"


def test_credentials_and_headers_are_sent_and_never_shown(httpserver):
    headers, basic = access({"bearer": b"hunter2\n", "header.X-Scope-OrgID": b"shop"})
    source = PrometheusSource(httpserver.url_for("/"), headers=headers, auth=basic)
    httpserver.expect_request("/api/v1/query").respond_with_json(answer("vector", []))
    assert source.query("up", NOW) == []
    sent = httpserver.log[0][0].headers
    assert sent["Authorization"] == "Bearer hunter2" and sent["X-Scope-OrgID"] == "shop"
    assert "hunter2" not in repr(source)
    assert access({"username": b"me", "password": b"secret"}) == ({}, ("me", "secret"))


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (Response('{"status":"error","error":"parse error"}', 400), "answered 400: parse error"),
        (Response("gateway", 502), "HTTP 502, not JSON"),
        (Response("[]", 200), "answered 200: not Prometheus"),
        (Response('{"status":"success","data":{"resultType":"string","result":[]}}', 200), "unknown shape"),
        (Response('{"status":"success","data":{}}', 200), "unknown shape"),
        (Response("", 302, {"Location": "http://127.0.0.1:1/"}), "not JSON"),
    ],
)
def test_an_unusable_answer_names_the_address(httpserver, response, said):
    httpserver.expect_request("/api/v1/query").respond_with_response(response)
    with pytest.raises(MetricError, match=said):
        PrometheusSource(httpserver.url_for("/")).query("up", NOW)


def test_too_much_and_nobody_there(httpserver, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    httpserver.expect_request("/api/v1/query").respond_with_json(answer("vector", []))
    with pytest.raises(MetricError, match="is larger than"):
        PrometheusSource(httpserver.url_for("/")).query("up", NOW)
    with pytest.raises(MetricError, match="gave no usable answer"):
        PrometheusSource("http://127.0.0.1:1").query("up", NOW)
