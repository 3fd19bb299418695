"""A conversation with a Git host ends in time, follows it on its own host, and hears when it wants to be left alone."""

import pytest

from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.adapters.http.client import Client
from orchestrator.errors import DeliveryError
from orchestrator.sandbox.clock import SimulatedClock

NOW = int(SimulatedClock().now().timestamp())


@pytest.fixture
def talk(httpserver):
    secret = {"credentials": {"Authorization": "Bearer hunter2"}, "secrets": ("hunter2",)}
    client = Client(httpserver.url_for(""), DeliveryError, 5, redirects=3, **secret)
    return Conversation(client, SimulatedClock())


@pytest.mark.parametrize(
    ("status_code", "headers", "body", "seconds"),
    [
        (429, {"Retry-After": "3600"}, "{}", 3600),
        (429, {"Retry-After": "1000000000"}, "{}", 86400),
        (429, {}, "{}", 60),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 90)}, "{}", 90),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 20}, "{}", 86400),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "\xb2"}, "{}", 0),
        (403, {}, '{"message": "You have exceeded a secondary rate limit"}', 60),
        (403, {}, '{"message": "Resource not accessible"}', 0),
        (503, {"Retry-After": "Mon, 05 Jan 2026 09:02:00 GMT"}, "{}", 120),
        (503, {"Retry-After": "soon"}, "{}", 0),
    ],
)
def test_limits_are_told_in_many_ways(httpserver, talk, status_code, headers, body, seconds):
    httpserver.expect_request("/x").respond_with_data(body, status_code, headers)
    with pytest.raises(DeliveryError, match=f"answered {status_code} to GET") as error:
        talk.get("x")
    assert error.value.retry_after == pytest.approx(seconds, abs=1)


def test_all_questions_together_take_no_longer_than_one_may(httpserver, talk):
    httpserver.expect_request("/x").respond_with_json({})
    talk.client = Client(httpserver.url_for(""), DeliveryError, 0)
    with pytest.raises(DeliveryError, match="gave no whole answer within 0 s"):
        talk.get("x")


def test_a_renamed_repository_is_followed(httpserver, talk):
    httpserver.expect_request("/old").respond_with_data("", 301, {"Location": httpserver.url_for("/new")})
    httpserver.expect_request("/new").respond_with_json({"found": True})
    assert talk.get("old") == {"found": True}
    with pytest.raises(DeliveryError, match="answered 301, a redirect, which is not followed"):
        talk.send("POST", "old", {})


def test_what_a_host_says_is_told_without_the_token(httpserver, talk):
    httpserver.expect_request("/x").respond_with_json({"message": "Bearer hunter2\nis bad"}, 401)
    with pytest.raises(DeliveryError, match=r"/x answered 401 to GET: \*\*\* is bad"):
        talk.get("x")


def test_what_is_no_list_has_no_pages(httpserver, talk):
    httpserver.expect_request("/x").respond_with_json({})
    with pytest.raises(DeliveryError, match="no list"):
        list(talk.pages("x"))
