"""A provider is asked as its settings say, and again where it wants that and there is time."""

import pytest
from werkzeug import Response

from orchestrator.adapters.http.client import Client
from orchestrator.adapters.metrics.provider_client import access, client, exchange
from orchestrator.errors import BadInput, MetricError
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def ask(httpserver, clock):
    """`ask(path)`: what comes of it, through a client that waits for ten seconds."""
    return lambda path: exchange(Client(httpserver.url_for("/"), MetricError), clock, path)


def test_a_secret_becomes_headers_and_basic_authentication():
    headers, basic = access({"bearer": b"hunter2\n", "header.X-Scope-OrgID": b"shop"})
    assert headers == {"Authorization": "Bearer hunter2", "X-Scope-OrgID": "shop"} and basic is None
    assert access({"username": b"me", "password": b"secret"}) == ({}, ("me", "secret"))


def test_a_value_that_no_header_can_carry_is_named_by_its_key_alone():
    with pytest.raises(BadInput, match="the Secret's bearer has a character") as error:
        access({"bearer": b"hun\nter2"})
    assert "ter2" not in str(error.value)


def test_it_comes_again_after_as_many_seconds_as_it_was_told(httpserver, ask, clock):
    start = clock.now()
    busy = Response("busy", 429, {"Retry-After": "2"})
    httpserver.expect_ordered_request("/x").respond_with_response(busy)
    httpserver.expect_ordered_request("/x").respond_with_json({"good": True})
    assert ask("x") == (200, {"good": True})
    assert (clock.now() - start).total_seconds() == 2


def test_it_gives_up_after_three_times_or_where_it_would_be_too_late(httpserver, ask):
    httpserver.expect_request("/x").respond_with_response(Response("busy", 503, {"Retry-After": "1"}))
    with pytest.raises(MetricError, match="answered 503 and asks to come again in 1 s"):
        ask("x")
    assert len(httpserver.log) == 3
    httpserver.expect_request("/y").respond_with_response(Response("busy", 429, {"Retry-After": "60"}))
    with pytest.raises(MetricError, match="in 60 s, which is later than the timeout of 10 s"):
        ask("y")
    assert len(httpserver.log) == 4


def test_wrong_credentials_are_said_so(httpserver, ask):
    httpserver.expect_request("/x").respond_with_data("<html>who are you?</html>", 401)
    with pytest.raises(MetricError, match="answered 401: check the credentials that secretRef names"):
        ask("x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no http"),
        ("ftp://x", "no http"),
        ("http://", "no http"),
        ("http://[x", "no http"),
        ("https://me:hunter2@x", "holds credentials"),
        ("http://x?token=hunter2", "holds a query"),
        ("http://169.254.169.254/latest", "the machine's own metadata"),
    ],
)
def test_an_address_that_cannot_be_meant_is_bad_input(url, said):
    with pytest.raises(BadInput, match=said) as error:
        client(m.Provider(name="web", url=url), {})
    assert "hunter2" not in str(error.value) and "the provider web" in str(error.value)


def test_settings_become_the_way_to_ask():
    spec = m.Provider(name="w", url="http://x", ca_file="/ca.pem", timeout_seconds=3)
    found = client(spec, {"bearer": b"t"})
    assert (found.seconds, found.verify, found.plain) == (3, "/ca.pem", True)
    assert found.credentials == {"Authorization": "Bearer t"}
    open_ = spec.model_copy(update={"ca_file": "", "insecure_skip_tls_verify": True})
    assert client(open_, {}).verify is False
