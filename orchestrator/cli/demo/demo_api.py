"""The served demo's API server for the command line: the part of Kubernetes' API that it asks, over the shop in memory."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from orchestrator.errors import ApiError, Forbidden, Invalid, NotFound, PortError
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS, group_of
from orchestrator.ports import Cluster, Event, Kind
from orchestrator.rollout.resources.kinds import KINDS as OURS
from orchestrator.rollout.resources.model import API_VERSION
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.sandbox.people import REVIEW, People, plural
from orchestrator.server.parts import Person

NAME = "netpol-canary-demo"
GIT_VERSION = "v1.34.0"
MOST_SECONDS = 600  # of one watch
MOST_BYTES = 3 << 20  # of a body, as an API server has it
REVIEWED = "SelfSubjectReview"
KINDS = tuple(
    Kind(version, kind)
    for version, kinds in {
        "v1": ("ConfigMap", "Event", "Namespace", "Pod", "Secret", "Service"),
        "apps/v1": ("DaemonSet", "Deployment", "StatefulSet"),
        "authentication.k8s.io/v1": (REVIEWED,),
        "authorization.k8s.io/v1": (REVIEW,),
        "coordination.k8s.io/v1": ("Lease",),
        "events.k8s.io/v1": ("Event",),
        "networking.k8s.io/v1": ("NetworkPolicy",),
        API_VERSION: tuple(OURS),
    }.items()
    for kind in kinds
) + tuple(Kind(k.api_version, k.kind) for k in POLICY_KINDS)
_ALONE = (
    "Namespace",
    REVIEW,
    REVIEWED,
    *(k.kind for k in POLICY_KINDS if not k.namespaced),
)  # in no namespace


class Asked(NamedTuple):
    """What a request is about; `name` and `part` (status, log) are empty where it names none."""

    kind: Kind
    namespace: str | None
    name: str
    part: str


def tokens(people: Sequence[Person]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """A new token for each person, which is good until the process ends."""
    return {secrets.token_urlsafe(32): (p.user, p.groups) for p in people}


def kubeconfig(
    path: Path, server: str, given: Mapping[str, tuple[str, tuple[str, ...]]], namespace: str
) -> None:
    """Write a file that its owner alone reads, with a context for each person, the first of them chosen."""
    names = {token: user for token, (user, _) in given.items()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server}}],
        "users": [{"name": user, "user": {"token": token}} for token, user in names.items()],
        "contexts": [
            {"name": user, "context": {"cluster": NAME, "user": user, "namespace": namespace}}
            for user in names.values()
        ],
        "current-context": next(iter(names.values())),
    }
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(config, file, indent=2)


def application(cluster: MemoryCluster, given: dict[str, tuple[str, tuple[str, ...]]]) -> FastAPI:
    """Whoever asks is the person whose token stands in the request; without one every answer is 401."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    people = People(cluster, tokens=given)

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def answer(request: Request, path: str) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in given:
            return _status(Forbidden("Unauthorized", 401, "Unauthorized"))
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return _status(ApiError("the body is too large", 413, "RequestEntityTooLarge"))
        known = people.with_token(token)
        query = request.query_params
        try:
            return await run_in_threadpool(_answer, known, request.method, path.strip("/"), query, body)
        except PortError as error:
            return _status(error)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _status(Invalid("the request cannot be read", 400, "BadRequest"))

    return app


def _answer(known: Cluster, method: str, path: str, query: Mapping[str, str], body: bytes) -> Response:
    if method == "GET" and (found := _discovery(path)) is not None:
        return JSONResponse(found)
    asked = _asked(path)
    if method == "GET":
        return _read(known, asked, query)
    given = json.loads(body) if body else {}
    if method == "DELETE":
        wanted = given.get("preconditions") or {}
        uid, version = wanted.get("uid", ""), wanted.get("resourceVersion", "")
        tried = {"uid": uid, "resource_version": version, "dry_run": given.get("dryRun") == ["All"]}
        known.delete(asked.kind, asked.name, asked.namespace, **tried)
        return JSONResponse({"apiVersion": "v1", "kind": "Status", "status": "Success"})
    if asked.kind.kind == REVIEWED:
        user, groups = known.user()
        return JSONResponse(
            {**given, "status": {"userInfo": {"username": user, "groups": list(groups)}}}, 201
        )
    if Kind(given["apiVersion"], given["kind"]) != asked.kind or asked.name not in (
        "",
        given["metadata"]["name"],
    ):
        raise Invalid("the object is not the one of the request's path", 400, "BadRequest")
    if asked.kind.kind != REVIEW and (given["metadata"].get("namespace") or None) != asked.namespace:
        raise Invalid("the object's namespace is not that of the request's path", 400, "BadRequest")
    dry_run = query.get("dryRun") == "All"
    if method == "POST":
        return JSONResponse(known.create(given, dry_run=dry_run), 201)
    if asked.part == "status":
        return JSONResponse(known.replace_status(given, dry_run=dry_run))
    return JSONResponse(known.replace(given, dry_run=dry_run))


