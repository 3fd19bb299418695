"""`/history`: rollouts that ended, searched; how often they go well and how quickly they are put back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from orchestrator.server.pages.page import pages
from orchestrator.server.pages.render import render
from orchestrator.server.parts import Parts


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/history")
    def history(request: Request) -> HTMLResponse:
        return render(request, "problem.html", None, title="History", text="")

    return found
