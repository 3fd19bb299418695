"""`/events`: server-sent events that say when to look again; bounded in number and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from orchestrator.server.pages import read
from orchestrator.server.pages.changes import Changes
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.parts import Parts

MOST_STREAMS = 100
LOOK_SECONDS = 1.0
BEAT_LOOKS = 15  # a comment keeps proxies from hanging up
MOST_LOOKS = 300  # then the browser comes again, with a session that still has to be good
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def router(parts: Parts) -> APIRouter:
    """The route, over one set of watches."""
    found = pages()
    changes = Changes(parts.ctx.cluster, parts.ctx.clock, parts.ctx.namespace)

    @found.get("/events")
    async def events(request: Request, of: Annotated[str, Query(max_length=253)] = "") -> Response:
        if changes.readers >= MOST_STREAMS:
            return Response("too many readers", 503, {"Retry-After": "60"})
        ctx = as_seen(request, parts)
        await run_in_threadpool(read.one, ctx, of) if of else await run_in_threadpool(read.sources, ctx)
        return StreamingResponse(told(changes, of), media_type="text/event-stream", headers=HEADERS)

    return found


async def told(changes: Changes, of: str) -> AsyncIterator[str]:
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
