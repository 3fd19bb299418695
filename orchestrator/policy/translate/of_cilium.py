"""A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy as statements. Sources: as in evaluate/cilium."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_identities import (
    CLUSTER,
    NAMESPACE,
    OF_NAMESPACE,
    PODS,
    kept,
)
from orchestrator.policy.evaluate.cilium.cilium_policies import specs_of
from orchestrator.policy.evaluate.cilium.cilium_ports import is_proxied
from orchestrator.policy.evaluate.cilium.cilium_selectors import ANY_SOURCE
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE, icmp_type, number_of
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.port_sets import PROTOCOLS
from orchestrator.policy.objects.selector import NAME_LABEL, Requirement, requirements
from orchestrator.policy.translate.statements import (
    Action,
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

Part = Mapping[str, Any]
_UNREAD = {
    "Services": "which pods a Service stands for changes, and no other API asks for that as Cilium does",
    "Groups": "addresses that a cloud has in its groups are named by Cilium alone",
}
_ICMP = {"ICMP": "ICMP", "ICMPV6": "ICMPv6", "IPv4": "ICMP", "IPv6": "ICMPv6"}
# With `toPorts` of DNS: the proxy reads answers, and refuses none.
_EVERY_NAME = {"ports": None, "rules": {"dns": [{"matchPattern": "*"}]}}
# An empty list of these is no condition, of all others it means nobody.
_OPEN = ("toServices", "toFQDNs", "toGroups", "fromGroups")


def read(document: Document, refuse: Refuse) -> Iterator[Statement]:
    """One statement a spec of a policy, which has to be valid."""
    wide = document.obj["kind"] == CLUSTERWIDE
    space = str(document.obj["metadata"].get("namespace") or "")
    for at, spec in specs_of(document.obj):
        above = at or "spec."
        if spec.get("nodeSelector") is not None:
            refuse(f"{above}nodeSelector", "rules for nodes are Cilium's host firewall alone")
            continue
        field = f"{above}endpointSelector"
        subject = _pods(spec.get("endpointSelector") or {}, field, refuse)
        if subject is None:
            continue
        subject = _of_subject(subject, space, wide, field, refuse)
        if subject is None:
            continue
        rules = {side: tuple(_rules(spec, above, side, wide, refuse)) for side in Direction}
        yield Statement(document, subject, field, rules, _closed(spec, above))


def _closed(spec: Part, above: str) -> dict[Direction, str]:
    """A direction with any rule, unless enableDefaultDeny says otherwise."""
    told = spec.get("enableDefaultDeny") or {}
    found = {}
    for side in Direction:
        given = next((name for name in (side.part, f"{side.part}Deny") if spec.get(name)), "")
        if given and told.get(side.part) is not False:
            found[side] = f"{above}{given}"
    return found


def _of_subject(subject: Pods, space: str, wide: bool, field: str, refuse: Refuse) -> Pods | None:
    """A subject by where its policy stands."""
    if wide:
        return Pods(subject.wanted, subject.spaces or ())
    left = [w for w in subject.spaces or () if w not in ((NAME_LABEL, "In", frozenset([space])), _ANY_SPACE)]
    if left:
        refuse(field, f"it asks for the label {left[0][0]} of its own namespace")
        return None
    return Pods(subject.wanted)


def _rules(spec: Part, above: str, side: Direction, wide: bool, refuse: Refuse) -> Iterator[Said]:
    lists: tuple[tuple[str, Action], ...] = ((f"{side.part}Deny", "Deny"), (side.part, "Allow"))
    for name, action in lists:
        for number, rule in enumerate(spec.get(name) or ()):
            found = _rule(rule, f"{above}{name}[{number}]", action, side, wide, refuse)
            yield from (found,) if found else ()


def _rule(rule: Part, field: str, action: Action, side: Direction, wide: bool, refuse: Refuse) -> Said | None:
    """None for a rule that means nothing, and for one that is refused."""
    mode = (rule.get("authentication") or {}).get("mode") or "disabled"
    if mode != "disabled":
        refuse(f"{field}.authentication", "no other API asks both ends to authenticate")
        return None
    word = "from" if side is Direction.INGRESS else "to"
    given = {
        name: entries
        for name, entries in rule.items()
        if name.startswith(word) and name not in ("toPorts", f"{word}Requires") and entries is not None
    }
    if any(not entries and name not in _OPEN for name, entries in given.items()):
        return None
    peers = [
        (f"{field}.{name}[{at}]", peer)
        for name, entries in given.items()
        for at, entry in enumerate(entries)
        for peer in _peers(name.removeprefix(word), entry, f"{field}.{name}[{at}]", wide, refuse)
    ]
    if given.get("toServices") is not None and not peers:
        if not given["toServices"]:
            refuse(f"{field}.toServices", _UNREAD["Services"])
        return None
    named = any(given.values())
    ports = _ports(rule, field, refuse)
    if named and not peers:
        return None
    anybody = not named or any(isinstance(peer, Entity) and peer.name == "all" for _, peer in peers)
    if (ports is None and not named) or ports == ():
        return None
    return Said(field, action, None if anybody else tuple(peers), ports)


def _peers(word: str, entry: Any, field: str, wide: bool, refuse: Refuse) -> Iterator[Peer]:
    if word in _UNREAD:
        refuse(field, _UNREAD[word])
    elif word == "Endpoints":
        found = _pods(entry, field, refuse)
        if found is not None:
            spaces = () if wide and found.spaces is None else found.spaces
            yield Pods(found.wanted, spaces)
    elif word == "Entities":
        if entry != "none":
            yield Entity(entry)
    elif word == "CIDR":
        yield Block(entry)
    elif word == "CIDRSet" and entry.get("cidr") is not None:
        yield Block(entry["cidr"], tuple(entry.get("except") or ()))
    elif word == "CIDRSet":
        refuse(field, "a CiliumCIDRGroup is named by Cilium alone: write its addresses")
    elif word == "FQDNs":
        yield Hosts((entry.get("matchName") or entry.get("matchPattern"),))
    elif word == "Nodes":
        yield Nodes(entry)


_ANY_SPACE: Requirement = (NAME_LABEL, "Exists", frozenset())


def _pods(selector: Part, field: str, refuse: Refuse) -> Pods | None:
    """Its labels, those of the namespace apart."""
    pods: list[Requirement] = []
    spaces: list[Requirement] = []
    for written, operator, values in requirements(selector):
        source, colon, rest = written.partition(":")
        key = rest if colon else written
        if colon and source not in (PODS, ANY_SOURCE):
            refuse(field, f"the label {written} is of the source {source}, which Cilium alone has")
            return None
        if key.startswith("io.cilium.k8s.policy."):
            what = "another cluster" if key == CLUSTER else "a service account"
            refuse(field, f"{written} asks for {what}, which is no label of pods")
            return None
        if key != NAMESPACE and not key.startswith(OF_NAMESPACE) and not kept(key):
            refuse(field, f"Cilium leaves the label {key} out of identities, and other APIs would see it")
            return None
        if key == NAMESPACE:
            spaces.append((NAME_LABEL, operator, values))
        elif key.startswith(OF_NAMESPACE):
            spaces.append((key.removeprefix(OF_NAMESPACE), operator, values))
        else:
            pods.append((key, operator, values))
    if not spaces:
        return Pods(tuple(pods))
    named = tuple(w for w in spaces if w != _ANY_SPACE)
    return Pods(tuple(pods), named)


def _ports(rule: Part, field: str, refuse: Refuse) -> tuple[tuple[str, Span], ...] | None:
    """None where it names none, which is every one."""
    entries, messages = rule.get("toPorts") or (), rule.get("icmps") or ()
    if not entries and not messages:
        return None
    found: list[tuple[str, Span]] = []
    for at, entry in enumerate(entries):
        here = f"{field}.toPorts[{at}]"
        if is_proxied(entry) and {**entry, "ports": None} != _EVERY_NAME:
            part = "rules" if entry.get("rules") else next(k for k in entry if k != "ports")
            refuse(f"{here}.{part}", "a proxy decides on each request, which Cilium alone has")
        for number, port in enumerate(entry.get("ports") or ()):
            where = f"{here}.ports[{number}]"
            found += [(where, span) for span in _spans(port, where, refuse)]
    for at, entry in enumerate(messages):
        for number, message in enumerate(entry.get("fields") or ()):
            family = message.get("family") or "IPv4"
            kind = icmp_type(message.get("type"), family) or 0
            found.append((f"{field}.icmps[{at}].fields[{number}]", Span(_ICMP[family], kind, kind)))
    return tuple(found)


def _spans(entry: Part, field: str, refuse: Refuse) -> Iterator[Span]:
    protocol, text = str(entry.get("protocol") or "ANY").upper(), str(entry.get("port", ""))
    number = number_of(text)
    if protocol in _ICMP:
        if number:
            yield Span(_ICMP[protocol], number, number)
        return
    if protocol not in (*PROTOCOLS, "ANY"):
        refuse(f"{field}.protocol", f"{protocol} is a protocol that no other API names")
        return
    for one in PROTOCOLS if protocol == "ANY" else (protocol,):
        if number is None:
            yield Span(one, name=text.lower())
        elif number == 0:
            yield Span(one)
        else:
            yield Span(one, number, max(number, entry.get("endPort") or 0))
