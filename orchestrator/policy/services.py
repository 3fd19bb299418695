"""Who calls whom, as service definitions say it: addresses in containers and ConfigMaps, Ingresses, monitors."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.policy.controllers import Controllers
from orchestrator.policy.endpoints import endpoints
from orchestrator.policy.entrances import host_ports, ingresses, outside, routes
from orchestrator.policy.fleet import Fleet, Workload, owner_of
from orchestrator.policy.hosts import node_ranges
from orchestrator.policy.manifest import Document
from orchestrator.policy.nearest import nearest
from orchestrator.policy.needed import API_SERVER, Found, Note, shaped, space_of
from orchestrator.policy.needed import Edge as Edge
from orchestrator.policy.needed import Platform as Platform
from orchestrator.policy.needed import Port as Port
from orchestrator.policy.needed import Service as Service
from orchestrator.policy.needed import at_pod as at_pod
from orchestrator.policy.pod import one_pod
from orchestrator.policy.scraping import assumed, scrapers
from orchestrator.policy.selector import matches
from orchestrator.policy.templates import Template, containers, referred, template_of, with_template
from orchestrator.policy.unread_config import HOST_KEY, absent, config_maps, secrets

SCHEMES = {
    "http": 80, "ws": 80, "https": 443, "wss": 443, "grpc": 80, "grpcs": 443, "postgres": 5432, "postgresql": 5432,
    "mysql": 3306, "redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "mongodb": 27017, "nats": 4222,
    "kafka": 9092, "memcached": 11211, "smtp": 25, "smtps": 465, "ldap": 389, "ldaps": 636, "mqtt": 1883, "mqtts": 8883,
}  # fmt: skip
# Optional scheme and user, a host, an optional port.
_ADDRESS = re.compile(
    r"(?<![\w.@/-])(?:jdbc:)?(?:(?P<scheme>[a-z][a-z0-9+.-]{1,20})://)?(?:[^\s:/@,'\"]{0,64}(?::[^\s/,'\"]{0,128})?@)?"
    r"(?:(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>\d{1,5})(?!\d))?(?![\w-])"
)
_PORT = re.compile(r"[0-9]{1,5}")
_PORT_KEY = re.compile(r"(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$", re.I)
_NO_HOST_KEY = re.compile(r"IMAGE|LISTEN|BIND|VERSION|FILE|PATH", re.I)
# Endings of public names; two letters are a country's. Of other names with one dot nobody knows whether a namespace is meant.
_PUBLIC = ("com", "net", "org", "info", "dev", "app", "cloud", "gov", "edu", "mil", "int", "biz")
_KUBERNETES = re.compile(r"kubernetes\.default(\.svc(\.[a-z0-9.-]+)?)?")
UNKNOWN = "Service "  # before a name that no Service here has
NO_PORT = "host "  # before a host outside of which no port is said
MOST_TEXT = 256 * 1024
MOST_TOKENS = 5_000
MOST_ALIASES = 3  # Services of type ExternalName that name one another
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
    maps = {
        (space_of(d.obj), d.obj["metadata"]["name"]): d.obj for d in documents if d.obj["kind"] == "ConfigMap"
    }
    known = {(w.kind, w.pod.namespace, w.pod.name): w for w in fleet.workloads}
    others, readers = referred(d.obj for d in documents), scrapers(fleet, platform)
    fronts = Controllers(documents, fleet, platform)

    def each(read: Callable[[Document], Iterator[Found]]) -> Iterator[Found]:
        return shaped(documents, read, wrong)

    found: list[Found] = [
        *each(lambda d: _addresses(d, with_template(d.obj, others), known, named, maps, fleet.namespaces)),
        *(e for w in fleet.workloads for e in _replicas(w, named)),
        *outside(known_services, node_ranges(fleet, platform)),
        *host_ports(fleet),
        *each(lambda d: ingresses(d, named, fronts)),
        *each(lambda d: routes(d, documents, named, fronts)),
        *each(lambda d: _monitors(d, fleet, known_services, readers)),
        *each(lambda d: _annotated(d, fleet, named, readers)),
    ]
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


def _addresses(
    document: Document,
    obj: Mapping[str, Any],
    known: Mapping[tuple[str, str, str], Workload],
    services: Mapping[tuple[str, str], Service],
    maps: Mapping[tuple[str, str], Mapping[str, Any]],
    spaces: Collection[str],
) -> Iterator[Found]:
    template: Template | None = template_of(obj)
    if template is None:
        return
    kind, name = owner_of(obj) if obj["kind"] == "Pod" else (obj["kind"], str(obj["metadata"]["name"]))
    workload = known.get((kind, space_of(obj), name))
    if workload is None:
        return
    spec = template.get("spec") or {}
    yield from secrets(spec, workload)
    yield from absent(spec, workload, maps)
    texts = list(_texts(spec, space_of(obj), maps))
    ports = {
        key.upper(): int(text) for key, text, _ in texts if _PORT.fullmatch(text) and 1 <= int(text) <= 65535
    }
    for key, text, origin in texts:
        where = f"{origin} in {document.path}:{document.line}"
        beside = ports.get(_PORT_KEY.sub("PORT", key).upper())
        for found in _called(key, text, workload.pod.namespace, services, spaces, beside):
            yield from _edge(workload, found, where, services)


def _texts(
    spec: Mapping[str, Any], space: str, maps: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    """A key that may tell that it is an address, the text, and where it stands."""
    for container in containers(spec):
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
    for name in config_maps(spec):
        for key, text in ((maps.get((space, name)) or {}).get("data") or {}).items():
            yield str(key), str(text), f"ConfigMap {name}"


def _called(
    key: str,
    text: str,
    space: str,
    services: Mapping[tuple[str, str], Service],
    spaces: Collection[str],
    beside: int | None = None,
) -> Iterator[tuple[Service, int | None] | tuple[str, int]]:
    """Services with the port that is meant (None is all), and hosts outside with theirs; `beside` is that of DB_PORT for DB_HOST."""
    listed = {part.strip() for part in text[:MOST_TEXT].split(",")}
    for number, match in enumerate(_ADDRESS.finditer(text[:MOST_TEXT])):
        if number >= MOST_TOKENS:
            return
        scheme, host = match["scheme"] or "", (match["host"] or match["six"]).lower()
        port = int(match["port"]) if match["port"] else SCHEMES.get(scheme.partition("+")[0])
        if port is not None and not 1 <= port <= 65535:
            continue
        service = _service(host, space, services)
        for _ in range(MOST_ALIASES):
            alias = (
                _service(service.external.lower(), service.namespace, services)
                if service is not None
                else None
            )
            service = alias or service
        cluster = ".svc" in host
        whole = match.group(0) in listed
        plain = whole and bool(HOST_KEY.search(key))
        if service is None and _KUBERNETES.fullmatch(host):
            yield API_SERVER, 0
        elif service is not None and (scheme or match["port"] or cluster or plain):
            yield service, port
        elif service is None and (scheme or plain) and _meant_elsewhere(host, services):
            yield f"{UNKNOWN}{host}", port or 0
        elif service is None and scheme and port and not cluster and _is_outside(host, spaces):
            yield host, port
        elif (
            service is None
            and not (scheme or cluster)
            and whole
            and not _NO_HOST_KEY.search(key)
            and _is_public(host)
        ):
            if number_ := port or (beside if plain else None):
                yield host, number_
            elif plain:
                yield f"{NO_PORT}{host}", 0
        elif service is None and (cluster or (scheme in SCHEMES and _is_name(host))):
            yield f"{UNKNOWN}{host}", port or 0


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


def _is_name(host: str) -> bool:
    """Whether it looks like a Service's name: not this machine's, and no address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost") and not host.isdigit()
    return False


