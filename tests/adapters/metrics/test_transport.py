"""An exchange keeps to its bounds, comes again where it is asked to, and tells no secret."""

import pytest
from werkzeug import Response

from orchestrator.adapters.metrics.provider_address import access, transport
from orchestrator.adapters.metrics.transport import Transport
from orchestrator.errors import BadInput, MetricError
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock


def way(httpserver, clock=None, **more):
    return Transport(httpserver.url_for("/"), clock or SimulatedClock(), **more)


def test_credentials_and_headers_are_sent_and_never_shown(httpserver):
    headers, basic = access({"bearer": b"hunter2\n", "header.X-Scope-OrgID": b"shop"})
    httpserver.expect_request("/x").respond_with_json({})
    sender = way(httpserver, headers=headers, auth=basic)
    assert sender.exchange("x") == (200, {})
    sent = httpserver.log[0][0].headers
    assert sent["Authorization"] == "Bearer hunter2" and sent["X-Scope-OrgID"] == "shop"
    assert "hunter2" not in repr(sender)
    assert access({"username": b"me", "password": b"secret"}) == ({}, ("me", "secret"))


def test_a_netrc_file_does_not_replace_the_token_that_was_given(httpserver, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {httpserver.host} login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/x").respond_with_json({})
    way(httpserver, headers={"Authorization": "Bearer mine"}).exchange("x")
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer mine"


def test_what_a_server_echoes_of_the_credentials_is_blotted_out(httpserver):
    sender = way(httpserver, headers={"Authorization": "Bearer hunter2"}, auth=("me", "opensesame"))
    assert sender.clean("you sent Bearer hunter2\nand opensesame") == "you sent *** and ***"


def test_a_value_that_no_header_can_carry_is_named_by_its_key_alone():
    with pytest.raises(BadInput, match="the Secret's bearer has a character") as error:
        access({"bearer": b"hun\nter2"})
    assert "ter2" not in str(error.value)


def test_it_comes_again_after_as_many_seconds_as_it_was_told(httpserver):
    clock = SimulatedClock()
    start = clock.now()
    busy = Response("busy", 429, {"Retry-After": "2"})
    httpserver.expect_ordered_request("/x").respond_with_response(busy)
    httpserver.expect_ordered_request("/x").respond_with_json({"good": True})
    assert way(httpserver, clock).exchange("x") == (200, {"good": True})
    assert (clock.now() - start).total_seconds() == 2


def test_it_gives_up_after_three_times_or_where_it_would_be_too_late(httpserver):
    httpserver.expect_request("/x").respond_with_response(Response("busy", 503, {"Retry-After": "1"}))
    with pytest.raises(MetricError, match="answered 503 and asks to come again in 1 s"):
        way(httpserver).exchange("x")
    assert len(httpserver.log) == 3
    httpserver.expect_request("/y").respond_with_response(Response("busy", 429, {"Retry-After": "60"}))
    with pytest.raises(MetricError, match="in 60 s, which is later than the timeout of 10 s"):
        way(httpserver).exchange("y")
    assert len(httpserver.log) == 4


def test_a_date_in_retry_after_is_understood(httpserver):
    clock = SimulatedClock()
    late = (clock.now().replace(microsecond=0)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    httpserver.expect_ordered_request("/x").respond_with_response(Response("", 429, {"Retry-After": late}))
    httpserver.expect_ordered_request("/x").respond_with_json(1)
    assert way(httpserver, clock).exchange("x") == (200, 1)


def test_too_much_is_refused_whether_it_says_so_or_not(httpserver):
    httpserver.expect_request("/told").respond_with_data("x" * 200)
    httpserver.expect_request("/untold").respond_with_response(Response((b"x" * 50 for _ in range(4)), 200))
    for path in ("told", "untold"):
        with pytest.raises(MetricError, match="is larger than"):
            way(httpserver, most_bytes=100).exchange(path)


def test_a_compressed_answer_that_was_not_asked_for_is_refused(httpserver):
    gzipped = Response(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"})
    httpserver.expect_request("/x").respond_with_response(gzipped)
    with pytest.raises(MetricError, match="compressed although"):
        way(httpserver).exchange("x")


def test_nobody_there_and_a_missing_authority_file_are_one_line(httpserver):
    with pytest.raises(MetricError, match=r"^http://127.0.0.1:1 gave no usable answer"):
        Transport("http://127.0.0.1:1", SimulatedClock()).exchange("x")
    with pytest.raises(MetricError, match=r"/nowhere\.pem"):
        Transport("https://127.0.0.1:1", SimulatedClock(), verify="/nowhere.pem").exchange("x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no http"),
        ("ftp://x", "no http"),
        ("http://", "no http"),
        ("http://[x", "no http"),
        ("https://me:hunter2@x", "holds credentials"),
    ],
)
def test_an_address_that_cannot_be_meant_is_bad_input(url, said):
    with pytest.raises(BadInput, match=said) as error:
        transport(m.Provider(name="web", url=url), {}, SimulatedClock())
    assert "hunter2" not in str(error.value) and "the provider web" in str(error.value)


def test_settings_become_the_way_to_ask():
    spec = m.Provider(name="w", url="https://x", ca_file="/ca.pem", timeout_seconds=3)
    found = transport(spec, {"bearer": b"t"}, SimulatedClock())
    assert (found.timeout, found.verify, found.headers) == (3, "/ca.pem", {"Authorization": "Bearer t"})
    open_ = spec.model_copy(update={"ca_file": "", "insecure_skip_tls_verify": True})
    assert transport(open_, {}, SimulatedClock()).verify is False
