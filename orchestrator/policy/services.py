"""Who calls whom, as service definitions say it: addresses in containers and ConfigMaps, Ingresses, monitors."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from orchestrator.errors import BadInput
from orchestrator.policy.fleet import TEMPLATED, Fleet, Workload
from orchestrator.policy.manifest import Document
from orchestrator.policy.pod import Pod
from orchestrator.policy.selector import matches

T = TypeVar("T")
Port = tuple[str, int]  # protocol and number at the destination's pod
SCHEMES = {
    "http": 80, "ws": 80, "https": 443, "wss": 443, "grpc": 80, "grpcs": 443, "postgres": 5432, "postgresql": 5432,
    "mysql": 3306, "redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "mongodb": 27017, "nats": 4222,
    "kafka": 9092, "memcached": 11211,
}  # fmt: skip
# Optional scheme and user, a host, an optional port.
_ADDRESS = re.compile(
    r"(?<![\w.@/-])(?:jdbc:)?(?:(?P<scheme>[a-z][a-z0-9+.-]{1,20})://)?(?:[^\s:/@,'\"]{0,64}(?::[^\s/,'\"]{0,128})?@)?"
    r"(?:(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>\d{1,5})(?!\d))?(?![\w-])"
)
_HOST_KEY = re.compile(
    r"(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|SERVERS|URL|URI|SERVICE|ENDPOINT|UPSTREAM|BROKERS?)$", re.I
)
MOST_TEXT = 256 * 1024
MOST_TOKENS = 5_000


@dataclass(frozen=True)
class Service:
    """A Service and the workloads behind it."""

    namespace: str
    name: str
    kind: str
    ports: tuple[Mapping[str, Any], ...]
    labels: Mapping[str, str]
    behind: tuple[Workload, ...]

    def at_pods(self, port: int | str | None) -> dict[Workload, set[Port]]:
        """The ports at the pods behind it, for one of its ports by number or name; all for None."""
        found: dict[Workload, set[Port]] = {}
        for entry in self.ports:
            if port is not None and port not in (entry.get("port"), entry.get("name")):
                continue
            target, protocol = entry.get("targetPort", entry["port"]), entry.get("protocol", "TCP")
            for workload in self.behind:
                found.setdefault(workload, set()).update(at_pod(workload.pod, target, protocol))
        return found


@dataclass(frozen=True)
class Edge:
    """A connection that is needed, and where that is said. An end that is a str is outside of the manifests:

    `internet`, an address, or `namespace NAME`.
    """

    src: Workload | str
    dst: Workload | str
    ports: frozenset[Port]
    origin: str


@dataclass(frozen=True)
class Platform:
    """Where things live that the manifests may not hold."""

    ingress: str = "ingress-nginx"
    monitoring: str = "monitoring"


def at_pod(pod: Pod, target: int | str, protocol: str) -> set[Port]:
    """A target port, a declared name resolved; empty where no container declares it."""
    if isinstance(target, int):
        return {(protocol, target)}
    return {(protocol, p.port) for p in pod.ports if p.name == target and p.protocol == protocol}


def edges(documents: Sequence[Document], fleet: Fleet, platform: Platform) -> list[Edge]:
    """Everything that the documents say is needed. Raises BadInput with file and line."""
    known_services = services(documents, fleet)
    named = {(s.namespace, s.name): s for s in known_services}
    maps = {
        (_space(d.obj), d.obj["metadata"]["name"]): d.obj for d in documents if d.obj["kind"] == "ConfigMap"
    }
    known = {(w.kind, w.pod.namespace, w.pod.name): w for w in fleet.workloads}
    found = [
        *_shaped(documents, lambda d: _addresses(d, known, named, maps)),
        *_outside(known_services),
        *_shaped(documents, lambda d: _ingresses(d, fleet, named, platform)),
        *_shaped(documents, lambda d: _monitors(d, fleet, known_services, platform)),
    ]
    return list(dict.fromkeys(found))


def services(documents: Sequence[Document], fleet: Fleet) -> list[Service]:
    """Every Service, with the workloads behind it. Raises BadInput with file and line."""
    return list(_shaped(documents, lambda d: _services(d, fleet)))


def sound(documents: Iterable[Document], fleet: Fleet) -> Iterator[tuple[Service, Document]]:
    """The Services whose shape is the API's, each with its document."""
    for document in documents:
        with suppress(BadInput):
            yield from ((service, document) for service in services([document], fleet))


