"""Whatever a Git host does, it ends in an answer or in one clear line, in time, within its memory, token kept."""

import time
import tracemalloc

import pytest
from adapters.metrics import hostile
from hosts import WHOLE, connected, status

from orchestrator.adapters.githosts.exchange import Exchange
from orchestrator.errors import DeliveryError
from orchestrator.sandbox.clock import SimulatedClock

HEAD = "c" * 40
SECONDS = 0.4
SLOW = ("drip", "drip_head", "silence")


@pytest.mark.parametrize(
    "mood", [*SLOW, "huge", "huge_and_told", "half", "broken", "redirect", "unauthorized", "nothing"]
)
def test_a_hostile_host_costs_a_moment_and_one_line(mood):
    tracemalloc.start()
    began = time.monotonic()
    with hostile.serving("web", mood) as url:
        with pytest.raises(DeliveryError) as error:
            connected(url, seconds=SECONDS if mood in SLOW else 20).status(HEAD, [status(WHOLE, "pending")])
        assert time.monotonic() - began < hostile.DRIPPING / 2  # it did not wait for the end
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024
    text = str(error.value)
    assert text and "\n" not in text and len(text) < 700 and "hunter2" not in text


def test_a_host_may_ask_to_be_left_alone():
    with hostile.serving("web", "busy") as url, pytest.raises(DeliveryError, match="answered 429") as error:
        connected(url).status(HEAD, [])
    assert error.value.retry_after == 3600


def exchange(httpserver):
    return Exchange(
        httpserver.url_for(""), SimulatedClock(), {"Authorization": "Bearer hunter2"}, "hunter2", seconds=5
    )


NOW = int(SimulatedClock().now().timestamp())


@pytest.mark.parametrize(
    ("status_code", "headers", "body", "seconds"),
    [
        (429, {"Retry-After": "1000000000"}, "{}", 1e9 // 10),
        (429, {}, "{}", 60),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 90)}, "{}", 90),
        (403, {}, '{"message": "You have exceeded a secondary rate limit"}', 60),
        (403, {}, '{"message": "Resource not accessible"}', 0),
        (503, {"Retry-After": "Mon, 05 Jan 2026 09:02:00 GMT"}, "{}", 120),
        (503, {"Retry-After": "soon"}, "{}", 0),
    ],
)
def test_limits_are_told_in_many_ways(httpserver, status_code, headers, body, seconds):
    httpserver.expect_request("/x").respond_with_data(body, status_code, headers)
    with pytest.raises(DeliveryError) as error:
        exchange(httpserver).get("x")
    assert error.value.retry_after >= seconds and (error.value.retry_after > 0) == (seconds > 0)


def test_a_renamed_repository_is_followed_on_its_host_alone(httpserver):
    httpserver.expect_request("/old").respond_with_data("", 301, {"Location": httpserver.url_for("/new")})
    httpserver.expect_request("/new").respond_with_json({"found": True})
    httpserver.expect_request("/round").respond_with_data("", 302, {"Location": "/round"})
    httpserver.expect_request("/away").respond_with_data("", 307, {"Location": "http://localhost:1/x"})
    assert exchange(httpserver).get("old") == {"found": True}
    with pytest.raises(DeliveryError, match="redirects without end"):
        exchange(httpserver).get("round")
    with pytest.raises(DeliveryError, match="redirects to localhost:1, which is not followed"):
        exchange(httpserver).send("POST", "away", {})


def test_what_a_host_says_is_told_without_the_token(httpserver):
    httpserver.expect_request("/x").respond_with_json({"message": "Bearer hunter2\nis bad"}, 401)
    with pytest.raises(DeliveryError, match=r"answered 401 to GET /x: Bearer \*\*\* is bad"):
        exchange(httpserver).get("x")


def test_garbage_is_no_answer(httpserver):
    httpserver.expect_request("/x").respond_with_data(b"\xff\x00" * 100)
    httpserver.expect_request("/deep").respond_with_data("[" * 100_000)
    for path in ("x", "deep"):
        with pytest.raises(DeliveryError, match="not JSON"):
            exchange(httpserver).get(path)
