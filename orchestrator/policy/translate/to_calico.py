"""Statements as Calico's policies: in its default tier denials before all that allows, in tiers of their own what has one.

Source: projectcalico.org/v3.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.translate.calico_labels import text_of_pods, text_of_spaces
from orchestrator.policy.translate.made import Made, named, no_word, object_of
from orchestrator.policy.translate.statements import (
    ANYWHERE,
    OF_KUBERNETES,
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

API = "projectcalico.org/v3"
_BEFORE_ALL = 500
# Beside those that Calico has for the same APIs of Kubernetes, and on the same side of NetworkPolicies.
_TIERS = {"admin": 900, "baseline": 20_000_000}
_OWN_NODE = "a node reaches its own pods under every policy of Calico: the entity host is left out"
Body = dict[str, Any]


def write(statements: Sequence[Statement], refuse: Refuse, note: Refuse) -> list[Made]:
    """The policies of one policy's statements; what denies stands in one of its own, before all that allows."""
    document = statements[0].document
    if statements[0].tier:
        return list(_tiered(statements[0], refuse, note))
    bodies = [(s.space, (s, found)) for s in statements if (found := list(_specs(s, refuse, note)))]
    made = []
    for space, name, (statement, specs) in named(statements[0].name, bodies):
        kind = "NetworkPolicy" if statement.subject.spaces is None else "GlobalNetworkPolicy"
        for spec, told in specs:
            split = len(specs) > 1 and spec.get("order") == _BEFORE_ALL
            own = f"{name}-deny" if split else name
            made.append(Made(document, object_of(document, API, kind, own, space, {"spec": spec}), told))
    return made


def _specs(statement: Statement, refuse: Refuse, note: Refuse) -> Iterator[tuple[Body, Any]]:
    rules: dict[str, dict[Direction, list[Body]]] = {"Deny": {}, "Allow": {}}
    told: dict[str, dict[tuple[str, int], Sequence[str]]] = {"Deny": {}, "Allow": {}}
    for side, rule in statement.every_rule():
        if side not in statement.closes:
            refuse(
                rule.field, "a policy of Calico's default tier denies what no rule allows, and this does not"
            )
            continue
        if rule.action == "Pass":
            refuse(rule.field, "only tiers pass on to what comes after them")
            continue
        listed = rules[rule.action].setdefault(side, [])
        if rule.comments:
            told[rule.action][side.part, len(listed)] = rule.comments
        listed += _rules(rule, side, refuse, note)
    types = {side: [side.value] for side in statement.closes}
    for action in ("Deny", "Allow"):
        mine = rules[action]
        sides = [s for s in types if s in mine] if action == "Deny" else list(types)
        if action == "Allow" and not any(rules["Allow"].values()) and set(rules["Deny"]) == set(types):
            continue
        if not sides:
            continue
        order = _BEFORE_ALL if action == "Deny" else OF_KUBERNETES
        body = {"order": int(order), **_subject(statement.subject), "types": [s.value for s in sides]}
        yield {**body, **{s.part: mine[s] for s in sides if mine.get(s)}}, told[action]


def _tiered(statement: Statement, refuse: Refuse, note: Refuse) -> Iterator[Made]:
    """A policy of a tier that passes on what none of it decides; its name begins with that of the tier, as Calico asks."""
    by_side = {
        side: [body for rule in rules for body in _rules(rule, side, refuse, note)]
        for side, rules in statement.rules.items()
        if rules
    }
    tier = statement.tier.lower()
    spec: Body = {"tier": tier, "order": int(statement.order), **_subject(statement.subject)}
    spec |= {"types": [s.value for s in by_side], **{s.part: rules for s, rules in by_side.items() if rules}}
    if by_side:
        name = f"{tier}.{statement.name}"
        obj = object_of(statement.document, API, "GlobalNetworkPolicy", name, "", {"spec": spec})
        yield Made(statement.document, obj)


