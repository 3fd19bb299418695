"""What is served over HTTP, put together from its parts."""

import traceback
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from orchestrator.server import api, health, pages, signin
from orchestrator.server.parts import Parts
from orchestrator.server.problem_details import for_programs, problem_details
from orchestrator.server.settings import Settings
from orchestrator.server.webhooks import webhook_routes as webhooks

MOST_TRACE = 4000


def create(parts: Parts, settings: Settings) -> FastAPI:
    """The application. What has to run beside it is in `app.state.background`, as context managers."""
    app = FastAPI(
        title="netpol-canary",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        exception_handlers={Exception: _unexpected},
    )
    app.state.background = []
    health.install(app, parts)
    if settings.webhooks.enabled:
        webhooks.install(app, parts, settings.webhooks)
    if settings.pages.enabled:
        signin.install(app, parts, settings.signin)
        pages.install(app, parts)
        api.install(app, parts)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    background: list[AbstractContextManager[object]] = app.state.background
    with ExitStack() as stack:
        for item in background:
            stack.enter_context(item)
        running = stack.pop_all()
    try:
        yield
    finally:
        await run_in_threadpool(running.close)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    trace = "".join(traceback.format_exception(error))[-MOST_TRACE:]  # without locals, which hold secrets
    structlog.get_logger().error("a request failed", path=request.url.path, trace=trace)
    said = "this went wrong here; the log says how"
    return (
        problem_details(500, said) if for_programs(request.url.path) else JSONResponse({"error": said}, 500)
    )
