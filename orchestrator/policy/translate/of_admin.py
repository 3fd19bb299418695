"""AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy as statements of a tier, their rules in order.

Source: policy.networking.k8s.io, v1alpha1 and v1alpha2.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.port_sets import PROTOCOLS
from orchestrator.policy.translate.of_network_policy import wanted_of
from orchestrator.policy.translate.statements import (
    Block,
    Hosts,
    Nodes,
    Peer,
    Pods,
    Refuse,
    Said,
    Span,
    Statement,
)

Part = Mapping[str, Any]
BASELINE = "BaselineAdminNetworkPolicy"
_ACTIONS = {"Accept": "Allow", "Allow": "Allow", "Deny": "Deny", "Pass": "Pass"}


def read(document: Document, _: Refuse) -> Iterator[Statement]:
    """The one statement of a policy, which has to be valid."""
    spec, kind = document.obj["spec"], document.obj["kind"]
    tier = "Baseline" if kind == BASELINE or spec.get("tier") == "Baseline" else "Admin"
    rules = {
        side: tuple(
            _rule(f"spec.{side.part}[{number}]", rule, side)
            for number, rule in enumerate(spec.get(side.part) or ())
        )
        for side in Direction
    }
    subject = _pods(spec["subject"])
    yield Statement(document, subject, "spec.subject", rules, {}, tier, spec.get("priority") or 0)  # type: ignore[arg-type]


def _rule(field: str, rule: Part, side: Direction) -> Said:
    peers = [
        (f"{field}.{side.peers}[{at}]", one)
        for at, peer in enumerate(side.peers_of(rule))
        for one in _peers(peer)
    ]
    named = "protocols" if "protocols" in rule else "ports"
    entries = rule.get(named) or ()
    ports = [(f"{field}.{named}[{at}]", span) for at, e in enumerate(entries) for span in _spans(e)]
    return Said(field, _ACTIONS[rule["action"]], tuple(peers), tuple(ports) or None)  # type: ignore[arg-type]


def _pods(subject: Part) -> Pods:
    if subject.get("namespaces") is not None:
        return Pods((), wanted_of(subject["namespaces"]))
    given = subject["pods"]
    return Pods(wanted_of(given.get("podSelector") or {}), wanted_of(given.get("namespaceSelector") or {}))


def _peers(peer: Part) -> Iterator[Peer]:
    if peer.get("networks") is not None:
        yield from (Block(cidr) for cidr in peer["networks"])
    elif peer.get("nodes") is not None:
        yield Nodes(peer["nodes"])
    elif peer.get("domainNames") is not None:
        yield Hosts(tuple(peer["domainNames"]))
    else:
        yield _pods(peer)


def _spans(entry: Part) -> Iterator[Span]:
    """Of either version; a name is looked up with every protocol."""
    name = entry.get("namedPort") or entry.get("destinationNamedPort")
    if name is not None:
        yield from (Span(protocol, name=name) for protocol in PROTOCOLS)
    if one := entry.get("portNumber"):
        yield Span(one.get("protocol") or "TCP", one["port"], one["port"])
    if several := entry.get("portRange"):
        yield Span(several.get("protocol") or "TCP", several["start"], several["end"])
    for protocol in PROTOCOLS:
        if (body := entry.get(protocol.lower())) is None:
            continue
        wanted = body.get("destinationPort") or {}
        given = wanted.get("range") or {}
        if "number" in wanted:
            yield Span(protocol, wanted["number"], wanted["number"])
        elif given:
            yield Span(protocol, given["start"], given["end"])
        else:
            yield Span(protocol)
