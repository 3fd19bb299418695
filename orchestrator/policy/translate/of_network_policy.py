"""A NetworkPolicy as a statement. Source: NetworkPolicy API, networking.k8s.io/v1."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.translate.statements import Block, Peer, Pods, Refuse, Said, Span, Statement, Wanted

Part = Mapping[str, Any]


def read(document: Document, _: Refuse) -> Iterator[Statement]:
    """The one statement of a NetworkPolicy, which has to be valid."""
    spec = document.obj["spec"]
    sides = [side for side in Direction if side.in_force(document.obj)]
    rules = {
        side: tuple(
            _rule(f"spec.{side.part}[{number}]", rule, side)
            for number, rule in enumerate(side.rules(document.obj))
        )
        for side in sides
    }
    types = spec.get("policyTypes") or ()
    closes = {
        side: f"spec.policyTypes[{types.index(side.value)}]" if side.value in types else "spec.podSelector"
        for side in sides
    }
    yield Statement(
        document, Pods(wanted_of(spec.get("podSelector") or {})), "spec.podSelector", rules, closes
    )


def wanted_of(selector: Part) -> Wanted:
    """What a selector of Kubernetes asks of labels."""
    return tuple(requirements(selector))


def _rule(field: str, rule: Part, side: Direction) -> Said:
    peers = tuple(
        (f"{field}.{side.peers}[{at}]", peer_of(peer)) for at, peer in enumerate(side.peers_of(rule))
    )
    ports = tuple((f"{field}.ports[{at}]", _port(entry)) for at, entry in enumerate(rule.get("ports") or ()))
    return Said(field, "Allow", peers or None, ports or None)


def peer_of(peer: Part) -> Peer:
    """One of the `from` or `to` of a rule."""
    if block := peer.get("ipBlock"):
        return Block(block["cidr"], tuple(block.get("except") or ()))
    spaces = peer.get("namespaceSelector")
    return Pods(wanted_of(peer.get("podSelector") or {}), None if spaces is None else wanted_of(spaces))


def _port(entry: Part) -> Span:
    protocol, port = str(entry.get("protocol") or "TCP"), entry.get("port")
    if port is None:
        return Span(protocol)
    if isinstance(port, str):
        return Span(protocol, name=port)
    return Span(protocol, port, entry.get("endPort") or port)
