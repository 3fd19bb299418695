"""Every connection that has to stay open, from all that definitions say, and what is named because it is not opened."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from orchestrator.policy.definitions.api_server import (
    CALLED_PORT,
    asked,
    asked_by_url,
    called,
    clients,
    server_addresses,
)
from orchestrator.policy.definitions.given_places import unknown_places
from orchestrator.policy.definitions.mesh import mesh_needs
from orchestrator.policy.definitions.needed import API_SERVER, Edge, Found, Note, Platform, Service, space_of
from orchestrator.policy.definitions.services import definitions, sound
from orchestrator.policy.definitions.waypoints import waypoints
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.files.unread import RUNS_PODS, meaning
from orchestrator.policy.workloads.fleet import Fleet

# Where no Endpoints of default/kubernetes are given: what managed clusters and kubeadm listen on.
USUAL_PORTS = frozenset({("TCP", 443), ("TCP", 6443)})


def needs(documents: Sequence[Document], fleet: Fleet, platform: Platform) -> tuple[list[Edge], list[str]]:
    """What is needed, and what is met and not opened. Raises BadInput with file and line, and for a namespace of `platform` that seems mistyped."""
    documents = [d for d in documents if not d.wrong]
    found, told = definitions(documents, fleet, platform)
    more: list[Found] = [
        *_api_server(documents, fleet),
        *mesh_needs(documents, fleet, found),
        *waypoints(documents, fleet),
        *_operated(fleet),
    ]
    own = frozenset(("TCP", port) for _, port in server_addresses(fleet)) or USUAL_PORTS
    edges = [*found, *(e for e in more if isinstance(e, Edge))]
    edges = [Edge(e.src, e.dst, e.ports or own, e.origin) if e.dst == API_SERVER else e for e in edges]
    told += unknown_places(fleet, platform)
    told += [n.whole for n in more if isinstance(n, Note)]
    return list(dict.fromkeys(edges)), list(dict.fromkeys(told))


def _operated(fleet: Fleet) -> Iterator[Note]:
    """Pods that a controller may run, where workloads that are known here have default-deny select them, too."""
    for document in fleet.beside:
        obj, space = document.obj, space_of(document.obj)
        if meaning(obj) == RUNS_PODS and fleet.within(space):
            text = f"pods that a controller may run for {obj['kind']} {space}/{obj['metadata']['name']} in {document.where} are not known here"
            yield Note(
                text,
                f"the default-deny of {space} selects them, and nothing is opened for them; recorded --flows show it",
            )


def _api_server(documents: Sequence[Document], fleet: Fleet) -> Iterator[Found]:
    """Webhooks and aggregated APIs that it calls, and workloads that their bindings make its clients."""
    for one in called(documents, fleet):
        yield Edge(API_SERVER, one.workload, one.ports, f"the API server calls it: {one.what} in {one.where}")
    for client in clients(documents, fleet):
        origin = f"it calls the API server: {client.origin} in {client.where}"
        yield Edge(client.workload, API_SERVER, frozenset(), origin)
    known = {(s.namespace, s.name): s for s, _ in sound(documents, fleet)}
    for document in documents:
        try:
            wanted, urls = list(asked(document.obj)), list(asked_by_url(document.obj))
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        for what, url in urls:
            yield from _by_url(what, url, known, document.where)
        for what, reference, _ in wanted:
            key = (str(reference.get("namespace")), str(reference.get("name")))
            service = known.get(key)
            if service is not None and service.at_pods(reference.get("port", CALLED_PORT)):
                continue
            reason = "is not here" if service is None else "has no workload behind that port here"
            yield Note(
                f"the API server calls Service {key[0]}/{key[1]} for {what}, which {reason}: nothing is opened for it"
            )


def _by_url(what: str, url: str, known: Mapping[tuple[str, str], Service], where: str) -> Iterator[Found]:
    """A webhook by its URL: the workloads behind the Service that its host names, else nothing that is known here."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or CALLED_PORT
    except ValueError:
        host, port = "", CALLED_PORT
    name, space, *rest = [*host.split("."), "", ""][:3] if ".svc" in f".{host}" else ("", "")
    service = known.get((space, name)) if rest == ["svc"] else None
    targets = service.at_pods(port) if service is not None else {}
    for workload, ports in targets.items():
        if ports:
            yield Edge(
                API_SERVER,
                workload,
                frozenset(ports),
                f"the API server calls it by its URL: {what} in {where}",
            )
    if not any(targets.values()):
        yield Note(
            f"the API server calls {host or 'a URL that cannot be read'} for {what} in {where}: which workload answers there is not "
            "known here, and nothing is opened for it"
        )
