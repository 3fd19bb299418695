"""The OpenAPI document, from the addresses and the models of their answers themselves."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from orchestrator.server.api.answers import Problem
from orchestrator.server.api.api_route import PROBLEMS
from orchestrator.server.problem_details import PROBLEM

VERSION = "1.0.0"
ABOUT = (
    "What the pages of netpol-canary show, as JSON. Read-only: each answer is read from the cluster with the rights of "
    "whoever asks. A list comes in parts: `continue` of one is the parameter of that name for the next. Answers have an "
    "`ETag`; with `If-None-Match`, one that has not changed is 304. Fields may be added: ignore those that you do not know."
)
SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A Kubernetes token, as `kubectl create token` gives it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-netpol-canary-session.0",
        "description": "The session of a browser that has signed in.",
    },
}


def document(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """All of it, as plain data."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    found = get_openapi(
        title="netpol-canary", version=VERSION, openapi_version="3.1.0", description=ABOUT, routes=routes
    )
    parts = found.setdefault("components", {})
    schemas = {
        k: v
        for k, v in parts.get("schemas", {}).items()
        if k not in ("HTTPValidationError", "ValidationError")
    }
    schemas["Problem"] = Problem.model_json_schema()
    parts["schemas"], parts["securitySchemes"] = dict(sorted(schemas.items())), SECURITY
    for path, item in found["paths"].items():
        for operation in item.values():
            operation["operationId"] = _id(path)
            operation["responses"] = {"200": operation["responses"]["200"], **_problems("{name}" in path)}
    found["security"] = [{name: []} for name in SECURITY]
    return found


def _id(path: str) -> str:
    """`/api/v1/rollouts/{name}/evidence` is `rollouts-name-evidence`."""
    return "-".join(part.strip("{}") for part in path.split("/")[3:])


def _problems(named: bool) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found = {str(k): {"description": v, "content": content} for k, v in PROBLEMS.items() if named or k != 404}
    return {"304": {"description": "It has not changed since `If-None-Match`."}, **found}
