"""The ports of workloads that somebody is known to use: declared, behind a Service, or scraped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.policy import ports
from orchestrator.policy.fleet import Fleet, Workload
from orchestrator.policy.needed import Port
from orchestrator.policy.services import annotated, monitored, sound

METRIC_PORTS = ("metrics", "http-metrics", "prometheus", "prom")


@dataclass(frozen=True)
class Used:
    """Sets as in ports.py by the name of the workload; `scraped` are the ports that carry metrics."""

    ports: Mapping[str, int]
    scraped: Mapping[str, int]


def used(*fleets: Fleet) -> Used:
    """What the fleets together say; of a workload that says nothing, nothing is known."""
    known: dict[str, int] = {}
    scraped: dict[str, int] = {}
    for fleet in fleets:
        for workload in fleet.workloads:
            _add(known, workload, ((p.protocol, p.port) for p in workload.pod.ports))
            _add(scraped, workload, _metrics(workload))
        for workload, found in _behind(fleet):
            _add(known, workload, found)
        for workload, found in _read(fleet):
            _add(scraped, workload, found)
    return Used({n: known.get(n, 0) | scraped.get(n, 0) for n in {*known, *scraped}}, scraped)


def _add(to: dict[str, int], workload: Workload, found: Iterable[Port]) -> None:
    for protocol, port in found:
        to[workload.name] = to.get(workload.name, ports.NONE) | ports.span(protocol, port, port)


def _metrics(workload: Workload) -> Iterator[Port]:
    if workload.pod.scraped:
        yield "TCP", workload.pod.scraped
    yield from ((p.protocol, p.port) for p in workload.pod.ports if p.name in METRIC_PORTS)


def _behind(fleet: Fleet) -> Iterator[tuple[Workload, set[Port]]]:
    for service, _ in sound(fleet.beside, fleet):
        yield from service.at_pods(None).items()


def _read(fleet: Fleet) -> Iterator[tuple[Workload, set[Port]]]:
    """What monitors and annotations of Services let Prometheus read; of those of another shape nothing is known."""
    services = [service for service, _ in sound(fleet.beside, fleet)]
    for document in fleet.beside:
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            yield from monitored(document, fleet, services)
            yield from annotated(document, fleet, {(s.namespace, s.name): s for s in services}).items()
