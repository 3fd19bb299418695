"""Statements as AdminNetworkPolicies and a BaselineAdminNetworkPolicy, which say nothing of ingress from outside the cluster.

Source: policy.networking.k8s.io/v1alpha1.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.translate.made import Made, no_word, object_of, selector_of
from orchestrator.policy.translate.of_admin import BASELINE
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

API, KIND = "policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"
DENIES, ALLOWS, CLOSES = (
    -3,
    -2,
    -1,
)  # in place of priorities until all are known: what no rule allows comes last
_MOST_NETWORKS, _MOST = 25, 100
Body = dict[str, Any]


def write(statements: Sequence[Statement], refuse: Refuse, _: Refuse) -> list[Made]:
    """The policies of one policy's statements: what is in no tier as denials, then what is allowed, then what closes."""
    made: list[Made] = []
    for number, statement in enumerate(statements, 1):
        name = statement.name if number == 1 else f"{statement.name}-{number}"
        made += _tiered(statement, refuse) if statement.tier else _flat(statement, name, refuse)
    return made


def in_sequence(made: Sequence[Made], kept: Iterable[Mapping[str, Any]]) -> list[Made]:
    """With a priority of its own each, after those that have one already: OVN-Kubernetes takes one policy a priority."""
    known = [o["spec"]["priority"] for o in (*kept, *(m.obj for m in made)) if "priority" in o["spec"]]
    start = max([p for p in known if p >= 0], default=-1) + 1
    open_ones = [m for m in made if m.obj["spec"].get("priority", 0) < 0]
    for number, one in enumerate(sorted(open_ones, key=lambda m: m.obj["spec"]["priority"])):
        one.obj["spec"]["priority"] = start + number
    return list(made)


def _tiered(statement: Statement, refuse: Refuse) -> Iterator[Made]:
    rules: dict[str, list[Body]] = {}
    told: dict[tuple[str, int], Sequence[str]] = {}
    for side, rule in statement.every_rule():
        listed = rules.setdefault(side.part, [])
        if rule.comments:
            told[side.part, len(listed)] = rule.comments
        listed += _rule(rule, side, "", refuse)
    spec = {"subject": _subject(statement, statement.subject), **{k: v for k, v in rules.items() if v}}
    if statement.tier == "Admin":
        body = {"spec": {"priority": int(statement.order), **spec}}
        yield Made(
            statement.document, object_of(statement.document, API, KIND, statement.name, "", body), told
        )
        return
    for field in (f"{r.field}.action" for _, r in statement.every_rule() if r.action == "Pass"):
        refuse(field, "a BaselineAdminNetworkPolicy allows and denies alone")
    yield Made(
        statement.document, object_of(statement.document, API, BASELINE, "default", "", {"spec": spec}), told
    )


def _flat(statement: Statement, name: str, refuse: Refuse) -> Iterator[Made]:
    subject = _subject(statement, statement.subject)
    if subject is None:
        refuse(statement.field, "an AdminNetworkPolicy names its namespaces: write metadata.namespace")
        return
    prefix = f"{statement.space}-" if statement.space else ""
    parts = {"Deny": (DENIES, "-deny"), "Allow": (ALLOWS, ""), "": (CLOSES, "-rest")}
    by_part: dict[str, Body] = {part: {} for part in parts}
    for side in Direction:
        for action in ("Deny", "Allow"):
            mine = [r for r in statement.rules.get(side, ()) if r.action == action]
            if listed := _rules(mine, side, statement.space, refuse):
                by_part[action][side.part] = listed
        if side in statement.closes:
            if side is Direction.INGRESS:
                refuse(
                    statement.closes[side],
                    "it denies ingress from outside the cluster as well, of which an AdminNetworkPolicy says nothing",
                )
            by_part[""][side.part] = [rest_of(side)]
        elif found := [r for r in statement.rules.get(side, ()) if r.action == "Allow"]:
            refuse(
                found[0].field,
                "it allows without closing: an AdminNetworkPolicy would go before every denial",
            )
    for part, (priority, end) in parts.items():
        if by_part[part]:
            body = {"spec": {"priority": priority, "subject": subject, **by_part[part]}}
            obj = object_of(statement.document, API, KIND, f"{prefix}{name}{end}", "", body)
            yield Made(statement.document, obj)


