"""What comes in from outside the cluster, and through which proxies: Services, host ports, Ingresses, routes of Gateways."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.entrances.controllers import ROUTER, Controllers
from orchestrator.policy.definitions.entrances.fronts import class_of, fronts, proxies_of
from orchestrator.policy.definitions.needed import Edge, Found, Note, Service, known_as, space_of, standing
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.pod_templates import template_of
from orchestrator.policy.workloads.fleet import Fleet, Workload

ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")
GATEWAY = "gateway.networking.k8s.io/"
NOT_OPENED = "nothing is opened for it"
Named = Mapping[tuple[str, str], Service]


def outside(services: Sequence[Service], nodes: Sequence[str] | None = None) -> Iterator[Found]:
    """Services that are reached from outside by their type or their addresses.

    `nodes` are the addresses under which pods may see who comes by a balancer; None where that is not asked.
    """
    for service in services:
        if not service.entrance:
            continue
        targets = [(w, frozenset(ports)) for w, ports in service.at_pods(None).items() if ports]
        origin = f"Service {service.name} {service.entrance}"
        for workload, ports in targets:
            for block in service.only_from:
                yield Edge(block, workload, ports, f"{origin}, by its source ranges")
            if not service.only_from:
                yield Edge("internet", workload, ports, origin)
        if not targets or not service.only_from or service.local:
            continue
        for workload, ports in targets:
            for node in nodes or ():
                yield Edge(
                    node, workload, ports, f"{origin}: pods see a node's address (externalTrafficPolicy)"
                )
        if not nodes:
            text = (
                f"Service {service.namespace}/{service.name} is for its source ranges alone, {', '.join(service.only_from[:4])}: "
                "without externalTrafficPolicy: Local pods may see a node's address instead"
            )
            about = frozenset(name for w, _ in targets for name in known_as(w))
            yield Note(
                text, "opened to the ranges, and no node's address is known here; give --nodes RANGE", about
            )


def host_ports(fleet: Fleet) -> Iterator[Edge]:
    """Containers that are reached by a port of their node."""
    for workload in fleet.workloads:
        spec = (template_of(workload.obj) or {}).get("spec") or {} if workload.obj else {}
        for container in [] if workload.pod.host_network else spec.get("containers") or []:
            for port in container.get("ports") or []:
                if port.get("hostPort") and "containerPort" in port:
                    ends = frozenset({(str(port.get("protocol", "TCP")), int(port["containerPort"]))})
                    yield Edge("internet", workload, ends, f"hostPort {port['hostPort']} of its container")


def ingresses(document: Document, services: Named, known: Controllers) -> Iterator[Found]:
    """What an Ingress's controller connects to."""
    obj, spec = document.obj, document.obj.get("spec") or {}
    if obj["kind"] != "Ingress" or not str(obj["apiVersion"]).startswith(
        ("networking.k8s.io/", "extensions/")
    ):
        return
    origin = f"Ingress {obj['metadata']['name']} in {document.where}"
    ends = list(fronts(known, class_of(obj), origin))
    backends = [spec.get("defaultBackend") or spec.get("backend") or {}]
    backends += [
        p["backend"] for r in spec.get("rules") or [] for p in (r.get("http") or {}).get("paths") or []
    ]
    for backend in backends:
        if other := backend.get("resource"):
            where = f"{other.get('kind')} {other.get('name')}"
            yield Note(
                f"{origin} leads to {where}, which is not followed", NOT_OPENED, frozenset({space_of(obj)})
            )
        wanted = backend.get("service") or {}
        port = wanted.get("port") or {}
        name, number = wanted.get("name"), port.get("number", port.get("name"))
        if "serviceName" in backend:
            name, number = backend["serviceName"], backend.get("servicePort")
        if name:
            yield from to_backend(ends, services, (space_of(obj), str(name)), number, origin)


def routes(
    document: Document, documents: Sequence[Document], services: Named, known: Controllers
) -> Iterator[Found]:
    """What the proxies of Gateways connect to for a route, and OpenShift's router for a Route."""
    obj, spec = document.obj, document.obj.get("spec") or {}
    origin = f"{obj['kind']} {obj['metadata']['name']} in {document.where}"
    if obj["kind"] == "Route" and str(obj["apiVersion"]).startswith("route.openshift.io/"):
        target = (spec.get("port") or {}).get("targetPort")
        ends: list[Workload | str | Note] = list(standing(known.fleet, ROUTER))
        for backend in [spec.get("to") or {}, *(spec.get("alternateBackends") or [])]:
            key = (space_of(obj), str(backend.get("name")))
            yield from to_backend(ends, services, key, _of_target(services.get(key), target), origin)
    if obj["kind"] not in ROUTES or not str(obj["apiVersion"]).startswith(GATEWAY):
        return
    ends = []
    for parent in spec.get("parentRefs") or []:
        if parent.get("kind", "Gateway") == "Gateway":
            key = (str(parent.get("namespace") or space_of(obj)), str(parent["name"]))
            ends += proxies_of(documents, known, key, origin)
        else:
            text = f"{origin} is for callers of {parent.get('kind')} {parent.get('name')} within a mesh, which is not followed"
            yield Note(text, NOT_OPENED, frozenset({space_of(obj)}))
    for rule in spec.get("rules") or []:
        mirrors = [(f.get("requestMirror") or {}).get("backendRef") or {} for f in rule.get("filters") or []]
        for backend in [*(rule.get("backendRefs") or []), *mirrors]:
            if backend and backend.get("kind", "Service") == "Service":
                key = (str(backend.get("namespace") or space_of(obj)), str(backend["name"]))
                yield from to_backend(ends, services, key, backend.get("port"), origin)
            elif backend:
                text = f"{origin} leads to {backend['kind']} {backend.get('name')}, which is not followed"
                yield Note(text, NOT_OPENED, frozenset({space_of(obj)}))


def to_backend(
    ends: Sequence[Workload | str | Note], services: Named, key: tuple[str, str], port: Any, origin: str
) -> Iterator[Found]:
    """What fronts connect to for a Service by namespace and name, at one of its ports, or what is named instead."""
    service = services.get(key)
    if service is None:  # any workload there may be behind it
        text = f"{origin} leads to Service {key[0]}/{key[1]}, which is not here"
        yield Note(text, NOT_OPENED, frozenset({key[0]}))
        return
    about = frozenset({key[0], f"{key[0]}/{key[1]}"}) | {n for w in service.behind for n in known_as(w)}
    targets = {w: ports for w, ports in service.at_pods(port).items() if ports}
    if not targets and service.behind:
        text = f"{origin} leads to port {port} of Service {key[0]}/{key[1]}, which it does not list"
        yield Note(text, NOT_OPENED, about)
    for front in ends:
        if isinstance(front, Note):
            yield Note(front.text, front.outcome, about)
            continue
        for workload, ports in targets.items():
            yield Edge(front, workload, frozenset(ports), origin)


def _of_target(service: Service | None, target: Any) -> Any:
    """The Service's port for a Route's targetPort: a name of its ports, or a target of one."""
    for entry in service.ports if service is not None else ():
        if target in (entry.get("name"), entry.get("targetPort")):
            return entry["port"]
    return target
