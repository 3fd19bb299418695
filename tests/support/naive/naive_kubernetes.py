"""Kubernetes' own APIs as their text reads, one connection at a time: NetworkPolicy, AdminNetworkPolicy with its baseline, and
ClusterNetworkPolicy. Slow, plain, and without any code of the product but the Pod that says what is known of an end.
"""

import ipaddress
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

number = cache(ipaddress.ip_address)
ANP, BANP, CNP = "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"


@cache
def network(text):
    return ipaddress.ip_network(text, strict=False)


class Node(str):
    """The address of what is known to run on a node's network."""


@dataclass(frozen=True)
class Chosen:
    """One way to answer what the texts leave to the implementation; `by_name` puts policies of one priority in order."""

    blocks_cover_pods: bool = False
    host_is_node: bool = False
    node_hidden: bool = False
    baseline_per_direction: bool = True
    self_exempt: bool = True
    names_resolve: bool = False
    nodes_match: bool = False
    by_name: bool = True


@dataclass(frozen=True)
class World:
    """`nodes` has labels by address, and is None where they are not known."""

    namespaces: dict
    policies: list
    nodes: dict | None

    @property
    def of_cluster(self):
        return [p for p in self.policies if p["kind"] in (ANP, BANP, CNP)]


def answer(world, src, dst, protocol, port, settled=()):
    """True, False, or None where it depends on what is not settled: a mapping by the names of Chosen's fields."""
    both, found = (False, True), set()
    names = ["blocks_cover_pods", "host_is_node", "node_hidden"]
    if world.of_cluster:
        words = str(world.of_cluster)
        names += ["baseline_per_direction", "self_exempt"]
        names += ["names_resolve"] if "domainNames" in words else []
        names += ["nodes_match"] if "nodes" in words and world.nodes is None else []
    free = [name for name in names if name not in settled]
    for values in product(both, repeat=len(free)):
        chosen = Chosen(**dict(settled), **dict(zip(free, values, strict=True)), by_name=False)
        found |= outcomes(world, chosen, src, dst, protocol, port)
    return found.pop() if len(found) == 1 else None


def outcomes(world, chosen, src, dst, protocol, port):
    """The set of answers: two where any of several policies of one priority may come first."""
    every = set()
    pairs = list(by_family(src, dst))
    for picks in product(*(_passing(world, chosen, *pair, protocol, port) for pair in pairs)):
        every.add(any(picks))
    return every


def by_family(src, dst):
    """Both ends with the addresses of one IP family, for each that they share; as they are where neither has two."""
    ends = (src, dst)
    if not any(not isinstance(e, str) and (e.other_ips or e.other_node_ips) for e in ends):
        return [ends]
    views = [[_viewed(end, family) for family in (4, 6)] for end in ends]
    found = [pair for pair in zip(*views, strict=True) if None not in pair]
    return found or [ends]


def _viewed(end, family):
    if isinstance(end, str):
        return end if number(end).version == family else None

    def mine(*addresses):
        return next((a for a in addresses if a and number(a).version == family), "")

    ip, node = mine(end.ip, *end.other_ips), mine(end.node_ip, *end.other_node_ips)
    if end.ip and not ip:
        return None
    return replace(end, ip=ip, node_ip=node, other_ips=(), other_node_ips=())


def _passing(world, chosen, src, dst, protocol, port):
    itself = not isinstance(src, str) and not isinstance(dst, str) and not src.many
    itself = itself and (src.namespace, src.name) == (dst.namespace, dst.name)
    if itself and (chosen.self_exempt or not world.of_cluster):
        return {True}
    src, dst = (_as_seen(end, chosen) for end in (src, dst))
    own = itself or _of_node(src, dst) or _of_node(dst, src)
    found = {True}
    for side, end, peer in (("egress", src, dst), ("ingress", dst, src)):
        if not isinstance(end, str):
            found = {
                a and b
                for a in found
                for b in at_end(world, chosen, side, end, peer, dst, protocol, port, own)
            }
    return found


def _as_seen(end, chosen):
    if isinstance(end, str) or not end.host_network or not chosen.host_is_node:
        return end
    return Node("" if chosen.node_hidden else end.node_ip)


def _of_node(pod, address):
    return not isinstance(pod, str) and isinstance(address, str) and address == pod.node_ip != ""


def at_end(world, chosen, side, pod, peer, dst, protocol, port, own=False):
    """What may come of the policies of one end alone; both ends as they are seen."""
    answers = set()
    for action in of_tier(world, chosen, "Admin", side, pod, peer, dst, protocol, port):
        if action in ("Accept", "Deny"):
            answers.add(action == "Accept")
            continue
        mine = _isolating(world, side, pod)
        if mine:
            answers.add(own or any(allows(world, chosen, p, side, peer, dst, protocol, port) for p in mine))
        elif not chosen.baseline_per_direction and _isolating(
            world, "egress" if side == "ingress" else "ingress", pod
        ):
            answers.add(True)
        else:
            last = of_tier(world, chosen, "Baseline", side, pod, peer, dst, protocol, port)
            answers |= {action != "Deny" for action in last}
    return answers


