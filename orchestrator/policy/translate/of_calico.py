"""A NetworkPolicy or GlobalNetworkPolicy of Calico as statements, its rules in order. Source: projectcalico.org/v3."""

import ipaddress
import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from orchestrator.policy.evaluate.calico.calico_tiers import DEFAULT
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.port_sets import PROTOCOLS
from orchestrator.policy.translate.calico_labels import Unsayable, of_space, pods, ways
from orchestrator.policy.translate.statements import (
    MOST_PORT,
    Action,
    Block,
    Peer,
    Pods,
    Refuse,
    Said,
    Span,
    Statement,
    every,
)

Part = Mapping[str, Any]
_NUMBERS = {"6": "TCP", "17": "UDP", "132": "SCTP", "1": "ICMP", "58": "ICMPv6"}
_OF_HOSTS = ("doNotTrack", "preDNAT", "applyOnForward")
_UNREAD = {
    "http": "a proxy decides on each request",
    "notProtocol": "protocols are named by what they are not",
    "notICMP": "messages are named by what they are not",
    "ipVersion": "a family of addresses is named",
}
_BY_LABELS = ("selector", "notSelector", "namespaceSelector")
_UNREAD_ENDS = {
    "serviceAccounts": "service accounts are no labels of pods",
    "services": "which pods a Service stands for changes, and no other API asks for that as Calico does",
}


def read(document: Document, refuse: Refuse) -> Iterator[Statement]:
    """One statement for each alternative of a valid policy's selectors."""
    spec = document.obj.get("spec") or {}
    wide = document.obj["kind"] == "GlobalNetworkPolicy"
    for field in (f for f in _OF_HOSTS if spec.get(f)):
        refuse(f"spec.{field}", "rules for host endpoints and forwarded traffic are Calico's alone")
        return
    if spec.get("tier") not in (None, "", DEFAULT):
        refuse("spec.tier", "only Calico's default tier can be said elsewhere: others go before or after it")
        return
    if spec.get("serviceAccountSelector"):
        refuse("spec.serviceAccountSelector", _UNREAD_ENDS["serviceAccounts"])
        return
    rules = {
        side: tuple(
            said
            for number, rule in enumerate(spec.get(side.part) or ())
            if (said := _rule(rule, f"spec.{side.part}[{number}]", side, wide, refuse))
        )
        for side in Direction
    }
    closes = _types(spec)
    order = spec.get("order")
    for subject in _subjects(spec, wide, refuse):
        kept = {side: rules[side] for side in closes}
        place = math.inf if order is None else float(order)
        yield Statement(document, subject, "spec.selector", kept, closes, order=place)


def _types(spec: Part) -> dict[Direction, str]:
    """The directions that a policy speaks of, which the default tier closes, each with the field that says so."""
    types = spec.get("types") or ()
    if types:
        return {side: f"spec.types[{types.index(side.value)}]" for side in Direction if side.value in types}
    given = [side for side in Direction if spec.get(side.part)]
    return {side: f"spec.{side.part}" for side in given} or {Direction.INGRESS: "spec.selector"}


def _subjects(spec: Part, wide: bool, refuse: Refuse) -> list[Pods]:
    field = "spec.selector"
    try:
        chosen = ways(spec.get("selector") or "")
        field = "spec.namespaceSelector" if wide else field
        spaces = [of_space(one) for one in ways(spec.get("namespaceSelector") or "")] if wide else [None]
        found = [pods(*pair) for pair in product(chosen, spaces)]
    except Unsayable as why:
        refuse(field, str(why))
        return []
    subjects = [one for one in found if one is not None]
    if not wide and any(one.spaces is not None for one in subjects):
        refuse(field, "it asks for the labels of its own namespace")
        return []
    if not subjects:
        refuse(field, "it selects nothing")
    return subjects


def _rule(rule: Part, field: str, side: Direction, wide: bool, refuse: Refuse) -> Said | None:
    """None for a rule that says nothing of connections, and for one that is refused."""
    action: Action = rule["action"]
    if action == "Log":  # type: ignore[comparison-overlap]
        return None
    if action == "Pass":
        refuse(f"{field}.action", "only tiers pass on to what comes after them")
        return None
    for name in (n for n in _UNREAD if rule.get(n)):
        refuse(f"{field}.{name}", _UNREAD[name])
        return None
    near, far = ("destination", "source") if side is Direction.INGRESS else ("source", "destination")
    for end, name in [(near, n) for n in rule.get(near) or ()] + [
        ("source", n) for n in ("ports", "notPorts")
    ]:
        if (rule.get(end) or {}).get(name) and (end == "source" or name not in ("ports", "notPorts")):
            what = "the client's port" if end == "source" and "orts" in name else "its own pods once more"
            refuse(f"{field}.{end}.{name}", f"a rule names {what}, which no other API can")
            return None
    try:
        ports = _ports(rule, field, refuse)
        peers = _peers(rule.get(far) or {}, f"{field}.{far}", wide, refuse)
    except Unsayable as why:
        refuse(f"{field}.{far}", str(why))
        return None
    if ports == () or peers == ():
        return None
    return Said(field, action, peers, ports)