def tiers(made: Sequence[Made]) -> Iterator[Made]:
    """The tiers that policies stand in, each where the first of these stands."""
    known: set[str] = set()
    for one in made:
        name = one.obj["spec"].get("tier")
        if name and name not in known:
            known.add(name)
            head = {"apiVersion": API, "kind": "Tier", "metadata": {"name": name}}
            yield Made(one.document, {**head, "spec": {"order": _TIERS[name], "defaultAction": "Pass"}})


def _subject(subject: Pods) -> Body:
    spaces = {"namespaceSelector": text_of_spaces(subject.spaces)} if subject.spaces else {}
    return {"selector": text_of_pods(subject.wanted, meets_sets=False), **spaces}


def _rules(rule: Said, side: Direction, refuse: Refuse, note: Refuse) -> Iterator[Body]:
    """One rule for each peer and protocol."""
    far = "source" if side is Direction.INGRESS else "destination"
    ends = [{}] if rule.peers is None else _ends(rule.peers, side, refuse, note)
    for end in ends:
        for head, ports in _far(rule):
            nets = end.get("nets")
            if nets and head.get("protocol") == ("ICMP" if ":" in nets[0] else "ICMPv6"):
                continue  # messages of one family come from no address of the other
            body: Body = {"action": rule.action, **head}
            if end:
                body[far] = end
            if ports:
                body["destination"] = {**body.get("destination", {}), "ports": ports}
            yield body


def _ends(peers: Sequence[tuple[str, Peer]], side: Direction, refuse: Refuse, note: Refuse) -> Iterator[Body]:
    """Pods each, and addresses of one family that have no exceptions together."""
    nets: dict[int, list[str]] = {}
    for field, peer in peers:
        if isinstance(peer, Pods):
            spaces = {"namespaceSelector": text_of_spaces(peer.spaces)} if peer.spaces is not None else {}
            yield {"selector": text_of_pods(peer.wanted, meets_sets=True), **spaces}
        elif isinstance(peer, Block) and peer.without:
            yield {"nets": [_net(peer.cidr)], "notNets": list(dict.fromkeys(map(_net, peer.without)))}
        elif isinstance(peer, Block):
            nets.setdefault(6 if ":" in peer.cidr else 4, []).append(_net(peer.cidr))
        elif isinstance(peer, Entity) and peer.name == "world":
            for version, every in zip((4, 6), ANYWHERE, strict=True):
                nets.setdefault(version, []).append(every)
        elif isinstance(peer, Entity) and peer.name == "host" and side is Direction.INGRESS:
            note(field, _OWN_NODE)
        elif isinstance(peer, Entity):
            refuse(field, no_word("Calico", peer))
        elif isinstance(peer, Hosts):
            refuse(field, "Calico's open API names no hosts: only addresses could say it")
        elif isinstance(peer, Nodes):
            refuse(field, "Calico selects no nodes here: only addresses could say it")
    for found in nets.values():
        yield {"nets": list(dict.fromkeys(found))}


def _net(text: str) -> str:
    """Without bits beyond its mask, which Calico refuses."""
    return str(ipaddress.ip_network(text, strict=False))


def _far(rule: Said) -> Iterator[tuple[Body, list[int | str]]]:
    """What a rule says of the protocol, and the ports at the destination, which stand elsewhere."""
    if rule.ports is None:
        yield {}, []
        return
    by_protocol: dict[str, list[Span]] = {}
    for _, span in rule.ports:
        by_protocol.setdefault(span.protocol, []).append(span)
    for protocol, spans in by_protocol.items():
        if any(span.whole for span in spans):
            yield {"protocol": protocol}, []
        elif protocol.startswith("ICMP"):
            for span in spans:
                code = {} if span.code is None else {"code": span.code}
                yield {"protocol": protocol, "icmp": {"type": span.first, **code}}, []
        else:
            yield {"protocol": protocol}, list(dict.fromkeys(map(_port, spans)))


def _port(span: Span) -> int | str:
    if span.name:
        return span.name
    return span.first if span.first == span.last else f"{span.first}:{span.last}"