def rest_of(side: Direction) -> Body:
    """The rule that denies what none before it allows."""
    peers: list[Body] = [{"namespaces": {}}]
    if side is Direction.EGRESS:
        peers.append({"networks": list(ANYWHERE)})
    return {"name": "what no rule allows", "action": "Deny", side.peers: peers}


def _subject(statement: Statement, pods: Pods) -> Body | None:
    """None where the namespace is not said."""
    if pods.spaces is None and not statement.space:
        return None
    return _pods(pods, statement.space)


def _pods(pods: Pods, space: str) -> Body:
    own = ((NAME_LABEL, "In", frozenset([space])),)
    spaces = selector_of(own if pods.spaces is None else pods.spaces)
    if not pods.wanted:
        return {"namespaces": spaces}
    return {"pods": {"namespaceSelector": spaces, "podSelector": selector_of(pods.wanted)}}


def _rules(rules: Sequence[Said], side: Direction, space: str, refuse: Refuse) -> list[Body]:
    return [body for rule in rules for body in _rule(rule, side, space, refuse)]


def _rule(rule: Said, side: Direction, space: str, refuse: Refuse) -> Iterator[Body]:
    """None of it where it is refused."""
    if rule.peers is None and side is Direction.INGRESS:
        refuse(
            rule.field,
            "it means the outside of the cluster as well, which an AdminNetworkPolicy names in egress alone",
        )
        return
    peers: list[Body] = (
        [{"namespaces": {}}, {"networks": list(ANYWHERE)}]
        if rule.peers is None
        else [one for field, peer in rule.peers for one in _peer(field, peer, side, rule, space, refuse)]
    )
    ports = None if rule.ports is None else list(_ports(rule.ports, refuse))
    named = any("namedPort" in p for p in ports or ())
    if named and any("namespaces" not in p and "pods" not in p for p in peers):
        refuse(
            rule.field,
            "an AdminNetworkPolicy looks names of ports up on pods: they cannot stand beside addresses",
        )
    for at in range(0, len(peers), _MOST):
        body: Body = {"action": rule.action, side.peers: peers[at : at + _MOST]}
        yield {**body, **({"ports": ports} if ports else {})}


def _peer(field: str, peer: Peer, side: Direction, rule: Said, space: str, refuse: Refuse) -> Iterator[Body]:
    if isinstance(peer, Pods):
        yield _pods(peer, space)
    elif side is Direction.INGRESS:
        refuse(field, "an AdminNetworkPolicy lets in, and denies, pods of the cluster alone")
    elif isinstance(peer, Block):
        networks = _without(peer)
        yield from (
            {"networks": networks[at : at + _MOST_NETWORKS]} for at in range(0, len(networks), _MOST_NETWORKS)
        )
    elif isinstance(peer, Entity) and peer.name == "world":
        yield {"networks": list(ANYWHERE)}
    elif isinstance(peer, Entity):
        refuse(
            field,
            no_word("an AdminNetworkPolicy", peer),
        )
    elif isinstance(peer, Hosts) and rule.action == "Allow" and not any("*" in n for n in peer.names):
        yield {"domainNames": list(peer.names)}
    elif isinstance(peer, Hosts):
        refuse(field, "an AdminNetworkPolicy names hosts in rules that allow, and * means other names there")
    elif isinstance(peer, Nodes):
        yield {"nodes": peer.selector}


def _without(block: Block) -> list[str]:
    """Addresses without their exceptions, which this API does not have."""
    left = [ipaddress.ip_network(block.cidr, strict=False)]
    for text in block.without:
        one = ipaddress.ip_network(text, strict=False)
        left = [
            part
            for net in left
            for part in (
                []
                if net.subnet_of(one)  # type: ignore[arg-type]
                else net.address_exclude(one)  # type: ignore[arg-type]
                if one.subnet_of(net)  # type: ignore[arg-type]
                else [net]
            )
        ]
    return [str(net) for net in left]


def _ports(ports: Sequence[tuple[str, Span]], refuse: Refuse) -> Iterator[Body]:
    names: dict[str, None] = {}
    for field, span in ports:
        if span.protocol.startswith("ICMP"):
            refuse(field, f"an AdminNetworkPolicy cannot say {span.protocol}")
        elif span.name:
            names[span.name] = None  # of whatever protocol: the API says none
        elif span.first == span.last:
            yield {"portNumber": {"protocol": span.protocol, "port": span.first}}
        else:
            yield {"portRange": {"protocol": span.protocol, "start": span.first, "end": span.last}}
    yield from ({"namedPort": name} for name in names)