def _peers(entity: Part, field: str, wide: bool, refuse: Refuse) -> tuple[tuple[str, Peer], ...] | None:
    """None is everybody, an empty one nobody. Raises Unsayable."""
    for name in (n for n in _UNREAD_ENDS if entity.get(n)):
        refuse(f"{field}.{name}", _UNREAD_ENDS[name])
        return ()
    nets, without = entity.get("nets"), entity.get("notNets") or ()
    labelled = next((n for n in _BY_LABELS if entity.get(n)), "")
    if nets and labelled:
        refuse(f"{field}.{labelled}", "only Calico asks for labels and addresses at once")
        return ()
    if without and not nets:
        refuse(f"{field}.notNets", "addresses are named by what they are not, and pods with them")
        return ()
    if nets:
        blocks = [(f"{field}.nets[{at}]", _block(net, without)) for at, net in enumerate(nets)]
        return tuple((where, block) for where, block in blocks if block is not None)
    if not labelled:
        return None
    if labelled == "notSelector" and not entity.get("namespaceSelector"):
        refuse(f"{field}.notSelector", "what is excluded stands alone, and whom it leaves depends on Calico")
        return ()
    spaces = (
        [of_space(one) for one in ways(entity["namespaceSelector"])]
        if entity.get("namespaceSelector")
        else [None]
    )
    chosen = ways(entity.get("selector") or "")
    others = ways(entity["notSelector"], holds=False) if entity.get("notSelector") else [()]
    found = []
    for space, one, other in product(spaces, chosen, others):
        peer = pods((*one, *other), () if wide and space is None else space)
        if peer is not None and not wide and space is None and peer.spaces is not None:
            raise Unsayable("it asks for the labels of its own namespace")
        found += [(f"{field}.{labelled}", peer)] if peer is not None else []
    return tuple(found)


def _block(net: str, without: Any) -> Block | None:
    """Addresses without some; None where none is left."""
    whole = ipaddress.ip_network(net, strict=False)
    outer = [
        n for text in without if (n := ipaddress.ip_network(text, strict=False)).version == whole.version
    ]
    if any(whole.subnet_of(one) for one in outer):  # type: ignore[arg-type]
        return None
    inner = [str(one) for one in outer if one.subnet_of(whole)]  # type: ignore[arg-type]
    return Block(str(whole), tuple(inner))


def _ports(rule: Part, field: str, refuse: Refuse) -> tuple[tuple[str, Span], ...] | None:
    """None is every port of every protocol."""
    given = rule.get("protocol")
    if given is None:
        return None
    protocol = _NUMBERS.get(str(given), str(given))
    if protocol.startswith("ICMP"):
        message = rule.get("icmp") or {}
        kind = message.get("type")
        first, last = every(protocol) if kind is None else (kind, kind)
        return (
            (
                f"{field}.{'protocol' if kind is None else 'icmp'}",
                Span(protocol, first, last, code=message.get("code")),
            ),
        )
    if protocol not in PROTOCOLS:
        refuse(f"{field}.protocol", f"{given} is a protocol that no other API names")
        return ()
    end = rule.get("destination") or {}
    listed, without = end.get("ports"), end.get("notPorts")
    if without:
        names = [entry for entry in without if not str(entry)[0].isdecimal()]
        if names or listed:
            refuse(f"{field}.destination.notPorts", "ports are named by what they are not")
            return ()
        return tuple((f"{field}.destination.notPorts", span) for span in _beside(protocol, without))
    if not listed:
        return ((f"{field}.protocol", Span(protocol)),)
    return tuple((f"{field}.destination.ports[{at}]", _span(protocol, p)) for at, p in enumerate(listed))


def _span(protocol: str, entry: int | str) -> Span:
    first, colon, last = str(entry).partition(":")
    if not first.isdecimal():
        return Span(protocol, name=first)
    return Span(protocol, int(first), int(last if colon else first))


def _beside(protocol: str, entries: Any) -> Iterator[Span]:
    """The ports that are none of some."""
    at = 1
    for first, last in sorted((s.first, s.last) for s in (_span(protocol, entry) for entry in entries)):
        if at < first:
            yield Span(protocol, at, first - 1)
        at = max(at, last + 1)
    if at <= MOST_PORT:
        yield Span(protocol, at)
