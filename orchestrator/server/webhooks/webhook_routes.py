"""POST /webhooks/HOST: a bounded body, a proof, and the sources that it wakes."""

import asyncio
from functools import partial

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from orchestrator.adapters.kube.secrets import Secrets
from orchestrator.context import SOURCE, Context
from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.operations import poll as requests
from orchestrator.rollout.resources.resource import Source, load
from orchestrator.server.parts import Parts
from orchestrator.server.webhooks.push import Delivery, Host, Malformed
from orchestrator.server.webhooks.push_hosts import HOSTS
from orchestrator.server.webhooks.subscribers import Subscribers
from orchestrator.server.webhooks.wake import Wakes
from orchestrator.server.webhooks.webhook_settings import Webhooks


class Unread(Exception):
    """The rest of the body is not read: `status` says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def install(app: FastAPI, parts: Parts, settings: Webhooks) -> None:
    """Each host has a path of its own, and no other path exists."""
    ctx = parts.ctx
    read = Secrets(ctx.cluster, ctx.namespace, parts.secrets).read
    subscribers = Subscribers(partial(_sources, ctx), read, ctx.clock, settings.secret_ref)
    wakes = Wakes(partial(requests.look, ctx), ctx.clock, settings.coalesce_seconds)
    app.state.background.append(wakes)
    counted = Counter(
        "webhooks",
        "Deliveries of Git hosts",
        ["host", "status"],
        namespace="netpol_canary",
        registry=parts.registry,
    )
    bodies = asyncio.Semaphore(settings.max_bodies)

    def route(name: str, host: Host) -> None:
        @app.post(f"/webhooks/{name}")
        async def take(request: Request) -> JSONResponse:
            try:
                answer = await _take(request, settings, bodies, partial(_answer, subscribers, wakes, host))
            except Unread as unread:
                closing = {"Connection": "close"}
                answer = JSONResponse({"error": str(unread)}, unread.status, closing)
            counted.labels(name, str(answer.status_code)).inc()
            return answer

    for name, host in HOSTS.items():
        route(name, host)


def _sources(ctx: Context) -> list[Source]:
    found: list[Source] = []
    for obj in ctx.cluster.list(SOURCE, ctx.namespace):
        try:
            found.append(load(obj))
        except BadInput as error:
            structlog.get_logger().warning("the source cannot be read", error=str(error))
    return found


async def _take(
    request: Request,
    settings: Webhooks,
    bodies: asyncio.Semaphore,
    answer: partial[JSONResponse],
) -> JSONResponse:
    try:
        async with asyncio.timeout(settings.body_seconds):
            await bodies.acquire()
    except TimeoutError:
        raise Unread(503, "too many deliveries at once") from None
    try:
        body = await _body(request, settings)
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await run_in_threadpool(answer, Delivery(headers, body))
    finally:
        bodies.release()


async def _body(request: Request, settings: Webhooks) -> bytes:
    """The body, whatever length it claims to have. Raises Unread."""
    large = Unread(413, f"the body is larger than {settings.max_bytes} bytes")
    claimed = request.headers.get("content-length", "")
    if claimed.isascii() and claimed.isdigit() and int(claimed[:20]) > settings.max_bytes:
        raise large
    found = bytearray()
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for chunk in request.stream():
                found += chunk
                if len(found) > settings.max_bytes:
                    raise large
    except TimeoutError:
        raise Unread(408, f"the body took longer than {settings.body_seconds:g} s") from None
    except ClientDisconnect:
        raise Unread(400, "the body ended early") from None
    return bytes(found)


def _answer(subscribers: Subscribers, wakes: Wakes, host: Host, delivery: Delivery) -> JSONResponse:
    try:
        message = host.read(delivery)
        found = subscribers.proven(host, delivery, message)
        if found is None:
            return JSONResponse({"error": "the signature or token is missing or wrong"}, 401)
        if message.kind == "ping":
            return JSONResponse({"status": "pong"})
        if message.kind == "other":
            return JSONResponse({"status": "ignored", "reason": "only pushes are of interest"}, 202)
        for source in found:
            wakes.ask(source.name)
    except Malformed as error:
        return JSONResponse({"error": str(error)}, 400)
    except NetpolCanaryError as error:
        structlog.get_logger().warning("a webhook was not taken", error=str(error))
        return JSONResponse({"error": "not now; try again later"}, 503, {"Retry-After": "10"})
    if not found:
        return JSONResponse({"status": "ignored", "reason": "no source follows this"}, 202)
    return JSONResponse({"status": "accepted"}, 202)
