"""Who calls whom, as service definitions say it: addresses in containers and ConfigMaps, Ingresses, monitors."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.policy.definitions.endpoints import endpoints
from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.entrances import host_ports, outside
from orchestrator.policy.definitions.entrances.istio_routes import Delegates, within_the_mesh
from orchestrator.policy.definitions.entrances.routed import asked_beside, routed
from orchestrator.policy.definitions.host_network import node_ranges
from orchestrator.policy.definitions.monitors import monitors
from orchestrator.policy.definitions.needed import Edge as Edge
from orchestrator.policy.definitions.needed import Found, Note, shaped, space_of
from orchestrator.policy.definitions.needed import Platform as Platform
from orchestrator.policy.definitions.needed import Port as Port
from orchestrator.policy.definitions.needed import Service as Service
from orchestrator.policy.definitions.needed import at_pod as at_pod
from orchestrator.policy.definitions.scraping import assumed, scrapers
from orchestrator.policy.definitions.texts.addresses import addresses
from orchestrator.policy.definitions.texts.config_data import ConfigMaps
from orchestrator.policy.definitions.texts.said_targets import Said
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.pod import one_pod
from orchestrator.policy.objects.pod_templates import referred, template_of, with_template
from orchestrator.policy.objects.selector import matches
from orchestrator.policy.workloads.fleet import Fleet, Workload, owner_of

SCRAPE = "prometheus.io/scrape"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


def edges(documents: Sequence[Document], fleet: Fleet, platform: Platform) -> list[Edge]:
    """Everything that the documents say is needed."""
    return definitions(documents, fleet, platform)[0]


def definitions(
    documents: Sequence[Document], fleet: Fleet, platform: Platform
) -> tuple[list[Edge], list[str]]:
    """What the documents say is needed, and what they name that is not opened; one of another shape hides itself alone."""
    left = {id(d.obj) for d, _ in fleet.malformed}  # named already
    documents = [d for d in documents if id(d.obj) not in left]
    wrong: list[str] = []
    known_services = _with_addresses([s for s, _ in sound(documents, fleet, wrong)], documents, wrong)
    named = {(s.namespace, s.name): s for s in known_services}
    maps = ConfigMaps(documents, fleet.places)
    known = {(w.kind, w.pod.namespace, w.pod.name): w for w in fleet.workloads}
    others, readers = referred(d.obj for d in documents), scrapers(fleet, platform)
    fronts, said = Controllers(documents, fleet, platform), Said(named, fleet.namespaces)
    delegates = Delegates(documents)

    def each(read: Callable[[Document], Iterator[Found]]) -> Iterator[Found]:
        return shaped(documents, read, wrong)

    found: list[Found] = [
        *each(lambda d: addresses(d, with_template(d.obj, others), known, maps, said, fleet.places)),
        *(e for w in fleet.workloads for e in _replicas(w, named)),
        *outside(known_services, node_ranges(fleet, platform)),
        *host_ports(fleet),
        *(f for read in routed(documents, named, fronts, delegates) for f in each(read)),
        *(f for read in asked_beside(documents, named, fronts, said) for f in each(read)),
        *each(lambda d: monitors(d, fleet, known_services, readers, said)),
        *each(lambda d: _annotated(d, fleet, named, readers)),
    ]
    met = [f for f in found if isinstance(f, Edge)]
    found += each(lambda d: within_the_mesh(d, named, met, delegates))
    found += assumed(fleet, platform, readers, [f for f in found if isinstance(f, Edge)])
    notes = [f.whole for f in found if isinstance(f, Note)]
    notes += [f"{text}: nothing is opened for what it says" for text in wrong]
    return list(dict.fromkeys(f for f in found if isinstance(f, Edge))), list(dict.fromkeys(notes))


def services(documents: Sequence[Document], fleet: Fleet) -> list[Service]:
    """Every Service, with the workloads behind it. Raises BadInput with file and line."""
    return list(shaped(documents, lambda d: _services(d, fleet)))


def sound(
    documents: Iterable[Document], fleet: Fleet, wrong: list[str] | None = None
) -> Iterator[tuple[Service, Document]]:
    """The Services whose shape is the API's, each with its document; the others are said in `wrong`."""
    left: list[str] = [] if wrong is None else wrong
    yield from shaped(documents, lambda d: ((service, d) for service in _services(d, fleet)), left)


