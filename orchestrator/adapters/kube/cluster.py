"""The Kubernetes API on the DynamicClient, with plain dicts and this project's errors."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestrator.adapters.kube import callers
from orchestrator.adapters.kube.kubeconfig import UNUSABLE, explained
from orchestrator.adapters.kube.port_forward import PodPort
from orchestrator.adapters.request_log import Exchange, answered, told
from orchestrator.errors import (
    ApiError,
    Busy,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PortError,
    Unreachable,
)
from orchestrator.harmless import one_line
from orchestrator.ports import Event, Kind, Manifest
from orchestrator.rollout.resources.model import GROUP

MANAGER = "netpol-canary"
POD = Kind("v1", "Pod")
APPLY = "application/apply-patch+yaml"
PAGE = 500
# A page of what stands in a cluster; our own resources hold policy sets of up to 1 MiB each.
MOST_BYTES, MOST_OWN_BYTES = 64 << 20, PAGE * 3 << 19
POOL = 32
MOST_SHOWN = 80  # characters of a name
_CLASSES: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
}
Query = list[tuple[str, Any]]
Objects = list[Manifest]
OUTDATED = (
    "the cluster's CRDs are older than this netpol-canary: "
    "`netpol-canary crds | kubectl apply --server-side --force-conflicts -f -` upgrades them"
)
_WRITE = [("fieldValidation", "Strict"), ("fieldManager", MANAGER)]


def connect(kubeconfig: str = "", context: str = "", timeout: float = 5.0) -> KubernetesCluster:
    """The cluster of a kubeconfig, or the one that this process runs in. Raises BadInput."""
    from kubernetes import client, config

    settings = client.Configuration()
    try:
        if kubeconfig or context or not _inside(config, settings):
            config.load_kube_config(kubeconfig or None, context or None, settings, persist_config=False)
    except (config.ConfigException, *UNUSABLE) as error:
        text = " ".join(str(error).split())
        raise explained(kubeconfig, context, text) from None
    settings.connection_pool_maxsize = POOL
    settings.retries = False
    api = client.ApiClient(settings)
    _tell_requests(api)
    return KubernetesCluster(api, timeout)


def _tell_requests(api: Any) -> None:
    """Its requests are in the request log from here on."""
    ask = api.rest_client.request

    def request(method: str, url: str, headers: Any = None, body: Any = None, **more: Any) -> Any:
        with told(Exchange(method.upper(), url, headers or {}, body)) as exchange:
            answer = ask(method, url, headers=headers, body=body, **more)
            exchange.outcome = str(answer.status)
            return answer

    api.rest_client.request = request


def _inside(config: Any, settings: Any) -> bool:
    try:
        config.load_incluster_config(settings)
    except config.ConfigException:
        return False
    return True


class KubernetesCluster:
    """Implements `Cluster`; `timeout` in seconds holds for each request.

    Where `discovery` is given, that cluster is asked which resources there are.
    """

    def __init__(self, api: Any, timeout: float = 5.0, discovery: KubernetesCluster | None = None) -> None:
        self._api, self._timeout, self._discovery = api, timeout, discovery
        self._client: Any = None
        self._resources: dict[Kind, Any] = {}
        self._lock = threading.Lock()

    def port_forward(self, pod: str, namespace: str, port: int, seconds: float) -> socket.socket:
        """A connection to a port of a pod, in so many seconds. Raises Forbidden, NotFound, ApiError, Unreachable."""
        return PodPort(self._api, namespace, pod, port, seconds).open()

    def token(self) -> str:
        """The bearer token that this process calls with, as it is now; empty where it has another proof of who it is."""
        given = self._api.configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        return str(given).removeprefix("Bearer ").strip()

    def with_token(self, token: str) -> KubernetesCluster:
        """The same API server with this bearer token, and with no credentials of this process. Raises Refused."""
        return KubernetesCluster(callers.bearing(self._api, token), self._timeout, self)

    def impersonating(self, user: str, groups: tuple[str, ...]) -> KubernetesCluster:
        """The same API server with the same credentials, in another's name. Raises Refused for `system:` names."""
        return KubernetesCluster(callers.impersonating(self._api, user, groups), self._timeout, self)

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest:
        return self._json("get", self._path(kind, namespace, name))

    def list(self, kind: Kind, namespace: str | None = None, labels: str = "") -> Objects:
        path = self._path(kind, namespace)
        for attempt in (1, 2):
            try:
                return [
                    {**o, "apiVersion": kind.api_version, "kind": kind.kind}
                    for o in self._pages(path, labels)
                ]
            except Gone:
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _pages(self, path: str, labels: str) -> Objects:
        found: Objects = []
        token = ""
        while True:
            query: Query = [("limit", PAGE)]
            query += [("labelSelector", labels)] if labels else []
            query += [("continue", token)] if token else []
            page = self._json("get", path, query)
            found += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return found

    def create(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        kind, namespace, _ = _identity(obj)
        return self._json("post", self._path(kind, namespace), _writing(dry_run), obj)

    def replace(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        return self._json("put", self._path(*_place(obj)), _writing(dry_run), obj)

    def apply(self, obj: Manifest, manager: str, *, dry_run: bool = False) -> Manifest:
        """Server-side apply in the name of a field manager, taking over what others own: for installing alone."""
        query: Query = [("fieldValidation", "Strict"), ("fieldManager", manager), ("force", "true")]
        query += [("dryRun", "All")] if dry_run else []
        return self._json("patch", self._path(*_place(obj)), query, obj)

    def version(self) -> str:
        """The API server's version, such as v1.34.4."""
        return str(self._json("get", "/version").get("gitVersion", ""))

    def replace_status(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        return self._json("put", self._path(*_place(obj)) + "/status", _writing(dry_run), obj)

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None,
        *,
        uid: str,
        resource_version: str,
        dry_run: bool = False,
    ) -> None:
        wanted = {"uid": uid, "resourceVersion": resource_version}
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {k: v for k, v in wanted.items() if v},
            **({"dryRun": ["All"]} if dry_run else {}),  # beside a body the address would not be asked
        }
        self._json("delete", self._path(kind, namespace, name), [], body)

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        query: Query = [("watch", "true"), ("timeoutSeconds", max(1, int(seconds)))]
        query += [("labelSelector", labels)] if labels else []
        query += [("resourceVersion", since)] if since else []
        answer = self._send("get", self._path(kind, namespace), query, None, seconds + self._timeout)
        try:
            for line in _lines(answer):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _status_error(event["object"].get("code", 500), event["object"])
                if event["type"] != "BOOKMARK":
                    yield Event(event["type"], event["object"])
        finally:
            answer.release_conn()

    def log(self, name: str, namespace: str, *, lines: int = 0, limit_bytes: int = 65536) -> str:
        query: Query = [("limitBytes", limit_bytes)]
        query += [("tailLines", lines)] if lines else []
        answer = self._send("get", self._path(POD, namespace, name) + "/log", query, None, self._timeout)
        return str(self._translated(lambda: answer.data.decode("utf-8", "replace")))

    def user(self) -> tuple[str, tuple[str, ...]]:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        info = self._json("post", "/apis/authentication.k8s.io/v1/selfsubjectreviews", [], review)
        found = info["status"]["userInfo"]
        return str(found.get("username", "")), tuple(found.get("groups") or [])

    def _path(self, kind: Kind, namespace: str | None, name: str | None = None) -> str:
        """Of an object, or of a kind. Raises NotFound for a name that none has: its path would be another's."""
        resource = self._resource(kind)
        place = namespace if resource.namespaced else None
        for part in (name, place):
            if part is not None and (part in (".", "..") or not {"/", "%"}.isdisjoint(part)):
                raise NotFound(f"no {kind.kind} is called {one_line(part)[:MOST_SHOWN]!r}")
        name, place = (part and quote(part, safe="") for part in (name, place))
        return str(resource.path(name=name, namespace=place))

    def _resource(self, kind: Kind) -> Any:
        if self._discovery is not None:
            return self._discovery._resource(kind)
        with self._lock:
            if kind not in self._resources:
                self._resources[kind] = self._translated(lambda: self._discover(kind))
            return self._resources[kind]

    def _discover(self, kind: Kind) -> Any:
        from kubernetes.dynamic import DynamicClient
        from kubernetes.dynamic.exceptions import ResourceNotFoundError

        if self._client is None:
            self._client = DynamicClient(self._api, discoverer=_in_memory)
        try:
            return self._client.resources.get(api_version=kind.api_version, kind=kind.kind)
        except ResourceNotFoundError:
            text = f"the cluster has no {kind.kind} of {kind.api_version}"
            raise NotFound(f"{text}; `netpol-canary crds | kubectl apply -f -` installs ours") from None

    def _json(self, method: str, path: str, query: Query | None = None, body: Any = None) -> Manifest:
        try:
            answer = self._send(method, path, query or [], body, self._timeout)
        except Invalid as error:
            raise _explained(path, error) from None
        most = MOST_OWN_BYTES if f"/{GROUP}/" in path else MOST_BYTES
        body = self._translated(lambda: _whole(answer, self._timeout, most))
        answered(f"{method.upper()} {path}", lambda: body)
        found: Manifest = self._translated(lambda: json.loads(body))
        return found

    def _send(self, method: str, path: str, query: Query, body: Any, timeout: float) -> Any:
        if self._client is None:
            from kubernetes.dynamic import DynamicClient

            with self._lock:
                known = (lambda client, cache: None) if self._discovery else _in_memory
                self._client = self._client or self._translated(
                    lambda: DynamicClient(self._api, discoverer=known)
                )

        def ask() -> Any:
            return self._client.request(
                method,
                path,
                body=body,
                query_params=list(query),
                header_params={"Accept": "application/json"},
                serialize=False,
                _request_timeout=timeout,
                **({"content_type": APPLY} if method == "patch" else {}),
            )

        return self._translated(lambda: _read_again(ask) if method == "get" else ask())

    def _translated(self, work: Callable[[], Any]) -> Any:
        import urllib3
        from kubernetes.client.exceptions import ApiException
        from kubernetes.dynamic.exceptions import DynamicApiError

        try:
            return work()
        except PortError:
            raise
        except (ApiException, DynamicApiError) as error:
            raise _translated_error(error) from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            text = " ".join(str(error).split())[:300]
            raise Unreachable(f"the API server gave no answer: {text}") from None


def _identity(obj: Manifest) -> tuple[Kind, str | None, str]:
    meta = obj.get("metadata") or {}
    return Kind(obj["apiVersion"], obj["kind"]), meta.get("namespace"), meta.get("name", "")


def _place(obj: Manifest) -> tuple[Kind, str | None, str]:
    kind, namespace, name = _identity(obj)
    if not name:
        raise Invalid("metadata.name is required")
    return kind, namespace, name


def _writing(dry_run: bool) -> Query:
    return [*_WRITE, ("dryRun", "All")] if dry_run else list(_WRITE)


def _in_memory(client: Any, cache_file: Any) -> Any:
    """Finds resources without the library's file in the shared temporary folder.

    Its name is known to all: whoever put one there would say where requests with our credentials go, and one of an
    earlier server is wrong.
    """
    from kubernetes.dynamic.discovery import LazyDiscoverer

    class InMemory(LazyDiscoverer):  # type: ignore[misc]
        def _write_cache(self) -> None:
            """Keeps it for this process."""

    return InMemory(client, str(Path(os.devnull) / "none"))


def _read_again(ask: Callable[[], Any]) -> Any:
    """What a read answers; asked once more where the connection was closed unanswered, as one may be that was kept open."""
    import urllib3

    try:
        return ask()
    except urllib3.exceptions.ProtocolError:
        return ask()


def _whole(answer: Any, seconds: float, most: int) -> bytes:
    """The body, in at most so many bytes and, however slowly it drips, about so many seconds."""
    end, found = time.monotonic() + seconds, bytearray()
    while part := answer.read1(1 << 20):
        found += part
        if len(found) > most:
            answer.close()
            raise ValueError(f"the answer is larger than {most >> 20} MiB")
        if time.monotonic() > end:
            answer.close()
            raise ValueError(f"the answer took longer than {seconds:g} s")
    answer.release_conn()
    return bytes(found)


def _lines(answer: Any) -> Iterator[str]:
    import urllib3

    rest = b""
    with suppress(urllib3.exceptions.HTTPError, OSError):
        for part in answer.stream(None, decode_content=False):
            *whole, rest = (rest + part).split(b"\n")
            yield from (line.decode() for line in whole if line.strip())


def _translated_error(error: Any) -> PortError:
    status = int(getattr(error, "status", 0) or 0)
    if not status:
        return Unreachable(f"the API server gave no answer: {' '.join(str(error).split())[:300]}")
    try:
        body = json.loads(error.body)
    except (TypeError, ValueError):
        body = {"message": getattr(error, "reason", "") or "no message"}
    after = dict(getattr(error, "headers", None) or {}).get("Retry-After", "0")
    return _status_error(status, body, float(after) if str(after).isdecimal() else 0.0)


def _explained(path: str, error: Invalid) -> Invalid:
    """The same, and what to do where a CRD of ours does not know a field that is written, or one of its values."""
    if f"/{GROUP}/" not in path or not any(
        what in str(error) for what in ("unknown field", "Unsupported value")
    ):
        return error
    return Invalid(f"{error}; {OUTDATED}", error.status, error.reason)


def _status_error(status: int, body: Any, after: float = 0.0) -> ApiError:
    if not isinstance(body, dict):
        body = {"message": str(body)}
    message = " ".join(str(body.get("message", "")).split())[:1000]
    found = _CLASSES.get(status, Busy if status == 429 or status >= 500 else ApiError)
    return found(message or f"HTTP {status}", status, str(body.get("reason", "")), after)
