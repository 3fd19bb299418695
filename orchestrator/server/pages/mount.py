"""Puts the pages, their static files and their live events on an application."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from orchestrator.record.drawings.stylesheet import PLOT_CSS
from orchestrator.server.pages import (
    approve_page,
    emergency_page,
    history_page,
    live_events,
    now_page,
    rollout_page,
    why_page,
)
from orchestrator.server.pages.connection_map import map_page
from orchestrator.server.pages.finding import search_page
from orchestrator.server.pages.page import problem
from orchestrator.server.pages.standing import namespace_page, sources_page
from orchestrator.server.parts import Parts, Viewer

STATIC = Path(__file__).parent / "static"
PAGES = (
    now_page,
    sources_page,
    namespace_page,
    rollout_page,
    approve_page,
    emergency_page,
    why_page,
    history_page,
    search_page,
    map_page,
    live_events,
)


def install(app: FastAPI, parts: Parts) -> None:
    """Every page reads as `request.state.viewer`, whom the sign-in sets; without one it answers 401."""
    app.add_api_route("/static/record.css", _record_css, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(404, _unknown)
    for page in PAGES:
        app.include_router(page.router(parts))


async def _unknown(request: Request, error: Exception) -> Response:
    """A page for people who are signed in; for programs what it is without."""
    assert isinstance(error, HTTPException)
    known = isinstance(getattr(request.state, "viewer", None), Viewer)
    if known and "text/html" in request.headers.get("accept", ""):
        return problem(request, 404, "There is no such page", "a link may be old, or the address mistyped")
    return await http_exception_handler(request, error)


def _record_css() -> Response:
    """How the record's drawings look."""
    return Response(PLOT_CSS, media_type="text/css", headers={"Cache-Control": "max-age=3600"})
