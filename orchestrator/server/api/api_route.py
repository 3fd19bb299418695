"""What every address of the API does: read as whoever asks, problems as RFC 9457 has them, and nothing sent twice."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from orchestrator.errors import Forbidden, NetpolCanaryError
from orchestrator.server.api.answers import Answer
from orchestrator.server.pages.page import STATUS, viewer
from orchestrator.server.problem_details import API, AsciiJson, problem_details

V1 = f"{API}/v1"
Handler = TypeVar("Handler", bound=Callable[..., Any])
PROBLEMS = {
    400: "A parameter cannot be right.",
    401: "Nobody is signed in, and there is no bearer token that the cluster accepts.",
    403: "The cluster does not let you see this.",
    404: "There is no such thing.",
    429: "Too many tokens that nobody knows, from your address; wait a minute.",
    502: "The cluster does not say whose the token is.",
    503: "The cluster does not answer; try again in a moment.",
}


class ApiRoute(APIRoute):
    """Turns this program's own errors into problems; nothing of the server's inside is told."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            viewer(request)
            try:
                return unless_known(request, await handle(request))
            except RequestValidationError as error:
                return problem_details(400, "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors()))
            except NetpolCanaryError as error:
                return _problem(request, error)

        return handled


def _problem(request: Request, error: NetpolCanaryError) -> Response:
    if isinstance(error, Forbidden) and error.status == 401:
        raise error  # the session's own end, which the sign-in knows what to do with
    for kind, status, _ in STATUS:
        if isinstance(error, kind):
            return problem_details(status, str(error))
    structlog.get_logger().warning("an answer could not be read", path=request.url.path, error=str(error))
    return problem_details(503, "the cluster does not answer; try again in a moment", {"Retry-After": "5"})


def unless_known(request: Request, response: Response) -> Response:
    """The answer with a tag of its content; 304 where the reader has that already (RFC 9110, section 13.1.2)."""
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    known = [t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers={"ETag": tag}) if tag in known or "*" in known else response


def api_router() -> APIRouter:
    """A router whose routes are addresses of the API."""
    return APIRouter(prefix=V1, route_class=ApiRoute, default_response_class=AsciiJson)


def reading(router: APIRouter, path: str, model: type[Answer], summary: str) -> Callable[[Handler], Handler]:
    """Declares who answers a GET, and a HEAD, with what."""

    def declare(handler: Handler) -> Handler:
        more = {"response_model": model, "summary": summary, "response_description": "As asked."}
        router.add_api_route(path, handler, methods=["GET"], **more)  # type: ignore[arg-type]
        router.add_api_route(path, handler, methods=["HEAD"], include_in_schema=False)
        return handler

    return declare
