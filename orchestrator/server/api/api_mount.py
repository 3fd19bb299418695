"""Puts the API on an application."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from orchestrator.server.api import namespace_endpoints, rollout_endpoints, source_endpoints
from orchestrator.server.api.api_route import V1, api_router
from orchestrator.server.api.openapi_document import document
from orchestrator.server.pages.page import viewer
from orchestrator.server.parts import Parts
from orchestrator.server.problem_details import API, AsciiJson, problem_details

ENDPOINTS = (source_endpoints, rollout_endpoints, namespace_endpoints)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
READS = ("GET", "HEAD")


def routers(parts: Parts) -> list[APIRouter]:
    """Everything that is documented."""
    return [endpoints.router(parts) for endpoints in ENDPOINTS]


def install(app: FastAPI, parts: Parts) -> None:
    """Every answer is read as `request.state.viewer`, whom the sign-in sets; without one it is 401."""
    found = routers(parts)
    for router in (*found, _described(document(found)), _rest()):
        app.include_router(router)


def _described(content: dict[str, Any]) -> APIRouter:
    """The address of the document."""
    found = api_router()

    def openapi() -> Response:
        return AsciiJson(content)

    found.add_api_route("/openapi.json", openapi, methods=[*READS], include_in_schema=False)
    return found


def _rest() -> APIRouter:
    """A problem for whatever else is asked below /api."""
    found = APIRouter(include_in_schema=False)
    for path in (API, f"{API}/{{rest:path}}"):
        found.add_api_route(path, _nothing, methods=METHODS)
    return found


def _nothing(request: Request) -> Response:
    viewer(request)
    if request.method in READS:
        return problem_details(404, f"there is no such address; {V1}/openapi.json describes those that are")
    return problem_details(405, "this is for reading alone", {"Allow": "GET, HEAD"})
