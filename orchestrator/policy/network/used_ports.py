"""The ports of workloads that somebody is known to use: declared, behind a Service, or scraped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.policy.definitions.monitors import monitored
from orchestrator.policy.definitions.needed import Port, Service
from orchestrator.policy.definitions.scraping import SCRAPERS as SCRAPERS
from orchestrator.policy.definitions.scraping import reads_metrics
from orchestrator.policy.definitions.services import annotated, sound
from orchestrator.policy.network.connections import Place
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.fleet import Fleet, Workload

METRIC_PORTS = ("metrics", "http-metrics", "prometheus", "prom")
ONLY_METRICS = ("metrics", "http-metrics")  # Prometheus' own port bears its name, and dashboards ask it there


@dataclass(frozen=True)
class Used:
    """Sets as in ports.py by the name of the workload: what clients use, and what carries metrics; one port may be both."""

    plain: Mapping[str, int]
    scraped: Mapping[str, int]

    def by(self, source: Place, destination: str) -> int:
        """Who reads metrics uses their ports, everybody else the others; where those are not known, whatever is."""
        plain, scraped = self.plain.get(destination, 0), self.scraped.get(destination, 0)
        return (scraped or plain) if scraper(source) else (plain or scraped)


def used(*fleets: Fleet) -> Used:
    """What the fleets together say; of a workload that says nothing, nothing is known."""
    plain: dict[str, int] = {}
    scraped: dict[str, int] = {}
    for fleet in fleets:
        for workload in fleet.workloads:
            declared = {(p.protocol, p.port) for p in workload.pod.ports if p.name not in ONLY_METRICS}
            _add(plain, workload, declared)
            _add(scraped, workload, _metrics(workload))
        bare = [d for d, _ in fleet.malformed if d.wrong]  # it lacks labels alone
        services = [service for service, _ in sound([*fleet.beside, *bare], fleet)]
        for workload, found in _behind(services):
            _add(plain, workload, found)
        for workload, found in _read(fleet, services):
            _add(scraped, workload, found)
    return Used(plain, scraped)


def _add(to: dict[str, int], workload: Workload, found: Iterable[Port]) -> None:
    for protocol, port in found:
        to[workload.name] = to.get(workload.name, port_sets.NONE) | port_sets.span(protocol, port, port)


def _metrics(workload: Workload) -> Iterator[Port]:
    if workload.pod.scraped:
        yield "TCP", workload.pod.scraped
    yield from ((p.protocol, p.port) for p in workload.pod.ports if p.name in METRIC_PORTS)


def _behind(services: Sequence[Service]) -> Iterator[tuple[Workload, set[Port]]]:
    for service in services:
        for entry in service.ports:
            if entry.get("name") not in ONLY_METRICS:
                yield from service.at_pods(entry["port"]).items()


def _read(fleet: Fleet, services: Sequence[Service]) -> Iterator[tuple[Workload, set[Port]]]:
    """What monitors and annotations of Services let Prometheus read; of those of another shape nothing is known."""
    named = {(s.namespace, s.name): s for s in services}
    for document in fleet.beside:
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            yield from monitored(document, fleet, services)
            yield from annotated(document, fleet, named).items()


def scraper(place: Place) -> bool:
    """Whether it reads metrics, by how Prometheus and its kin are installed, or where."""
    return isinstance(place, Workload) and (place.pod.namespace == "monitoring" or reads_metrics(place))