def _read(known: Cluster, asked: Asked, query: Mapping[str, str]) -> Response:
    kind, namespace, labels = asked.kind, asked.namespace, query.get("labelSelector", "")
    if asked.part == "log":
        limits = {"lines": int(query.get("tailLines", 0)), "limit_bytes": int(query.get("limitBytes", 65536))}
        return Response(known.log(asked.name, namespace or "", **limits), media_type="text/plain")
    if asked.name:
        return JSONResponse(known.get(kind, asked.name, namespace))
    if query.get("watch") in ("true", "1"):
        seconds = min(int(query.get("timeoutSeconds", MOST_SECONDS)), MOST_SECONDS)
        since = query.get("resourceVersion", "")
        events = known.watch(kind, namespace, labels, since=since, seconds=seconds)
        return StreamingResponse(_streamed(events), media_type="application/json")
    items = known.list(kind, namespace, labels)
    head = {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": {}}
    return JSONResponse({**head, "items": items})


def _streamed(events: Iterator[Event]) -> Iterator[str]:
    try:
        for event in events:
            yield json.dumps({"type": event.type, "object": event.obj}) + "\n"
    except ApiError as error:
        yield json.dumps({"type": "ERROR", "object": _told(error)}) + "\n"


def _asked(path: str) -> Asked:
    """Kubernetes API concepts, "Resource URIs". Raises NotFound."""
    root, _, rest = path.partition("/")
    parts = rest.split("/")
    taken = {"api": 1, "apis": 2}.get(root, 0)
    version, parts = "/".join(parts[:taken]), parts[taken:]
    namespace = parts[1] if len(parts) > 2 and parts[0] == "namespaces" else None
    name = parts[2:] if namespace else parts
    plural_, one, part, *more = [*name, "", "", ""]
    kind = next((k for k in KINDS if k.api_version == version and plural(k.kind) == plural_), None)
    if kind is None or any(more):
        raise NotFound("the demo's API server does not have this", 404, "NotFound")
    return Asked(kind, namespace, one, part)


def _discovery(path: str) -> dict[str, Any] | None:
    """What clients ask first; None for a path of objects."""
    grouped = sorted({k.api_version for k in KINDS} - {"v1"})
    root, _, version = path.partition("/")
    if path == "version":
        return {"major": "1", "minor": "34", "gitVersion": GIT_VERSION}
    if path == "api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "apis":
        groups = [_group(name, list(found)) for name, found in groupby(grouped, group_of)]
        return {"apiVersion": "v1", "kind": "APIGroupList", "groups": groups}
    if path == "api/v1" or (root == "apis" and version in grouped):
        return _resources(version)
    return None


def _group(name: str, api_versions: list[str]) -> dict[str, Any]:
    served = [{"groupVersion": v, "version": v.partition("/")[2]} for v in api_versions]
    return {"name": name, "versions": served, "preferredVersion": served[-1]}


def _resources(api_version: str) -> dict[str, Any]:
    kinds = [k.kind for k in KINDS if k.api_version == api_version]
    found = [
        {
            "name": plural(kind),
            "singularName": kind.lower(),
            "namespaced": kind not in _ALONE,
            "kind": kind,
            "verbs": ["create", "delete", "get", "list", "update", "watch"],
        }
        for kind in kinds
    ]
    return {"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": api_version, "resources": found}


def _status(error: PortError) -> JSONResponse:
    told = _told(error)
    return JSONResponse(told, told["code"])


def _told(error: PortError) -> dict[str, Any]:
    code, reason = getattr(error, "status", 500), getattr(error, "reason", "") or type(error).__name__
    head = {"apiVersion": "v1", "kind": "Status", "status": "Failure"}
    return {**head, "message": str(error), "reason": reason, "code": code}
