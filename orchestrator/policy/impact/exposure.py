"""Whom each workload would let in of pods that do not exist yet, by the selectors of the rules; and through which entrances."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.entrances import host_ports, outside
from orchestrator.policy.definitions.entrances.istio_routes import Delegates
from orchestrator.policy.definitions.entrances.routed import routed
from orchestrator.policy.definitions.needed import Edge, Found, Note, Platform, known_as, shaped
from orchestrator.policy.definitions.services import sound
from orchestrator.policy.impact.would_cut import shut
from orchestrator.policy.network.ranges import ranges, within
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import INGRESS
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.rule_words import block_words
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.policy.workloads.peers import isolating

INTERNET = "internet"
ANY = "any pod in any namespace"
_STRANGER = Pod("stranger", "stranger", {"stranger": "yes"})  # none that a rule means by name


@dataclass(frozen=True)
class Exposed:
    """Pods that may come, described by labels, and the ports (as in ports.py) on which they would be let in."""

    dst: Workload
    src: str
    ports: int


@dataclass(frozen=True)
class Entrance:
    """A way in from outside the cluster: its front, the workload behind it, and what keeps it out, if anything.

    `partly` are the addresses that alone are let in, where the front is the internet or a range and not all of it is.
    """

    through: str
    src: str
    dst: Workload
    ports: frozenset[tuple[str, int]]
    because: tuple[str, ...]
    partly: tuple[str, ...] = ()


def exposure(fleet: Fleet, blocks: bool = False) -> list[Exposed]:
    """For every workload that policies can protect; of policies beside NetworkPolicies, only what they leave to any pod.

    `blocks`: an ipBlock covers the addresses of pods, as with some CNIs.
    """
    found: dict[tuple[str, str], Exposed] = {}
    net = fleet.network({"block_covers_pods": blocks}) if fleet.further else None
    for workload in fleet.workloads:
        for src, mask in () if workload.pod.host_network else _let_in(fleet, workload, blocks):
            if src == ANY and net is not None:
                mask &= net.over_ports(_STRANGER, workload.pod, ports.ALL)
            key = (workload.name, src)
            mask |= found[key].ports if key in found else ports.NONE
            if mask:
                found[key] = Exposed(workload, src, mask)
    every = {name: e.ports for (name, src), e in found.items() if src == ANY}
    wider = (e for e in found.values() if e.src == ANY or e.ports & ~every.get(e.dst.name, ports.NONE))
    return sorted(wider, key=lambda e: (e.dst.name, e.src != ANY, e.src))


def _let_in(fleet: Fleet, workload: Workload, blocks: bool) -> Iterator[tuple[str, int]]:
    selecting = isolating(fleet, workload.pod, INGRESS)
    if not selecting:
        yield ANY, ports.ALL
    for policy in selecting:
        for rule in INGRESS.rules(policy):
            mask = ports.of_rule(rule.get("ports") or [], workload.pod)
            given = INGRESS.peers_of(rule)
            if not given:
                yield ANY, mask
            for peer in given:
                if "ipBlock" in peer and blocks:
                    yield f"any pod with an address in {block_words(peer['ipBlock'])}", mask
                elif "ipBlock" not in peer:
                    yield _described(peer, workload.pod.namespace), mask


def _described(peer: Mapping[str, Any], own: str) -> str:
    pod, space = _labels(peer.get("podSelector")), _labels(peer.get("namespaceSelector"))
    pods = f"pods with {pod}" if pod else "any pod"
    if peer.get("namespaceSelector") is None:
        return f"{pods} in namespace {own}"
    return f"{pods} in {f'namespaces with {space}' if space else 'any namespace'}"


def _labels(selector: Mapping[str, Any] | None) -> str:
    """A selector as kubectl writes one; empty where it selects everything."""
    given = selector or {}
    found = [f"{k}={v}" for k, v in sorted((given.get("matchLabels") or {}).items())]
    for one in given.get("matchExpressions") or []:
        key, values = one["key"], ", ".join(one.get("values") or [])
        word = one["operator"]
        exact = {"Exists": key, "DoesNotExist": f"!{key}"}
        found.append(exact.get(word) or f"{key} {word.lower()} ({values})")
    return ", ".join(found)


def entrances(
    fleet: Fleet, platform: Platform, settled: Mapping[str, bool], to: str = ""
) -> tuple[list[Entrance], list[str]]:
    """What comes in through Services, host ports, Ingresses and routes, and what of them leads nowhere known.

    One that is not of its kind's shape is left out and named; the others are worked out all the same. With `to`, what concerns
    other workloads and namespaces alone is not told.
    """
    documents = fleet.beside
    wrong: list[str] = []
    services = [s for s, _ in sound(documents, fleet, wrong)]
    named, fronts = {(s.namespace, s.name): s for s in services}, Controllers(documents, fleet, platform)
    readers = routed(documents, named, fronts, Delegates(documents))
    met = [
        *outside(services),
        *host_ports(fleet),
        *(f for read in readers for f in shaped(documents, read, wrong)),
    ]
    edges = dict.fromkeys(e for e in met if isinstance(e, Edge))
    found = _ways(fleet, edges, settled)
    ordered = sorted(found, key=lambda e: (e.dst.name, e.through, e.src, sorted(e.ports)))
    lost = [f"{text}: what it lets in is not worked out" for text in wrong]
    spaces = frozenset(w.pod.namespace for w in fleet.workloads if to in known_as(w))
    notes = (n.text for n in met if isinstance(n, Note) and (not to or n.concerns(to, spaces)))
    return ordered, list(dict.fromkeys([*lost, *notes, *_on_nodes(met, to)]))


def _ways(fleet: Fleet, edges: Iterable[Edge], settled: Mapping[str, bool]) -> Iterator[Entrance]:
    """Each connection from outside, a port at a time, with what the policies make of it."""
    net, spans = fleet.network(settled), ranges(fleet, settled=settled)
    for edge in edges:
        if not isinstance(edge.dst, Workload):
            continue
        src = edge.src if isinstance(edge.src, str) else edge.src.name
        asked = spans if src == INTERNET else within(spans, src) if "/" in src and src == edge.src else []
        for port in sorted(edge.ports):
            one = Edge(edge.src, edge.dst, frozenset({port}), edge.origin)
            let_in = [s for s in asked if net.allowed(str(s.first), edge.dst.pod, *port)]
            because = () if let_in else shut(fleet, one, settled)
            because = because or (() if let_in or not asked else ("Ingress: no rule allows it",))
            partly = tuple(f"{s.first}-{s.last}" for s in let_in) if len(let_in) < len(asked) else ()
            yield Entrance(edge.origin, src, edge.dst, one.ports, because, partly)


def _on_nodes(met: Iterable[Found], to: str) -> Iterator[str]:
    """What is told of fronts on the host's network."""
    for edge in met:
        if not (isinstance(edge, Edge) and isinstance(edge.src, Workload) and isinstance(edge.dst, Workload)):
            continue
        if edge.src.pod.host_network and (not to or to in known_as(edge.dst)):
            yield (
                f"{edge.src.name} uses its node's network: policies see the node's address, which an ipBlock or a rule without "
                "`from` lets in (an ipBlock to Cilium with policyCIDRMatchMode: nodes alone), and no podSelector"
            )
