"""Statements as NetworkPolicies, which allow alone, in one namespace each. Source: NetworkPolicy API, networking.k8s.io/v1."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.translate.made import Made, named, no_word, object_of, selector_of
from orchestrator.policy.translate.statements import (
    ANYWHERE,
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

_OWN_NODE = "a node reaches its own pods under every NetworkPolicy: the entity host is left out"


def write(statements: Sequence[Statement], refuse: Refuse, note: Refuse) -> list[Made]:
    """The NetworkPolicies of one policy's statements."""
    bodies = [(space, spec, told) for s in statements for space, spec, told in _specs(s, refuse, note)]
    made = []
    for space, name, (spec, told) in named(
        statements[0].name, [(space, (spec, told)) for space, spec, told in bodies]
    ):
        obj = object_of(
            statements[0].document, "networking.k8s.io/v1", "NetworkPolicy", name, space, {"spec": spec}
        )
        made.append(Made(statements[0].document, obj, told))
    return made


def _specs(statement: Statement, refuse: Refuse, note: Refuse) -> Iterator[tuple[str, dict[str, Any], Any]]:
    if statement.tier:
        refuse(
            "spec.subject",
            f"a NetworkPolicy stands in no tier: the order of {statement.tier} rules cannot be said",
        )
        return
    spaces = _spaces(statement)
    if spaces is None:
        refuse(statement.field, "a NetworkPolicy is of one namespace, and this selects pods of any")
        return
    spec: dict[str, Any] = {"podSelector": selector_of(statement.subject.wanted), "policyTypes": []}
    comments: dict[tuple[str, int], tuple[str, ...]] = {}
    for side in Direction:
        rules = statement.rules.get(side, ())
        for rule in rules:
            if rule.action != "Allow":
                refuse(rule.field, "a NetworkPolicy allows alone, and this denies")
        if side not in statement.closes:
            if rules:
                refuse(rules[0].field, "a NetworkPolicy denies what it does not allow, and this does not")
            continue
        spec["policyTypes"].append(side.value)
        written = [(body, rule) for rule in rules if (body := _rule(rule, side, refuse, note)) is not None]
        if written:
            spec[side.part] = [body for body, _ in written]
        comments |= {(side.part, at): rule.comments for at, (_, rule) in enumerate(written) if rule.comments}
    if spec["policyTypes"]:
        yield from ((space, spec, comments) for space in spaces)


def _spaces(statement: Statement) -> Sequence[str] | None:
    """The namespaces that a policy has to stand in; None where they are not said by name."""
    if statement.subject.spaces is None:
        return (statement.space,)
    asked = [(o, values) for k, o, values in statement.subject.spaces if k == NAME_LABEL]
    if len(statement.subject.spaces) != 1 or not asked or asked[0][0] != "In":
        return None
    return sorted(asked[0][1])


def _rule(rule: Said, side: Direction, refuse: Refuse, note: Refuse) -> dict[str, Any] | None:
    """None for a rule of which nothing is left."""
    body: dict[str, Any] = {}
    if rule.peers is not None:
        found = [one for field, peer in rule.peers for one in _peer(field, peer, side, refuse, note)]
        if not found:
            return None
        body[side.peers] = found
    if rule.ports is not None:
        body["ports"] = [one for field, span in rule.ports if (one := _port(field, span, refuse))]
        if not body["ports"]:
            return None
    return body


def _peer(
    field: str, peer: Peer, side: Direction, refuse: Refuse, note: Refuse
) -> Iterator[Mapping[str, Any]]:
    if isinstance(peer, Pods):
        spaces = {} if peer.spaces is None else {"namespaceSelector": selector_of(peer.spaces)}
        pods = {"podSelector": selector_of(peer.wanted)} if peer.wanted or peer.spaces is None else {}
        yield {**spaces, **pods}
    elif isinstance(peer, Block):
        without = {"except": list(peer.without)} if peer.without else {}
        yield {"ipBlock": {"cidr": peer.cidr, **without}}
    elif isinstance(peer, Entity) and peer.name == "world":
        yield from ({"ipBlock": {"cidr": every}} for every in ANYWHERE)
    elif isinstance(peer, Entity) and peer.name == "host" and side is Direction.INGRESS:
        note(field, _OWN_NODE)
    elif isinstance(peer, Entity):
        refuse(field, no_word("a NetworkPolicy", peer))
    elif isinstance(peer, Hosts):
        refuse(field, "a NetworkPolicy names no hosts: only addresses could say it")
    elif isinstance(peer, Nodes):
        refuse(field, "a NetworkPolicy selects no nodes: only addresses could say it")


def _port(field: str, span: Span, refuse: Refuse) -> dict[str, Any] | None:
    if span.protocol.startswith("ICMP"):
        refuse(
            field, f"a NetworkPolicy cannot say {span.protocol}: it lets that through with every port alone"
        )
        return None
    if span.name:
        return {"protocol": span.protocol, "port": span.name}
    if span.whole:
        return {"protocol": span.protocol}
    last = {"endPort": span.last} if span.last > span.first else {}
    return {"protocol": span.protocol, "port": span.first, **last}
