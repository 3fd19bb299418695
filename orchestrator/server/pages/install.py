"""Puts the pages, their static files and their live events on an application."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles

from orchestrator.record.look import PLOT_CSS
from orchestrator.server.pages import approve, events, history, now, rollout, why
from orchestrator.server.parts import Parts

STATIC = Path(__file__).parent / "static"


def install(app: FastAPI, parts: Parts) -> None:
    """Every page reads as `request.state.viewer`, whom the sign-in sets; without one it answers 401."""
    app.add_api_route("/static/record.css", _record_css, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for page in (now, rollout, approve, why, history, events):
        app.include_router(page.router(parts))


def _record_css() -> Response:
    """How the record's drawings look."""
    return Response(PLOT_CSS, media_type="text/css", headers={"Cache-Control": "max-age=3600"})