def _meant_elsewhere(host: str, services: Mapping[tuple[str, str], Service]) -> list[str]:
    """`oven.bakery` for `oven.bakrey`: Services of that name in namespaces that are spelt like the one that is given."""
    name, dot, space = host.partition(".")
    if not dot or "." in space:
        return []
    near = nearest(space, {s for s, n in services if n == name})
    return [f"{name}.{s}" for s in near]


def _is_public(host: str) -> bool:
    """A name that ends as public ones do; not an address, and not a file's or a version's."""
    end = host.rpartition(".")[2]
    return (
        "." in host
        and (end in _PUBLIC or (len(end) == 2 and end.isalpha()))
        and host.count(".") > (len(end) == 2)
    )


def _is_outside(host: str, spaces: Collection[str]) -> bool:
    """An address, or a name that a public DNS could know; `shop.payments` is a Service's where the namespace is known."""
    if host.count(".") == 1 and host.rpartition(".")[2] in spaces:
        return False
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".svc", ".localdomain"))
    return not (found.is_loopback or found.is_unspecified or found.is_link_local)


def _edge(
    workload: Workload,
    found: tuple[Service, int | None] | tuple[str, int],
    origin: str,
    services: Mapping[tuple[str, str], Service],
) -> Iterator[Found]:
    target, port = found
    if isinstance(target, str) and target.startswith(NO_PORT):
        text = "no port is said, so that nothing is opened for it"
        yield Note(f"{workload.name} names {target.removeprefix(NO_PORT)}, {origin}: {text}")
        return
    if isinstance(target, str) and target.startswith(UNKNOWN):
        host = target.removeprefix(UNKNOWN)
        near = _meant_elsewhere(host, services) or nearest(
            host.partition(".svc")[0], [n if "." not in host else f"{n}.{s}" for s, n in services]
        )
        hint = f" (did you mean {' or '.join(near[:2])}?)" if near else ""
        text = f"no Service of that name is here{hint}, so that nothing is opened for it"
        yield Note(f"{workload.name} calls {host}{f':{port}' if port else ''}, {origin}: {text}")
        return
    if target == API_SERVER:
        yield Edge(workload, API_SERVER, frozenset(), f"kubernetes.default, {origin}")
        return
    if isinstance(target, str):
        try:
            where = str(ipaddress.ip_address(target))
        except ValueError:
            where = "internet"
            if target.count(".") == 1 and not _is_public(f"x.{target}"):
                text = "opened as a host outside: where a Service of another namespace is meant, its manifests are not here"
                yield Note(f"{workload.name} calls {target}:{port}, {origin}: {text}")
        yield Edge(workload, where, frozenset({("TCP", int(port or 443))}), f"{target}:{port}, {origin}")
        return
    if target.kind == "ExternalName":
        ports_outside = frozenset({("TCP", int(port or 443))})
        yield Edge(workload, "internet", ports_outside, f"Service {target.name}, {origin}")
        return
    told = f"{target.name}.{target.namespace}{f':{port}' if port else ''}"
    meant = target.called(port)
    if not meant and port is not None and not target.ports:
        meant = {w: {("TCP", port)} for w in target.behind}
    elsewhere = target.elsewhere(port)
    for address, at in elsewhere.items():
        yield Edge(workload, address, frozenset(at), f"{told}, {origin}")
    if not target.behind and not elsewhere:
        text = "no workload here is behind that Service, and no EndpointSlice is given, so that nothing is opened for it"
        yield Note(f"{workload.name} calls {told}, {origin}: {text}")
    if port is not None and target.behind and not meant:
        listed = ", ".join(str(e["port"]) for e in target.ports)
        text = f"the Service lists {listed} alone, so that nothing is opened for it"
        yield Note(f"{workload.name} calls {told}, {origin}: {text}")
    for other, ports in meant.items():
        if ports:  # also among its own replicas
            yield Edge(workload, other, frozenset(ports), f"{told}, {origin}")
        else:
            text = f"{other.name} declares no port of the name that the Service's targetPort has"
            yield Note(f"{workload.name} calls {told}, {origin}: {text}, so that nothing is opened for it")


