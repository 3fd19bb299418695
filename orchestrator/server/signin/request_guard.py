"""Stands before every page: who is it, is the form ours, and which headers go out. Nothing passes unasked."""

from __future__ import annotations

from urllib.parse import quote

import anyio.to_thread
import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.errors import Forbidden
from orchestrator.server.parts import Viewer
from orchestrator.server.problem_details import for_programs, problem_details
from orchestrator.server.signin.authentication import Denied
from orchestrator.server.signin.bearer import Bearers, bearer_token
from orchestrator.server.signin.browser import csrf
from orchestrator.server.signin.browser.destination import destination
from orchestrator.server.signin.browser.headers import headers
from orchestrator.server.signin.signin_context import SignInContext

PUBLIC = ("/healthz", "/readyz", "/metrics")
PUBLIC_BELOW = ("/webhooks", "/static")
SIGN_IN = "/signin"
READS = ("GET", "HEAD")


def public(path: str) -> bool:
    """Whether a path is served without signing in; the pages of signing in are not among these."""
    return path in PUBLIC or any(_below(path, folder) for folder in PUBLIC_BELOW)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


class Guard:
    """ASGI middleware; sets `request.state.viewer`."""

    def __init__(self, app: ASGIApp, desk: SignInContext) -> None:
        self._app, self._desk, self._bearers = app, desk, Bearers(desk)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await _hung_up(receive, send)
            return
        path = _path(scope)
        out = _Outward(send, headers(self._desk.secure, _below(path, "/static")))
        scope.setdefault("state", {})["viewer"] = None
        if public(path):
            await self._app(scope, receive, out)
            return
        await self._let_in(scope, receive, out, _below(path, SIGN_IN))

    async def _by_token(self, scope: Scope, receive: Receive, out: _Outward, request: Request) -> None:
        """A program with a bearer token reads as whoever that is, and never as somebody else instead."""
        try:
            scope["state"]["viewer"] = await anyio.to_thread.run_sync(self._bearers.of, request)
            await self._app(scope, receive, out)
        except Denied as error:
            await _unknown(str(error), error.status)(scope, receive, out)
        except Forbidden as error:
            if error.status != 401 or out.started:
                raise
            self._bearers.forget(request)
            await _unknown("the cluster does not accept this token any more")(scope, receive, out)

    async def _let_in(self, scope: Scope, receive: Receive, out: _Outward, signing_in: bool) -> None:
        request = Request(scope)
        if scope["method"] in READS and for_programs(_path(scope)) and bearer_token(request):
            await self._by_token(scope, receive, out, request)
            return
        if self._desk.stale():
            await anyio.to_thread.run_sync(self._desk.refresh)
        session = self._desk.session(request.cookies)
        viewer = self._desk.viewers.of(session) if session else None
        unsafe = scope["method"] not in csrf.SAFE
        if viewer is None and not signing_in and not unsafe:
            viewer = self._desk.anybody
        if viewer is None and not signing_in:
            await self._refused(request)(scope, receive, out)
            return
        scope["state"]["viewer"] = viewer
        scope["state"]["session"] = session if viewer is not None and viewer.user else None
        if unsafe:
            try:
                receive = await self._ours(scope, receive, viewer, signing_in)
            except (csrf.Elsewhere, csrf.Unusable) as error:
                status = error.status if isinstance(error, csrf.Unusable) else 403
                said = PlainTextResponse(f"{error}\n", status)
                answer = problem_details(status, str(error)) if for_programs(_path(scope)) else said
                await answer(scope, receive, out)
                return
        try:
            await self._app(scope, receive, out)
        except Forbidden as error:
            if error.status != 401 or out.started:
                raise
            structlog.get_logger().info("a session's token is no longer accepted")
            await self._refused(request, ended=True)(scope, receive, out)

    async def _ours(self, scope: Scope, receive: Receive, viewer: Viewer | None, signing_in: bool) -> Receive:
        """The body of a form of ours, to be read once more. Raises Elsewhere, Unusable."""
        request = Request(scope)
        csrf.same_origin(request.headers, self._desk.settings.external_url)
        whole = await csrf.body(scope, receive)
        expected = self._desk.form_token(request.cookies) if signing_in else viewer.csrf if viewer else ""
        csrf.same_token(expected, await csrf.token(scope, whole))
        return csrf.replayed(whole, receive)

    def _refused(self, request: Request, ended: bool = False) -> Response:
        """To the way in for people, 401 for programs; a cookie that is worth nothing is taken back."""
        where = f"{SIGN_IN}?next={quote(_wanted(request), safe='')}"
        response: Response
        if request.headers.get("hx-request") == "true":
            response = PlainTextResponse("sign in first\n", 401, {"HX-Redirect": SIGN_IN})
        elif "text/html" in request.headers.get("accept", ""):
            response = RedirectResponse(where, 303)
        elif for_programs(_path(request.scope)):
            response = _unknown("sign in first, or send a bearer token that the cluster accepts")
        else:
            response = PlainTextResponse(
                "sign in first\n", 401, {"WWW-Authenticate": 'Session realm="/signin"'}
            )
        if ended or self._desk.sessions.read(request.cookies):
            self._desk.sessions.clear(response)
        return response


class _Outward:
    """Adds headers to the answer, and knows whether it has begun."""

    def __init__(self, send: Send, added: dict[str, str]) -> None:
        self._send, self._added, self.started = send, added, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            found = MutableHeaders(scope=message)
            for name, value in self._added.items():
                found[name] = value
        await self._send(message)


def _path(scope: Scope) -> str:
    """The path as the routes see it, without what a proxy put before it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _wanted(request: Request) -> str:
    """The page that was asked for, as a path; the first page where it was no page."""
    if request.method not in READS:
        return "/"
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    query = request.scope.get("query_string", b"")
    return destination((raw.split(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1"))


def _unknown(text: str, status: int = 401) -> Response:
    """Nobody is let in; of a token it is said how it is sent (RFC 6750, section 3)."""
    more = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "60"}}
    return problem_details(status, text, more.get(status))


async def _hung_up(receive: Receive, send: Send) -> None:
    """No page has a websocket."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})
