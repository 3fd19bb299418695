"""/healthz, /readyz and /metrics."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from orchestrator.server.parts import Parts


def install(app: FastAPI, parts: Parts) -> None:
    """A process that answers is alive; it is ready where `parts` says so, leader or not."""

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz() -> PlainTextResponse:
        return PlainTextResponse("ok\n") if parts.ready() else PlainTextResponse("not yet\n", 503)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(parts.registry), media_type=CONTENT_TYPE_LATEST)
