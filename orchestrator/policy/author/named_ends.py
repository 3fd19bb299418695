"""By what the policies of each API name the ends of connections: labels of pods, addresses, entities, hosts, nodes."""

import ipaddress
from collections.abc import Iterable, Sequence

from orchestrator.policy.author.subject import Subjects
from orchestrator.policy.definitions.api_server import server_addresses
from orchestrator.policy.definitions.host_network import node_ranges
from orchestrator.policy.definitions.needed import API_SERVER, Edge, Platform
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.translate.statements import Block, Entity, Hosts, Nodes, Peer, Pods, Wanted
from orchestrator.policy.workloads.fleet import Fleet, Workload

PRIVATE = {
    "0.0.0.0/0": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "::/0": ("fc00::/7", "fe80::/10"),
}
Named = list[Peer] | None  # empty for anybody, None where nothing can name the end


class NamedEnds(Subjects):
    """As NetworkPolicies and Calico's policies name them: what stands on the host's network by its addresses.

    `by_host` says that hosts outside have names, `nodes_said` what nodes are named by.
    """

    by_address, by_host, nodes_said = True, False, "the nodes' addresses"

    def __init__(self, fleet: Fleet, platform: Platform) -> None:
        super().__init__(fleet)
        self.fleet, self.platform = fleet, platform
        self.nodes = node_ranges(fleet, platform)
        self.servers = tuple(dict.fromkeys(address for address, _ in server_addresses(fleet)))

    def subject(self, workload: Workload) -> Pods:
        """Whom the policy of a workload selects."""
        return Pods(wanted(self.labels(workload)))

    def of_space(self, space: str) -> Pods:
        """Whom the policies of a whole namespace select."""
        return Pods()

    def peers(self, space: str, edges: Sequence[Edge], end: Workload | str, side: Direction) -> Named:
        """One end as a namespace's policies name it; `edges` are those that a rule is of."""
        if isinstance(end, Workload):
            return self.on_nodes(side) if end.pod.host_network else [self.pods(space, end)]
        if end.startswith("namespace "):
            return [Pods((), _named(end[10:]))]
        if end == API_SERVER:
            return self.api_server(side)
        if end == "internet":
            return self.outside({e.host for e in edges}, side)
        return [block(end)]

    def pods(self, space: str, workload: Workload) -> Pods:
        """A workload's pods, as seen from a namespace."""
        other = workload.pod.namespace
        return Pods(wanted(self.labels(workload)), None if other == space else _named(other))

    def on_nodes(self, side: Direction) -> Named:
        """What uses a node's network."""
        return [block(n) for n in self.nodes] or None

    def at_nodes(self, addresses: list[Peer]) -> list[Peer]:
        """What answers at addresses of nodes."""
        return addresses

    def api_server(self, side: Direction) -> Named:
        """The API server."""
        return [block(a) for a in self.platform.api_server or (self.servers if side is EGRESS else ())]

    def outside(self, hosts: Iterable[str], side: Direction) -> Named:
        """Hosts outside; those without a name, and at ingress all, are every public address."""
        return [Block(whole, own if side is EGRESS else ()) for whole, own in PRIVATE.items()]


class CiliumEnds(NamedEnds):
    """As Cilium names them: entities, and hosts outside by their names."""

    by_address, by_host, nodes_said = False, True, "all nodes"

    def on_nodes(self, side: Direction) -> Named:
        return [Entity("host"), Entity("remote-node")]

    def at_nodes(self, addresses: list[Peer]) -> list[Peer]:
        return [Entity("host"), Entity("remote-node")]

    def api_server(self, side: Direction) -> Named:
        return [Entity("kube-apiserver")]

    def outside(self, hosts: Iterable[str], side: Direction) -> Named:
        known = sorted(hosts)
        if side is INGRESS:
            return [Entity("world")]
        return [Hosts((host,)) for host in known] if known and all(known) else super().outside(known, side)


class AdminEnds(NamedEnds):
    """As AdminNetworkPolicies name them: nodes by their labels, hosts outside by their names, and no address at ingress."""

    by_address, by_host, nodes_said = False, True, "all nodes"

    def subject(self, workload: Workload) -> Pods:
        return Pods(wanted(self.labels(workload)), _named(workload.pod.namespace))

    def of_space(self, space: str) -> Pods:
        return Pods((), _named(space))

    def peers(self, space: str, edges: Sequence[Edge], end: Workload | str, side: Direction) -> Named:
        found = super().peers(space, edges, end, side)
        if side is INGRESS and not all(isinstance(peer, Pods) for peer in found or [Nodes({})]):
            return None  # no policy of the whole cluster closes ingress to what is no pod
        return found

    def pods(self, space: str, workload: Workload) -> Pods:
        return super().pods("", workload)

    def on_nodes(self, side: Direction) -> Named:
        return [Nodes({})]

    def outside(self, hosts: Iterable[str], side: Direction) -> Named:
        known = sorted(hosts)
        return [Hosts((host,)) for host in known] if known and all(known) else super().outside(known, side)


def block(text: str) -> Block:
    """An address, or a range of them."""
    return Block(str(ipaddress.ip_network(text, strict=False)))


def wanted(labels: dict[str, str]) -> Wanted:
    """What has all of these labels."""
    return tuple((key, "In", frozenset([value])) for key, value in labels.items())


def _named(space: str) -> Wanted:
    return ((NAME_LABEL, "In", frozenset([space])),)
