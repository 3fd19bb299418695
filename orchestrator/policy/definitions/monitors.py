"""What monitors let Prometheus and its kin read: those of Prometheus' operator and of VictoriaMetrics'."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.needed import Edge, Found, Note, Port, Service, at_pod, space_of
from orchestrator.policy.definitions.texts.addresses import edge_to
from orchestrator.policy.definitions.texts.said_targets import Said
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.pod import one_pod
from orchestrator.policy.objects.selector import matches, parse
from orchestrator.policy.workloads.fleet import Fleet, Workload

OF_SERVICES = ("ServiceMonitor", "VMServiceScrape")
OF_PODS = ("PodMonitor", "VMPodScrape")
CONFIGS = ("ScrapeConfig", "VMScrapeConfig")
STATIC = "VMStaticScrape"
NOT_FOLLOWED = {
    "Probe": "what its prober asks",
    "VMProbe": "what its prober asks",
    "VMNodeScrape": "the nodes that it reads",
}
_SD = "SDConfigs"  # how fields of ScrapeConfig end that say how targets are found
_SERVICES_OF = ("service", "endpoints", "endpointslice")
NOT_OPENED = "nothing is opened for it"


def monitored(
    document: Document, fleet: Fleet, services: Sequence[Service]
) -> Iterator[tuple[Workload, set[Port]]]:
    """The workloads that a monitor lets Prometheus read, and on which ports."""
    obj, spec = document.obj, document.obj.get("spec") or {}
    kind = obj["kind"]
    if kind in CONFIGS and not spec.get("relabelings") and not spec.get("relabelConfigs"):
        for config in spec.get("kubernetesSDConfigs") or []:
            yield from _discovered(obj, config, fleet, services)
    if kind not in (*OF_SERVICES, *OF_PODS):
        return
    scope = spec.get("namespaceSelector") or {}
    spaces = None if scope.get("any") else set(scope.get("matchNames") or [space_of(obj)])
    if kind in OF_PODS:
        for workload in _pods(fleet, spaces, spec.get("selector") or {}):
            for end in spec.get("podMetricsEndpoints") or []:
                wanted = end.get("portNumber", end.get("port", end.get("targetPort")))
                yield workload, at_pod(workload.pod, wanted, "TCP") if wanted is not None else set()
        return
    for service in _services(services, spaces, spec.get("selector") or {}):
        for end in spec.get("endpoints") or []:
            if end.get("port") is not None:
                yield from service.at_pods(end["port"]).items()
            elif end.get("targetPort") is not None:
                for workload in service.behind:
                    yield workload, at_pod(workload.pod, end["targetPort"], "TCP")


def monitors(
    document: Document,
    fleet: Fleet,
    services: Sequence[Service],
    readers: Sequence[Workload | str],
    said: Said,
) -> Iterator[Found]:
    """What reads metrics reaches by a monitor, and what of that is named and not opened."""
    obj, kind = document.obj, document.obj["kind"]
    if kind not in (*OF_SERVICES, *OF_PODS, *CONFIGS, STATIC, *NOT_FOLLOWED):
        return
    origin = f"{kind} {obj['metadata']['name']} in {document.where}"
    if kind in NOT_FOLLOWED:
        yield Note(f"{origin}: {NOT_FOLLOWED[kind]} is not worked out", NOT_OPENED)
        return
    found = list(monitored(document, fleet, services))
    for workload, ports in found:
        for reader in readers:
            if ports and (isinstance(reader, str) or not one_pod(reader.pod, workload.pod)):
                yield Edge(reader, workload, frozenset(ports), origin)
    if kind in (*OF_SERVICES, *OF_PODS) and not any(ports for _, ports in found):
        what = "port of a Service" if kind in OF_SERVICES else "port of a pod"
        yield Note(f"{origin} selects no {what} that is here", NOT_OPENED)
    spec = obj.get("spec") or {}
    for target in _static(spec, kind):
        for reader in readers:
            yield from _to_target(reader, target, space_of(obj), origin, said)
    yield from _not_followed(spec, origin) if kind in CONFIGS else ()


def _not_followed(spec: Mapping[str, Any], origin: str) -> Iterator[Note]:
    """How a ScrapeConfig finds targets that are not worked out here."""
    others = sorted(k for k, v in spec.items() if k.endswith(_SD) and k != "kubernetesSDConfigs" and v)
    nodes = any(_role(c) not in ("pod", *_SERVICES_OF) for c in spec.get("kubernetesSDConfigs") or [])
    relabelled = spec.get("kubernetesSDConfigs") and (spec.get("relabelings") or spec.get("relabelConfigs"))
    if relabelled:
        others.append("kubernetesSDConfigs with relabelings")
    elif nodes:
        others.append("kubernetesSDConfigs of nodes or Ingresses")
    if others:
        yield Note(f"{origin} finds targets by {', '.join(others)}, which is not followed", NOT_OPENED)


def _discovered(
    obj: Mapping[str, Any], config: Mapping[str, Any], fleet: Fleet, services: Sequence[Service]
) -> Iterator[tuple[Workload, set[Port]]]:
    """The pods or Services of a discovery, on every port that they declare. Raises ValueError for a selector that is none."""
    scope, role = config.get("namespaces") or {}, _role(config)
    named = {*(scope.get("names") or []), *([space_of(obj)] if scope.get("ownNamespace") else [])}
    spaces = named or None
    mine = [s for s in config.get("selectors") or [] if str(s.get("role", "")).lower() == role]
    selector = parse(",".join(str(s["label"]) for s in mine if s.get("label")))
    if role == "pod":
        for workload in _pods(fleet, spaces, selector):
            yield workload, {("TCP", p.port) for p in workload.pod.ports if p.protocol == "TCP"}
    elif role in _SERVICES_OF:
        for service in _services(services, spaces, selector):
            yield from service.at_pods(None).items()


def _role(config: Mapping[str, Any]) -> str:
    return str(config.get("role", "")).lower()


def _static(spec: Mapping[str, Any], kind: str) -> list[str]:
    """The targets that are written down, with a port each."""
    parts = (
        spec.get("staticConfigs")
        if kind in CONFIGS
        else spec.get("targetEndpoints")
        if kind == STATIC
        else []
    )
    listed = (str(target) for part in parts or [] for target in part.get("targets") or [])
    return [t if t.rpartition(":")[2].isdigit() or "/" in t else f"{t}:80" for t in listed]


def _to_target(reader: Workload | str, target: str, space: str, origin: str, said: Said) -> Iterator[Found]:
    """Of who reads metrics; a name without a namespace is one of its own namespace."""
    own = reader.pod.namespace if isinstance(reader, Workload) else reader.removeprefix("namespace ")
    for found in said.targets("ADDRESS", target, own or space, None):
        if isinstance(reader, Workload):
            yield from edge_to(reader, found, origin, said)
        elif not isinstance(found[0], str):
            called = found[0].called(found[1])
            yield from (Edge(reader, w, frozenset(ports), origin) for w, ports in called.items() if ports)


def _pods(fleet: Fleet, spaces: set[str] | None, selector: Mapping[str, Any]) -> list[Workload]:
    found = fleet.workloads if spaces is None else [w for s in spaces for w in fleet.within_workloads(s)]
    return [w for w in found if matches(selector, w.pod.labels)]


def _services(
    services: Sequence[Service], spaces: set[str] | None, selector: Mapping[str, Any]
) -> list[Service]:
    return [s for s in services if (spaces is None or s.namespace in spaces) and matches(selector, s.labels)]
