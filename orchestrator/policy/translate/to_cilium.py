"""Statements as CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies: one union, in which a denial counts first.

Sources: as in evaluate/cilium.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_identities import NAMESPACE, OF_NAMESPACE, PODS, kept
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE, NAMESPACED
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.port_sets import PROTOCOLS
from orchestrator.policy.objects.selector import NAME_LABEL, Requirement, Selector
from orchestrator.policy.translate.made import Comments, Made, object_of, selector_of
from orchestrator.policy.translate.statements import (
    Block,
    Entity,
    Hosts,
    Nodes,
    Peer,
    Pods,
    Refuse,
    Said,
    Span,
    Statement,
)

API = "cilium.io/v2"
_ANYWHERE: Requirement = (NAME_LABEL, "Exists", frozenset())
_MOST_PORTS = 40  # of an item of toPorts, and messages of an item of icmps
_LONGEST_NAME = 15
Part = Mapping[str, Any]


def write(statements: Sequence[Statement], refuse: Refuse, _: Refuse) -> list[Made]:
    """The policy of one policy's statements: of several, each is one of its specs."""
    wide = statements[0].subject.spaces is not None
    found = [(spec, told) for spec, told in (_spec(s, refuse) for s in statements) if spec]
    if not found:
        return []
    body = {"spec": found[0][0]} if len(found) == 1 else {"specs": [spec for spec, _ in found]}
    document = statements[0].document
    kind, space = (CLUSTERWIDE, "") if wide else (NAMESPACED, statements[0].space)
    obj = object_of(document, API, kind, statements[0].name, space, body)
    return [Made(document, obj, found[0][1] if len(found) == 1 else {})]


def _spec(statement: Statement, refuse: Refuse) -> tuple[dict[str, Any], Comments]:
    """With the comments of its rules; empty where it is refused."""
    told: dict[tuple[str, int], Sequence[str]] = {}
    if statement.tier:
        refuse("spec.subject", f"Cilium enforces no {statement.tier} policy, and has no tier to put it into")
        return {}, told
    spec: dict[str, Any] = {
        "endpointSelector": _selector(statement.subject, statement.field, refuse, wide=True)
    }
    open_ways = {}
    wide = statement.subject.spaces is not None
    for side in Direction:
        by_list: dict[str, list[dict[str, Any]]] = {}
        for rule in statement.rules.get(side, ()):
            if rule.action == "Pass":
                refuse(rule.field, "Cilium has no rule that passes on")
                continue
            name = side.part if rule.action == "Allow" else f"{side.part}Deny"
            for body in _rules(rule, side, wide, refuse):
                listed = by_list.setdefault(name, [])
                if rule.comments:
                    told[name, len(listed)] = rule.comments
                listed.append(body)
        if side in statement.closes and not by_list:
            by_list[side.part] = [{}]  # it means nobody, and closes
        if side not in statement.closes and by_list:
            open_ways[side.part] = False
        spec |= by_list
    if open_ways:
        spec["enableDefaultDeny"] = open_ways
    return spec, told


def _rules(rule: Said, side: Direction, wide: bool, refuse: Refuse) -> Iterator[dict[str, Any]]:
    """One rule for each field of peers, and for ports and messages apart, which Cilium lets stand alone."""
    word = "from" if side is Direction.INGRESS else "to"
    peers: list[dict[str, Any]] = []
    if rule.peers is None:
        peers = [{}]
    else:
        by_field: dict[str, list[Any]] = {}
        for field, peer in rule.peers:
            for name, entry in _peer(field, peer, side, rule, wide, refuse):
                by_field.setdefault(f"{word}{name}", []).append(entry)
        peers = [{name: entries} for name, entries in by_field.items()]
    for far in _far(rule, refuse):
        for near in peers:
            yield {**near, **far} or {f"{word}Entities": ["all"]}


def _peer(
    field: str, peer: Peer, side: Direction, rule: Said, wide: bool, refuse: Refuse
) -> Iterator[tuple[str, Any]]:
    """The field of a rule, and what it holds of a peer."""
    if isinstance(peer, Pods):
        yield "Endpoints", _selector(peer, field, refuse, wide)
    elif isinstance(peer, Block) and peer.without:
        yield "CIDRSet", {"cidr": peer.cidr, "except": list(peer.without)}
    elif isinstance(peer, Block):
        yield "CIDR", peer.cidr
    elif isinstance(peer, Entity):
        yield "Entities", peer.name
    elif isinstance(peer, Hosts) and side is Direction.EGRESS and rule.action == "Allow":
        yield from (("FQDNs", {"matchPattern" if "*" in n else "matchName": n}) for n in peer.names)
    elif isinstance(peer, Hosts):
        refuse(field, "Cilium names hosts in rules that allow egress alone")
    elif isinstance(peer, Nodes):
        yield "Nodes", peer.selector


def _selector(pods: Pods, field: str, refuse: Refuse, wide: bool) -> Selector:
    """`wide` says that it stands where no namespace is meant unless it is named."""
    for key in (key for key, *_ in pods.wanted if not kept(key)):
        refuse(field, f"Cilium leaves the label {key} out of identities, so that it would select nothing")
    anywhere = () if wide else (_ANYWHERE,)
    spaces = () if pods.spaces is None else pods.spaces or anywhere
    return selector_of((*pods.wanted, *((_key(key), operator, values) for key, operator, values in spaces)))


def _key(key: str) -> str:
    """How Cilium writes a label of a namespace."""
    return f"{PODS}:{NAMESPACE}" if key == NAME_LABEL else f"{PODS}:{OF_NAMESPACE}{key}"


def _far(rule: Said, refuse: Refuse) -> Iterator[dict[str, Any]]:
    if rule.ports is None:
        yield {}
        return
    ports, messages = [], []
    for field, span in rule.ports:
        if span.protocol.startswith("ICMP"):
            messages += list(_message(field, span, refuse))
        else:
            ports.append(_port(field, span, refuse))
    for listed, name, inner in ((_united(ports), "toPorts", "ports"), (messages, "icmps", "fields")):
        items = [listed[at : at + _MOST_PORTS] for at in range(0, len(listed), _MOST_PORTS)]
        if items:
            yield {name: [{inner: some} for some in items]}


def _port(field: str, span: Span, refuse: Refuse) -> dict[str, Any]:
    if len(span.name) > _LONGEST_NAME:
        refuse(field, f"Cilium takes names of ports of up to {_LONGEST_NAME} characters")
    port = span.name or ("0" if span.whole else str(span.first))
    last = {"endPort": span.last} if span.first < span.last and port not in ("0", span.name) else {}
    return {"port": port, **last, "protocol": span.protocol}


def _united(ports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for all protocols where each of them is named."""
    by_port: dict[tuple[Any, Any], list[str]] = {}
    for entry in ports:
        by_port.setdefault((entry["port"], entry.get("endPort")), []).append(entry["protocol"])
    found = []
    for (port, last), protocols in by_port.items():
        ends = {"endPort": last} if last else {}
        known = ["ANY"] if set(protocols) == set(PROTOCOLS) else list(dict.fromkeys(protocols))
        found += [{"port": port, **ends, "protocol": protocol} for protocol in known]
    return found


def _message(field: str, span: Span, refuse: Refuse) -> Iterator[dict[str, Any]]:
    if span.first != span.last or span.code is not None:
        what = "codes" if span.code is not None else "all types at once"
        refuse(field, f"Cilium names types of {span.protocol}, and no {what}")
        return
    yield {"family": "IPv6" if span.protocol == "ICMPv6" else "IPv4", "type": span.first}
