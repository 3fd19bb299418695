"""What every page has: a viewer, whose eyes it reads with, and one plain page for what goes wrong."""

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from orchestrator.context import Context
from orchestrator.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NetpolCanaryError,
    NotFound,
    Refused,
)
from orchestrator.server.pages.render import render
from orchestrator.server.parts import Parts, Viewer

STATUS: tuple[tuple[type[NetpolCanaryError], int, str], ...] = (
    (NotFound, 404, "There is no such thing here"),
    (Forbidden, 403, "You may not see or do this"),
    (Conflict, 409, "It changed meanwhile"),
    (Refused, 409, "That does not go now"),
    (BadInput, 400, "That cannot be right"),
)


class Page(APIRoute):
    """Turns this program's own errors into a page; nothing of the server's inside is told."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            viewer(request)
            try:
                return await handle(request)
            except RequestValidationError:
                return problem(request, 400, "That cannot be right", "a field is missing or too long")
            except NetpolCanaryError as error:
                if isinstance(error, Forbidden) and error.status == 401:
                    raise  # the session's own end, which the sign-in knows what to do with
                for kind, status, title in STATUS:
                    if isinstance(error, kind):
                        return problem(request, status, title, str(error))
                structlog.get_logger().warning(
                    "a page could not be read", path=request.url.path, error=str(error)
                )
                return problem(request, 503, "The cluster does not answer", "try again in a moment")

        return handled


def pages() -> APIRouter:
    """A router whose routes are pages."""
    return APIRouter(route_class=Page, default_response_class=HTMLResponse, include_in_schema=False)


def viewer(request: Request) -> Viewer:
    """Who is signed in; 401 where nobody is, whatever stands in front of this."""
    found = getattr(request.state, "viewer", None)
    if not isinstance(found, Viewer):
        raise HTTPException(401, "sign in first")
    return found


def as_seen(request: Request, parts: Parts) -> Context:
    """The context with the viewer's own rights."""
    return replace(parts.ctx, cluster=viewer(request).cluster)


def checked(request: Request, csrf: str) -> Viewer:
    """The viewer, where the form is one of theirs; the sign-in checks the same before."""
    found = viewer(request)
    if not found.csrf or not hmac.compare_digest(csrf.encode(), found.csrf.encode()):
        raise HTTPException(403, "the form is not from your session; load the page again")
    return found


def problem(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    """One plain page."""
    found = render(request, "problem.html", None, title=title, text=text)
    return HTMLResponse(found.body, status)
