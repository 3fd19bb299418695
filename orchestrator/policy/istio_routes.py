"""Where Istio's VirtualServices lead: the proxies of its Gateways, and callers within the mesh.

Source: Istio's API, networking.istio.io: VirtualService, Gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.controllers import Controllers
from orchestrator.policy.entrances import NOT_OPENED, Named, to_backend
from orchestrator.policy.fleet import Workload
from orchestrator.policy.manifest import Document
from orchestrator.policy.needed import Edge, Found, Note, space_of
from orchestrator.policy.selector import matches

GROUP = "networking.istio.io/"
MESH = "mesh"
Key = tuple[str, str]


def istio_routes(
    document: Document, documents: Sequence[Document], services: Named, known: Controllers
) -> Iterator[Found]:
    """What the proxies of a VirtualService's Gateways connect to."""
    obj = document.obj
    if not _is(obj, "VirtualService"):
        return
    origin = f"VirtualService {obj['metadata']['name']} in {document.where}"
    ends: list[Workload | str | Note] = []
    for name in (obj.get("spec") or {}).get("gateways") or []:
        if name != MESH:
            ends += _proxies(documents, known, str(name), space_of(obj), origin)
    for key, port in dict.fromkeys(_destinations(obj)) if ends else ():
        yield from to_backend(ends, services, key, port, origin)


def within_the_mesh(document: Document, services: Named, edges: Iterable[Edge]) -> Iterator[Edge]:
    """What calls the hosts of a VirtualService within the mesh comes to where that leads."""
    obj = document.obj
    spec = obj.get("spec") or {}
    if not _is(obj, "VirtualService") or MESH not in (spec.get("gateways") or [MESH]):
        return
    hosts = (services.get(_key(str(host), space_of(obj))) for host in spec.get("hosts") or [])
    meant = {w.name for service in hosts if service is not None for w in service.behind}
    callers = {
        e.src.name: e.src
        for e in edges
        if isinstance(e.src, Workload) and isinstance(e.dst, Workload) and e.dst.name in meant
    }
    origin = f"VirtualService {obj['metadata']['name']} in {document.where}"
    for key, port in dict.fromkeys(_destinations(obj)):
        service = services.get(key)
        for workload, ports in service.at_pods(port).items() if service is not None else ():
            yield from (Edge(c, workload, frozenset(ports), origin) for c in callers.values() if ports)


def _proxies(
    documents: Sequence[Document], known: Controllers, name: str, own: str, origin: str
) -> list[Workload | str | Note]:
    """The pods that a Gateway selects, in every namespace."""
    space, _, short = name.rpartition("/")
    for document in documents:
        obj = document.obj
        if _is(obj, "Gateway") and (space_of(obj), obj["metadata"]["name"]) == (space or own, short):
            labels = (obj.get("spec") or {}).get("selector") or {}
            here = known.fleet.workloads if labels else ()
            if found := [w for w in here if matches({"matchLabels": labels}, w.pod.labels)]:
                return list(found)
    return [Note(f"{origin}: the proxies of Istio's Gateway {space or own}/{short} are not here", NOT_OPENED)]


def _destinations(obj: Mapping[str, Any]) -> Iterator[tuple[Key, int | None]]:
    """Services by namespace and name, each with the port that is said."""
    spec = obj.get("spec") or {}
    for rule in [r for part in ("http", "tcp", "tls") for r in spec.get(part) or []]:
        mirrors = [
            rule.get("mirror") or {},
            *((m.get("destination") or {}) for m in rule.get("mirrors") or []),
        ]
        for end in [*((r.get("destination") or {}) for r in rule.get("route") or []), *mirrors]:
            if end.get("host"):
                yield _key(str(end["host"]), space_of(obj)), (end.get("port") or {}).get("number")


def _key(host: str, own: str) -> Key:
    name, _, rest = host.partition(".")
    return rest.partition(".")[0] or own, name


def _is(obj: Mapping[str, Any], kind: str) -> bool:
    return bool(obj["kind"] == kind and str(obj["apiVersion"]).startswith(GROUP))
