"""Bodies are bounded in size, time and number, whatever their headers say."""

import asyncio

import pytest
from deliveries import Service, github, payload

BIG = 10 << 20


def ask(app, receive, headers=()):
    """One POST to the application itself: the status of its answer."""
    sent = []

    async def send(message):
        sent.append(message)

    given = [(b"x-github-event", b"push"), *headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/webhooks/github",
        "query_string": b"",
        "headers": given,
    }

    async def run():
        await app(scope, receive, send)

    asyncio.run(run())
    return sent[0]["status"], dict(sent[0]["headers"])


class Chunks:
    """A body in chunks of 64 KiB that never says how long it will be."""

    def __init__(self):
        self.read = 0

    async def __call__(self):
        self.read += 1 << 16
        return {"type": "http.request", "body": b"x" * (1 << 16), "more_body": True}


def test_ten_megabytes_are_refused_from_their_length_alone():
    async def receive():
        raise AssertionError("nothing is read")

    status, headers = ask(Service().app, receive, [(b"content-length", str(BIG).encode())])
    assert status == 413 and headers[b"connection"] == b"close"


def test_chunks_without_a_length_are_read_up_to_the_bound():
    chunks = Chunks()
    assert ask(Service().app, chunks)[0] == 413
    assert chunks.read <= (1 << 20) + (1 << 16)


def test_a_length_that_is_too_small_helps_nobody():
    chunks = Chunks()
    assert ask(Service().app, chunks, [(b"content-length", b"10")])[0] == 413
    assert ask(Service().app, chunks, [(b"content-length", "²".encode("latin-1"))])[0] == 413


def test_a_slow_body_gets_its_time_and_no_more():
    async def receive():
        await asyncio.Event().wait()

    assert ask(Service(body_seconds=0.02).app, receive)[0] == 408


def test_a_body_that_ends_early_is_no_delivery():
    async def receive():
        return {"type": "http.disconnect"}

    assert ask(Service().app, receive)[0] == 400


def test_so_many_bodies_are_in_memory_at_once():
    service = Service(max_bodies=1, body_seconds=0.05)

    async def never():
        await asyncio.Event().wait()

    async def both():
        async def one():
            sent = []

            async def send(message):
                sent.append(message)

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/webhooks/github",
                "query_string": b"",
                "headers": [],
            }
            await service.app(scope, never, send)
            return sent[0]["status"]

        return await asyncio.gather(one(), one())

    assert sorted(asyncio.run(both())) in ([408, 408], [408, 503])


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
def test_the_bound_is_exact(service, size):
    body = payload("github_push").ljust(size)
    answer = service.client.post("/webhooks/github", content=body, headers=github(body))
    assert answer.status_code == (202 if size == 1 << 20 else 413)


def test_deliveries_are_counted(service):
    body = payload("github_push")
    service.post("github", body, github(body))
    text = service.client.get("/metrics").text
    assert 'netpol_canary_webhooks_total{host="github",status="202"} 1.0' in text
