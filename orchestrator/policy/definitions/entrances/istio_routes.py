"""Where Istio's VirtualServices and their delegates lead: the proxies of its Gateways, and callers within the mesh.

Source: Istio's API, networking.istio.io: VirtualService, Gateway.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.entrances import NOT_OPENED, Named, to_backend
from orchestrator.policy.definitions.needed import Edge, Found, Note, space_of
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.selector import matches
from orchestrator.policy.workloads.fleet import Workload

GROUP = "networking.istio.io/"
MESH = "mesh"
Key = tuple[str, str]


@dataclass(frozen=True)
class Root:
    """By which gateways, in which namespace, and as which hosts a VirtualService is reached."""

    space: str
    gateways: tuple[str, ...]
    hosts: tuple[str, ...]


class Delegates:
    """The VirtualServices that have no hosts of their own, and those that hand a part of their routes to them.

    `odd` are those of another shape, each with the place where it stands.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._roots: dict[Key, list[Root]] = {}
        self._here: set[Key] = set()
        self.odd: dict[Key, str] = {}
        for document in (d for d in documents if _is(d.obj, "VirtualService")):
            obj = document.obj
            own = (space_of(obj), str(obj["metadata"]["name"]))
            try:
                root, handed = _root(obj), list(_handed(obj))
            except (AttributeError, TypeError):
                self.odd[own] = document.where
                continue
            if root is None:
                self._here.add(own)
                continue
            for key in dict.fromkeys(handed):
                self._roots.setdefault(key, []).append(root)

    def roots(self, obj: Mapping[str, Any]) -> list[Root]:
        """Through what it is reached: itself, or those that delegate to it."""
        own = _root(obj)
        return [own] if own else self._roots.get((space_of(obj), str(obj["metadata"]["name"])), [])

    def absent(self, obj: Mapping[str, Any]) -> list[Key]:
        """Delegates of it that are not here."""
        return [key for key in dict.fromkeys(_handed(obj)) if key not in self._here]


def istio_routes(
    document: Document,
    documents: Sequence[Document],
    services: Named,
    known: Controllers,
    delegates: Delegates,
) -> Iterator[Found]:
    """What the proxies of a VirtualService's Gateways connect to, or of those that delegate to it."""
    obj = document.obj
    if not _is(obj, "VirtualService"):
        return
    origin = f"VirtualService {obj['metadata']['name']} in {document.where}"
    ends: dict[Workload | str | Note, None] = {}
    roots = delegates.roots(obj)
    for root in roots:
        for name in root.gateways:
            if name != MESH:
                ends.update(dict.fromkeys(_proxies(documents, known, name, root.space, origin)))
    if not roots:
        text = f"{origin} has no hosts, and no VirtualService here delegates to it"
        if delegates.odd:
            odd = ", ".join(f"VirtualService {s}/{n} ({at})" for (s, n), at in [*delegates.odd.items()][:3])
            text += f"; to whom {odd} delegates is not known (not of the shape that the API has)"
        yield Note(text, NOT_OPENED, frozenset({space_of(obj)}))
    for space, name in delegates.absent(obj):
        lack = "is not here or has hosts of its own"
        if at := delegates.odd.get((space, name)):
            lack = f"is not of the shape that the API has ({at})"
        text = f"{origin} delegates to VirtualService {space}/{name}, which {lack}"
        yield Note(text, NOT_OPENED, frozenset({space}))
    for key, port in dict.fromkeys(_destinations(obj)) if ends else ():
        yield from to_backend(list(ends), services, key, port, origin)


def within_the_mesh(
    document: Document, services: Named, edges: Iterable[Edge], delegates: Delegates
) -> Iterator[Edge]:
    """What calls the hosts of a VirtualService within the mesh comes to where that leads."""
    obj = document.obj
    if not _is(obj, "VirtualService"):
        return
    roots = [root for root in delegates.roots(obj) if MESH in root.gateways]
    hosts = (services.get(_key(host, root.space)) for root in roots for host in root.hosts)
    meant = {w.name for service in hosts if service is not None for w in service.behind}
    callers = {
        e.src.name: e.src
        for e in (edges if meant else ())
        if isinstance(e.src, Workload) and isinstance(e.dst, Workload) and e.dst.name in meant
    }
    origin = f"VirtualService {obj['metadata']['name']} in {document.where}"
    for key, port in dict.fromkeys(_destinations(obj)):
        service = services.get(key)
        for workload, ports in service.at_pods(port).items() if service is not None else ():
            yield from (Edge(c, workload, frozenset(ports), origin) for c in callers.values() if ports)


def _root(obj: Mapping[str, Any]) -> Root | None:
    """None for one that has neither hosts nor gateways, as delegates are."""
    spec = obj.get("spec") or {}
    hosts, gateways = spec.get("hosts") or [], spec.get("gateways") or []
    if not isinstance(hosts, list) or not isinstance(gateways, list):
        raise TypeError("spec.hosts and spec.gateways must be lists")
    if not hosts and not gateways:
        return None
    return Root(space_of(obj), tuple(map(str, gateways)) or (MESH,), tuple(map(str, hosts)))


def _handed(obj: Mapping[str, Any]) -> Iterator[Key]:
    for rule in (obj.get("spec") or {}).get("http") or []:
        if (delegate := rule.get("delegate") or {}).get("name"):
            yield str(delegate.get("namespace") or space_of(obj)), str(delegate["name"])


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
