"""docs/reference/api.md and openapi.json: the addresses of the API and what they answer, from its own document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stage import Stage

from orchestrator.server.api.api_mount import routers
from orchestrator.server.api.openapi_document import document
from orchestrator.server.parts import Parts
from reference.tables import cell, table

HEAD = """# API

This page is written from the program itself by `make reference`. [openapi.json](openapi.json) has the same for machines, and a
server gives it at `/api/v1/openapi.json`.

{about}

What is sent with a request says who asks: a Kubernetes token as a bearer token, or the cookie of a session that was begun in
a browser ([signing in](../sign-in.md)). Then RBAC decides, as it does for the pages.

    TOKEN=$(kubectl -n netpol-canary create token dashboard)
    curl -H "Authorization: Bearer $TOKEN" "https://rollouts.example.com/api/v1/rollouts?phase=Paused"

A service account needs a role as people do: bind `netpol-canary-viewer` of `config/rbac` to it. No other site's scripts can read
an answer: there are no CORS headers, so that a dashboard of yours asks from its own server.

Whatever goes wrong is answered as problem details (RFC 9457, `application/problem+json`).
"""


def described() -> dict[str, Any]:
    """The document as a server gives it, whatever cluster it is over."""
    return document(routers(Parts(Stage().context())))


def text() -> str:
    """The document itself."""
    return json.dumps(described(), indent=1, ensure_ascii=False)


def page() -> str:
    """The whole page, as Markdown."""
    found = described()
    parts = [HEAD.format(about=found["info"]["description"])]
    for path, item in found["paths"].items():
        parts += _address(path, item["get"])
    parts.append("\n## What is in an answer\n")
    for name, schema in found["components"]["schemas"].items():
        parts += _schema(name, schema)
    return "\n".join(parts).rstrip()


def _address(path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n## GET {path}\n"
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    yield f"{operation['summary']}: {_kind(answer)}. Statuses: {', '.join(operation['responses'])}.\n"
    rows = [
        (f"`{p['name']}`", _kind(p["schema"]), cell(p.get("description", ""))) for p in _parameters(operation)
    ]
    if rows:
        yield table(("parameter", "value", ""), rows)


def _parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [p for p in operation.get("parameters", []) if p["in"] == "query"]


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {name}\n"
    yield f"{schema['description']}\n"
    rows = [(f"`{n}`", _kind(s), cell(s.get("description", ""))) for n, s in schema["properties"].items()]
    yield table(("field", "value", ""), rows)


def _kind(schema: dict[str, Any]) -> str:
    """A value in words, with a link to what it holds."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{v}`" if v else "empty" for v in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(_kind(s) for s in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    bounds = [f"{w} {schema[k]}" for w, k in (("from", "minimum"), ("to", "maximum")) if k in schema]
    default = [f"(default {schema['default']})"] if schema.get("default") else []
    words = {"date-time": "time"}.get(schema.get("format", ""), schema.get("type", "any"))
    return " ".join([words, *bounds, *default])
