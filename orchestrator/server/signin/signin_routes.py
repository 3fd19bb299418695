"""The pages of signing in and out."""

from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestrator.errors import Refused
from orchestrator.server.signin.auth_request import CALLBACK, OidcFlow
from orchestrator.server.signin.authentication import Admission, Denied
from orchestrator.server.signin.browser.destination import destination
from orchestrator.server.signin.session import Session
from orchestrator.server.signin.signin_context import SignInContext, fresh_token

TEMPLATES = Path(__file__).parent / "templates"


def routes(desk: SignInContext) -> APIRouter:
    """All below /signin, and /signout."""
    router, page, admission = APIRouter(include_in_schema=False), _Page(desk), Admission(desk)
    oidc = desk.settings.oidc
    travel = OidcFlow(desk, oidc, admission) if oidc.issuer else None

    def let_in(request: Request, session: Session, wanted: str) -> Response:
        response = RedirectResponse(destination(wanted), 303)
        try:
            desk.admit(response, session)
        except Refused as error:
            return page.show(request, wanted, str(error), 413)
        old = desk.session(request.cookies)
        if old is not None:
            desk.viewers.forget(old)
        return response

    def denied(request: Request, wanted: str, error: Denied) -> Response:
        structlog.get_logger().info("nobody is let in", reason=str(error), address=desk.address(request))
        return page.show(request, wanted, str(error), error.status)

    def tried_too_often(request: Request, wanted: str) -> Response | None:
        if desk.attempts.allowed(desk.address(request), desk.parts.ctx.clock.now()):
            return None
        found = page.show(request, wanted, "too many attempts; wait a minute and try again", 429)
        found.headers["Retry-After"] = "60"
        return found

    @router.get("/signin")
    def form(request: Request) -> Response:
        return page.show(request, request.query_params.get("next", ""))

    if desk.settings.token:

        @router.post("/signin/token")
        def by_token(
            request: Request, token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = ""
        ) -> Response:
            try:
                return tried_too_often(request, next) or let_in(request, admission.by_token(token), next)
            except Denied as error:
                return denied(request, next, error)

    if desk.parts.people:

        @router.post("/signin/person")
        def by_choice(
            request: Request, person: Annotated[str, Form()] = "", next: Annotated[str, Form()] = ""
        ) -> Response:
            try:
                return let_in(request, admission.by_choice(person), next)
            except Denied as error:
                return denied(request, next, error)

    if travel is not None:

        @router.get("/signin/oidc")
        def out(request: Request) -> Response:
            wanted = request.query_params.get("next", "")
            try:
                return tried_too_often(request, wanted) or travel.out(wanted)
            except Denied as error:
                return denied(request, wanted, error)

        @router.get(CALLBACK)
        def back(request: Request) -> Response:
            try:
                return tried_too_often(request, "") or let_in(
                    request, *travel.back(request.query_params, request.cookies)
                )
            except Denied as error:
                return denied(request, "", error)

    @router.post("/signout")
    def leave(request: Request) -> Response:
        response = RedirectResponse("/signin", 303)
        desk.sessions.clear(response)
        desk.viewers.forget(request.state.session)
        structlog.get_logger().info("signed out", user=request.state.viewer.user)
        return response

    return router


class _Page:
    """Renders the one template."""

    def __init__(self, desk: SignInContext) -> None:
        self._desk = desk
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = environment.get_template("signin.html")

    def show(self, request: Request, wanted: str, error: str = "", status: int = 200) -> Response:
        """The ways in that are open, with what went wrong in an alert."""
        desk, token = self._desk, self._desk.form_token(request.cookies)
        given = token or fresh_token()
        values: dict[str, Any] = {
            "csrf": given,
            "next": destination(wanted),
            "error": error,
            "viewer": request.state.viewer,
            "token": desk.settings.token,
            "oidc": bool(desk.settings.oidc.issuer),
            "people": desk.parts.people,
            "namespace": desk.parts.ctx.namespace,
        }
        response = HTMLResponse(self._template.render(values), status)
        if not token:
            desk.with_form(response, given)
        return response