def _replicas(workload: Workload, services: Mapping[tuple[str, str], Service]) -> Iterator[Edge]:
    """Replicas of a StatefulSet find each other by its headless Service, on ports that often no address names."""
    name = str((workload.obj.get("spec") or {}).get("serviceName") or "")
    service = services.get((workload.pod.namespace, name))
    ports = frozenset((p.protocol, p.port) for p in workload.pod.ports)
    if workload.kind == "StatefulSet" and service is not None and service.headless and ports:
        yield Edge(workload, workload, ports, f"its replicas, by the headless Service {name}")


def monitored(
    document: Document, fleet: Fleet, services: Sequence[Service]
) -> Iterator[tuple[Workload, set[Port]]]:
    """The workloads that a ServiceMonitor or PodMonitor lets Prometheus read, and on which ports."""
    obj, spec = document.obj, document.obj.get("spec") or {}
    if obj["kind"] not in ("ServiceMonitor", "PodMonitor"):
        return
    scope = spec.get("namespaceSelector") or {}
    spaces = None if scope.get("any") else set(scope.get("matchNames") or [space_of(obj)])
    yield from _scraped(obj["kind"], spec, spaces, fleet, services)


def _monitors(
    document: Document, fleet: Fleet, services: Sequence[Service], readers: Sequence[Workload | str]
) -> Iterator[Edge]:
    obj = document.obj
    origin = f"{obj['kind']} {obj['metadata']['name']} in {document.path}:{document.line}"
    for workload, ports in monitored(document, fleet, services):
        for scraper in readers:
            if ports and (isinstance(scraper, str) or not one_pod(scraper.pod, workload.pod)):
                yield Edge(scraper, workload, frozenset(ports), origin)


def annotated(
    document: Document, fleet: Fleet, services: Mapping[tuple[str, str], Service]
) -> dict[Workload, set[Port]]:
    """What Prometheus' own examples scrape: pods and Services by their annotations."""
    obj = document.obj
    template = template_of(obj)
    found: dict[Workload, set[Port]] = {}
    if template is not None:
        kind, name = owner_of(obj) if obj["kind"] == "Pod" else (obj["kind"], str(obj["metadata"]["name"]))
        mine = [
            w
            for w in fleet.within_workloads(space_of(obj))
            if (w.kind, w.pod.name) == (kind, name) and w.pod.scraped
        ]
        found = {w: {("TCP", w.pod.scraped)} for w in mine}
    elif obj["kind"] == "Service" and str((obj["metadata"].get("annotations") or {}).get(SCRAPE)) == "true":
        service = services.get((space_of(obj), obj["metadata"]["name"]))
        port = str(obj["metadata"]["annotations"].get("prometheus.io/port", ""))
        for workload, ports in service.at_pods(None).items() if service is not None else ():
            found[workload] = {("TCP", int(port))} if port.isdigit() else ports
    return found


def _annotated(
    document: Document,
    fleet: Fleet,
    services: Mapping[tuple[str, str], Service],
    readers: Sequence[Workload | str],
) -> Iterator[Edge]:
    obj = document.obj
    origin = (
        f"annotation {SCRAPE} of {obj['kind']} {obj['metadata']['name']} in {document.path}:{document.line}"
    )
    for workload, ports in annotated(document, fleet, services).items():
        for scraper in readers:
            if ports and (isinstance(scraper, str) or not one_pod(scraper.pod, workload.pod)):
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