def _services(document: Document, fleet: Fleet) -> Iterator[Service]:
    obj = document.obj
    if obj["kind"] != "Service" or obj["apiVersion"] != "v1":
        return
    spec, space = obj.get("spec") or {}, space_of(obj)
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
    headless = spec.get("clusterIP") == "None"
    entrance = f"of type {kind}" if kind in ("LoadBalancer", "NodePort") else ""
    entrance = entrance or ("with externalIPs" if spec.get("externalIPs") else "")
    name, external = obj["metadata"]["name"], str(spec.get("externalName") or "")
    only_from = _only_from(obj, spec) if kind == "LoadBalancer" and not spec.get("externalIPs") else ()
    local = spec.get("externalTrafficPolicy") == "Local"
    yield Service(
        space,
        name,
        kind,
        tuple(ports),
        labels,
        tuple(behind),
        headless,
        entrance,
        external,
        only_from=only_from,
        local=local,
    )


def _only_from(obj: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[str, ...]:
    """`loadBalancerSourceRanges`, or its annotation; empty for everybody."""
    given = spec.get("loadBalancerSourceRanges") or []
    if not isinstance(given, list):
        raise TypeError("spec.loadBalancerSourceRanges must be a list")
    text = str((obj["metadata"].get("annotations") or {}).get(SOURCE_RANGES) or "")
    given = given or [part for part in text.split(",") if part.strip()]
    return tuple(str(ipaddress.ip_network(str(block).strip(), strict=False)) for block in given)


def _with_addresses(
    services: Sequence[Service], documents: Sequence[Document], wrong: list[str]
) -> list[Service]:
    """With the addresses of EndpointSlices and Endpoints, for those that have no workload behind them here."""
    found: dict[tuple[str, str], list[tuple[str, tuple[tuple[str, str, int], ...]]]] = {}
    for key, entry in shaped(documents, lambda d: endpoints(d.obj), wrong):
        found.setdefault(key, []).append(entry)
    return [
        replace(s, addresses=tuple(found[s.namespace, s.name]))
        if not s.behind and (s.namespace, s.name) in found
        else s
        for s in services
    ]


def _replicas(workload: Workload, services: Mapping[tuple[str, str], Service]) -> Iterator[Edge]:
    """Replicas of a StatefulSet find each other by its headless Service, on ports that often no address names."""
    name = str((workload.obj.get("spec") or {}).get("serviceName") or "")
    service = services.get((workload.pod.namespace, name))
    ports = frozenset((p.protocol, p.port) for p in workload.pod.ports)
    headless = service is not None and service.headless
    if workload.kind == "StatefulSet" and ports and (headless or workload.pod.many):
        way = f"by the headless Service {name}" if headless else "as those of a StatefulSet find each other"
        yield Edge(workload, workload, ports, f"its replicas, {way}")


def annotated(
    document: Document, fleet: Fleet, services: Mapping[tuple[str, str], Service]
) -> dict[Workload, set[Port]]:
    """What Prometheus' own examples scrape: pods and Services by their annotations."""
    obj = document.obj
    template = template_of(obj)
    found: dict[Workload, set[Port]] = {}
    if template is not None:
        kind, name = owner_of(obj) if obj["kind"] == "Pod" else (obj["kind"], str(obj["metadata"]["name"]))
        for workload in fleet.within_workloads(space_of(obj)):
            if (workload.kind, workload.pod.name) == (kind, name):
                found |= _of_pods(workload, (template.get("metadata") or {}).get("annotations") or {})
    elif obj["kind"] == "Service" and str((obj["metadata"].get("annotations") or {}).get(SCRAPE)) == "true":
        service = services.get((space_of(obj), obj["metadata"]["name"]))
        port = str(obj["metadata"]["annotations"].get("prometheus.io/port", ""))
        for workload, ports in service.at_pods(None).items() if service is not None else ():
            found[workload] = {("TCP", int(port))} if port.isdigit() else ports
    return found


def _of_pods(workload: Workload, annotations: Mapping[str, Any]) -> dict[Workload, set[Port]]:
    """The port that is said, by number or name; each that is declared where none is, as Prometheus' example has it."""
    if str(annotations.get(SCRAPE)) != "true":
        return {}
    port = str(annotations.get("prometheus.io/port", ""))
    declared = {("TCP", p.port) for p in workload.pod.ports if p.protocol == "TCP"}
    ports = {("TCP", int(port))} if port.isdigit() else at_pod(workload.pod, port, "TCP") or declared
    return {workload: ports} if ports else {}


def _annotated(
    document: Document,
    fleet: Fleet,
    services: Mapping[tuple[str, str], Service],
    readers: Sequence[Workload | str],
) -> Iterator[Edge]:
    obj = document.obj
    origin = f"annotation {SCRAPE} of {obj['kind']} {obj['metadata']['name']} in {document.where}"
    for workload, ports in annotated(document, fleet, services).items():
        for scraper in readers:
            if ports and (isinstance(scraper, str) or not one_pod(scraper.pod, workload.pod)):
                yield Edge(scraper, workload, frozenset(ports), origin)