def _shaped(documents: Sequence[Document], read: Callable[[Document], Iterator[T]]) -> Iterator[T]:
    """What is read of each document. Raises BadInput with file and line for one of another shape."""
    for document in documents:
        try:
            yield from read(document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            where = f"{document.path}:{document.line}"
            kind = document.obj["kind"]
            raise BadInput(f"{kind} is not of the shape that the API has ({error})", where) from None


def _space(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"].get("namespace") or "default")


def _services(document: Document, fleet: Fleet) -> Iterator[Service]:
    obj = document.obj
    if obj["kind"] != "Service" or obj["apiVersion"] != "v1":
        return
    spec, space = obj.get("spec") or {}, _space(obj)
    selector = spec.get("selector") or {}
    behind = [
        w
        for w in fleet.workloads
        if selector and w.pod.namespace == space and matches({"matchLabels": selector}, w.pod.labels)
    ]
    ports = []
    for entry in spec.get("ports") or []:
        target = entry.get("targetPort", entry["port"])
        if not isinstance(target, int | str) or not isinstance(entry["port"], int):
            raise TypeError(f"port {entry}")
        ports.append({**entry, "targetPort": target})
    labels = dict(obj["metadata"].get("labels") or {})
    kind = str(spec.get("type", "ClusterIP"))
    yield Service(space, obj["metadata"]["name"], kind, tuple(ports), labels, tuple(behind))


def _addresses(
    document: Document,
    known: Mapping[tuple[str, str, str], Workload],
    services: Mapping[tuple[str, str], Service],
    maps: Mapping[tuple[str, str], Mapping[str, Any]],
) -> Iterator[Edge]:
    obj = document.obj
    template = _template(obj)
    workload = known.get((obj["kind"], _space(obj), str(obj["metadata"]["name"])))
    if template is None or workload is None:
        return
    for key, text, origin in _texts(template.get("spec") or {}, _space(obj), maps):
        for found in _called(key, text, workload.pod.namespace, services):
            yield from _edge(workload, found, f"{origin} in {document.path}:{document.line}")


def _template(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    spec = obj.get("spec") or {}
    if obj["kind"] == "Pod":
        return obj
    if obj["kind"] == "CronJob":
        found: Mapping[str, Any] = spec["jobTemplate"]["spec"]["template"]
        return found
    return spec.get("template") if obj["kind"] in TEMPLATED else None


def _texts(
    spec: Mapping[str, Any], space: str, maps: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    """A key that may tell that it is an address, the text, and where it stands."""
    used: dict[str, None] = {}
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        for entry in container.get("env") or []:
            if entry.get("value") is not None:
                yield str(entry["name"]), str(entry["value"]), f"env {entry['name']}"
            reference = (entry.get("valueFrom") or {}).get("configMapKeyRef") or {}
            data = (maps.get((space, reference.get("name", ""))) or {}).get("data") or {}
            if reference.get("key") in data:
                yield str(entry["name"]), str(data[reference["key"]]), f"ConfigMap {reference['name']}"
        for text in [*(container.get("command") or []), *(container.get("args") or [])]:
            key, _, value = str(text).partition("=")
            yield key, value or str(text), "an argument"
        for entry in container.get("envFrom") or []:
            used[str((entry.get("configMapRef") or {}).get("name", ""))] = None
    for volume in spec.get("volumes") or []:
        used[str((volume.get("configMap") or {}).get("name", ""))] = None
        for part in (volume.get("projected") or {}).get("sources") or []:
            used[str((part.get("configMap") or {}).get("name", ""))] = None
    for name in used:
        for key, text in ((maps.get((space, name)) or {}).get("data") or {}).items():
            yield str(key), str(text), f"ConfigMap {name}"


def _called(
    key: str, text: str, space: str, services: Mapping[tuple[str, str], Service]
) -> Iterator[tuple[Service, int | None] | tuple[str, int]]:
    """Services with the port that is meant (None is all), and hosts outside with theirs."""
    for number, match in enumerate(_ADDRESS.finditer(text[:MOST_TEXT])):
        if number >= MOST_TOKENS:
            return
        scheme, host = match["scheme"] or "", (match["host"] or match["six"]).lower()
        port = int(match["port"]) if match["port"] else SCHEMES.get(scheme)
        service = _service(host, space, services)
        cluster = ".svc" in host
        whole = match.group(0) == text.strip() or text.strip().startswith(match.group(0) + ",")
        plain = whole and bool(_HOST_KEY.search(key))
        if service is not None and (scheme or match["port"] or cluster or plain):
            yield service, port
        elif service is None and scheme in SCHEMES and port and not cluster and _is_outside(host):
            yield host, port


def _service(host: str, space: str, services: Mapping[tuple[str, str], Service]) -> Service | None:
    """The Service of a name in the cluster's DNS; a StatefulSet's pod stands before its Service's name."""
    name, dot, rest = host.partition(".svc")
    if dot and rest not in ("", ".cluster.local") and not rest.startswith(".cluster."):
        return None
    parts = name.split(".")
    if len(parts) == 1:
        return services.get((space, parts[0]))
    if len(parts) == 2:
        found = services.get((parts[1], parts[0]))
        return found if found is not None or dot else services.get((space, parts[1]))
    return services.get((parts[2], parts[1])) if len(parts) == 3 else None


def _is_outside(host: str) -> bool:
    """An address, or a name that a public DNS could know."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".svc", ".localdomain"))
    return not (found.is_loopback or found.is_unspecified or found.is_link_local)


def _edge(
    workload: Workload, found: tuple[Service, int | None] | tuple[str, int], origin: str
) -> Iterator[Edge]:
    target, port = found
    if isinstance(target, str):
        try:
            where = str(ipaddress.ip_address(target))
        except ValueError:
            where = "internet"
        yield Edge(workload, where, frozenset({("TCP", int(port or 443))}), f"{target}:{port}, {origin}")
        return
    meant = target.at_pods(port)
    if not meant and port is not None and target.kind != "ExternalName":
        meant = {w: {("TCP", port)} for w in target.behind} if not target.ports else {}
    if target.kind == "ExternalName":
        yield Edge(
            workload, "internet", frozenset({("TCP", int(port or 443))}), f"Service {target.name}, {origin}"
        )
    for other, ports in meant.items():
        if ports:  # also among its own replicas
            told = f"{target.name}.{target.namespace}{f':{port}' if port else ''}"
            yield Edge(workload, other, frozenset(ports), f"{told}, {origin}")


def _outside(services: Sequence[Service]) -> Iterator[Edge]:
    for service in services:
        if service.kind in ("LoadBalancer", "NodePort"):
            for workload, ports in service.at_pods(None).items():
                yield Edge(
                    "internet", workload, frozenset(ports), f"Service {service.name} of type {service.kind}"
                )


def _ingresses(
    document: Document, fleet: Fleet, services: Mapping[tuple[str, str], Service], platform: Platform
) -> Iterator[Edge]:
    if document.obj["kind"] != "Ingress":
        return
    spec = document.obj.get("spec") or {}
    backends = [spec.get("defaultBackend") or {}]
    backends += [
        p["backend"] for r in spec.get("rules") or [] for p in (r.get("http") or {}).get("paths") or []
    ]
    for backend in backends:
        wanted = backend.get("service") or {}
        service = services.get((_space(document.obj), str(wanted.get("name", ""))))
        port = wanted.get("port") or {}
        if service is None:
            continue
        origin = f"Ingress {document.obj['metadata']['name']} in {document.path}:{document.line}"
        for workload, ports in service.at_pods(port.get("number", port.get("name"))).items():
            for front in _in(fleet, platform.ingress):
                if ports:
                    yield Edge(front, workload, frozenset(ports), origin)


def _monitors(
    document: Document, fleet: Fleet, services: Sequence[Service], platform: Platform
) -> Iterator[Edge]:
    obj, spec = document.obj, document.obj.get("spec") or {}
    if obj["kind"] not in ("ServiceMonitor", "PodMonitor"):
        return
    scope = spec.get("namespaceSelector") or {}
    spaces = None if scope.get("any") else set(scope.get("matchNames") or [_space(obj)])
    origin = f"{obj['kind']} {obj['metadata']['name']} in {document.path}:{document.line}"
    for workload, ports in _scraped(obj["kind"], spec, spaces, fleet, services):
        for scraper in _in(fleet, platform.monitoring, "prometheus"):
            if ports and scraper is not workload:
                yield Edge(scraper, workload, frozenset(ports), origin)


def _scraped(
    kind: str,
    spec: Mapping[str, Any],
    spaces: set[str] | None,
    fleet: Fleet,
    services: Sequence[Service],
) -> Iterator[tuple[Workload, set[Port]]]:
    selector = spec.get("selector") or {}
    if kind == "PodMonitor":
        for workload in fleet.workloads:
            pod = workload.pod
            if (spaces is None or pod.namespace in spaces) and matches(selector, pod.labels):
                for end in spec.get("podMetricsEndpoints") or []:
                    wanted = end.get("portNumber", end.get("port", end.get("targetPort")))
                    yield workload, at_pod(pod, wanted, "TCP") if wanted is not None else set()
        return
    for service in services:
        if (spaces is not None and service.namespace not in spaces) or not matches(selector, service.labels):
            continue
        for end in spec.get("endpoints") or []:
            if end.get("port") is not None:
                yield from service.at_pods(end["port"]).items()
            elif end.get("targetPort") is not None:
                for workload in service.behind:
                    yield workload, at_pod(workload.pod, end["targetPort"], "TCP")


def _in(fleet: Fleet, namespace: str, named: str = "") -> list[Workload | str]:
    """The workloads of a platform's namespace, those of a name where some are; itself where none is known."""
    mine = [w for w in fleet.workloads if w.pod.namespace == namespace]
    preferred = [w for w in mine if named and named in (w.pod.name, *w.pod.labels.values())]
    return list(preferred or mine) or [f"namespace {namespace}"]