def _isolating(world, side, pod):
    found = []
    for policy in world.policies:
        if policy["kind"] != "NetworkPolicy" or policy["metadata"]["namespace"] != pod.namespace:
            continue
        spec = policy["spec"]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        if side.capitalize() in types and selects(spec.get("podSelector"), pod.labels):
            found.append(policy)
    return found


def allows(world, chosen, policy, side, peer, dst, protocol, port):
    for rule in policy["spec"].get(side) or []:
        peers = rule.get("from" if side == "ingress" else "to") or []
        near = not peers or any(_peer(world, chosen, policy, one, peer) for one in peers)
        if near and _ports(rule.get("ports") or [], dst, protocol, port):
            return True
    return False


def _peer(world, chosen, policy, one, other):
    if "ipBlock" in one:
        if not isinstance(other, str) and not chosen.blocks_cover_pods:
            return False
        return _inside(one["ipBlock"], other)
    if isinstance(other, str):
        return False
    spaces = one.get("namespaceSelector")
    if spaces is None and other.namespace != policy["metadata"]["namespace"]:
        return False
    if spaces is not None and not selects(spaces, world.namespaces[other.namespace]):
        return False
    return selects(one.get("podSelector"), other.labels)


def _inside(block, other):
    address = other if isinstance(other, str) else other.ip
    if not address or number(address) not in network(block["cidr"]):
        return False
    return not any(number(address) in network(e) for e in block.get("except") or [])


def _ports(entries, dst, protocol, port):
    for entry in entries:
        if entry.get("protocol", "TCP") != protocol:
            continue
        wanted = entry.get("port")
        if wanted is None or (isinstance(wanted, str) and _named(wanted, dst, protocol, port)):
            return True
        if isinstance(wanted, int) and wanted <= port <= entry.get("endPort", wanted):
            return True
    return not entries


def _named(name, dst, protocol, port):
    ports = () if isinstance(dst, str) else dst.ports
    return any((p.name, p.protocol, p.port) == (name, protocol, port) for p in ports)


def of_tier(world, chosen, tier, side, pod, peer, dst, protocol, port):
    """What may come of a tier: Accept, Deny, Pass, or nothing."""
    by_priority = {}
    for policy in sorted(world.of_cluster, key=lambda p: p["metadata"]["name"]):
        spec = policy["spec"]
        mine = spec["tier"] if policy["kind"] == CNP else "Baseline" if policy["kind"] == BANP else "Admin"
        if mine != tier or not _subject(world, spec["subject"], pod):
            continue
        for rule in spec.get(side) or []:
            peers = rule["from" if side == "ingress" else "to"]
            if not any(_cluster_peer(world, chosen, one, peer) for one in peers):
                continue
            if _cluster_ports(rule, dst, protocol, port):
                action = "Accept" if rule["action"] == "Allow" else rule["action"]
                by_priority.setdefault(spec.get("priority", 0), []).append(action)
                break
    if not by_priority:
        return {None}
    first = by_priority[min(by_priority)]
    return {first[0]} if chosen.by_name else {*first}


def _subject(world, subject, pod):
    if pod.host_network:
        return False
    if "namespaces" in subject:
        return selects(subject["namespaces"], world.namespaces[pod.namespace])
    pods = subject["pods"]
    return selects(pods["namespaceSelector"], world.namespaces[pod.namespace]) and selects(
        pods["podSelector"], pod.labels
    )


def _cluster_peer(world, chosen, one, other):
    node = isinstance(other, str) or other.host_network
    if "networks" in one:
        return any(_inside({"cidr": cidr}, other) for cidr in one["networks"])
    if "nodes" in one:
        address = other if isinstance(other, str) else other.node_ip
        if world.nodes is None:
            return node and chosen.nodes_match
        return node and address in world.nodes and selects(one["nodes"], world.nodes[address])
    if "domainNames" in one:
        outside = isinstance(other, str) and not isinstance(other, Node) and other not in (world.nodes or {})
        return chosen.names_resolve and outside
    return not node and _subject(world, one, other)


def _cluster_ports(rule, dst, protocol, port):
    entries = rule.get("ports") or rule.get("protocols") or []
    return not entries or any(_cluster_port(entry, dst, protocol, port) for entry in entries)


def _cluster_port(entry, dst, protocol, port):
    name = entry.get("namedPort") or entry.get("destinationNamedPort")
    if name:
        return _named(name, dst, protocol, port)
    if "portNumber" in entry:
        one = entry["portNumber"]
        return (one.get("protocol", "TCP"), one["port"]) == (protocol, port)
    if "portRange" in entry:
        some = entry["portRange"]
        return some.get("protocol", "TCP") == protocol and some["start"] <= port <= some["end"]
    if protocol.lower() not in entry:
        return False
    wanted = entry[protocol.lower()].get("destinationPort") or {}
    if "number" in wanted:
        return port == wanted["number"]
    return "range" not in wanted or wanted["range"]["start"] <= port <= wanted["range"]["end"]


def selects(selector, labels):
    selector = selector or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for entry in selector.get("matchExpressions") or []:
        value = labels.get(entry["key"])
        fine = {
            "In": value in entry.get("values", ()),
            "NotIn": value not in entry.get("values", ()),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not fine[entry["operator"]]:
            return False
    return True
