"""`/events`: server-sent events that say when to look again; bounded in number and in time."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from orchestrator.server.pages import read
from orchestrator.server.pages.changes import Changes
from orchestrator.server.pages.page import as_seen, pages, viewer
from orchestrator.server.parts import Parts

MOST_STREAMS, MOST_EACH = 100, 10
LOOK_SECONDS = 1.0
BEAT_LOOKS = 15  # a comment keeps proxies from hanging up
MOST_LOOKS = 300  # then the browser comes again, with a session that still has to be good
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def router(parts: Parts) -> APIRouter:
    """The route, over one set of watches."""
    found = pages()
    changes = Changes(parts.ctx.cluster, parts.ctx.clock, parts.ctx.namespace)
    open_now: Counter[str] = Counter()

    @found.get("/events")
    async def events(request: Request, of: Annotated[str, Query(max_length=253)] = "") -> Response:
        user = viewer(request).user
        if changes.readers >= MOST_STREAMS or open_now[user] >= MOST_EACH:
            return Response("too many readers", 503, {"Retry-After": "60"})
        ctx = as_seen(request, parts)
        await run_in_threadpool(read.one, ctx, of) if of else await run_in_threadpool(read.sources, ctx)
        return StreamingResponse(
            counted(open_now, user, told(changes, of)), media_type="text/event-stream", headers=HEADERS
        )

    return found


async def counted(
    open_now: Counter[str], user: str, stream: AsyncGenerator[str, None]
) -> AsyncGenerator[str, None]:
    """The same stream, counted while it is open."""
    open_now[user] += 1
    try:
        async with aclosing(stream):
            async for text in stream:
                yield text
    finally:
        open_now[user] -= 1
        if not open_now[user]:
            del open_now[user]


async def told(changes: Changes, of: str) -> AsyncGenerator[str, None]:
    """`changed` at most once a second; the data is a number that grows."""
    with changes:
        seen = changes.count(of)
        yield "retry: 2000\n\n"
        for look in range(MOST_LOOKS):
            await asyncio.sleep(LOOK_SECONDS)
            now = changes.count(of)
            if now != seen:
                seen = now
                yield f"event: changed\ndata: {now}\n\n"
            elif look % BEAT_LOOKS == 0:
                yield ": still here\n\n"
