"""Default-deny and targeted exceptions per workload, made from service definitions and recorded flows."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.policy.author.subject import Subjects
from orchestrator.policy.definitions.api_server import server_addresses
from orchestrator.policy.definitions.host_network import node_ranges
from orchestrator.policy.definitions.needed import API_SERVER, Edge, Platform, Port
from orchestrator.policy.lint.linter import IGNORE
from orchestrator.policy.network.dns import SYSTEM
from orchestrator.policy.network.recordings import Ends, Flow
from orchestrator.policy.network.resolving import DNS, known_resolvers, under_cilium
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.wording import few

DENIED = (
    "Nothing is allowed but what other policies allow. A node reaches its own pods all the same, so that the kubelet's probes "
    "go on (not with Cilium's allow-localhost: policy)."
)
PRIVATE = {
    "0.0.0.0/0": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "::/0": ("fc00::/7", "fe80::/10"),
}
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # a cluster may have thousands of rules


@dataclass(frozen=True)
class File:
    """A manifest with comments, by its path in the layout that a source takes: one folder a namespace."""

    path: str
    text: str


def from_flows(fleet: Fleet, flows: Sequence[Flow]) -> Iterator[Edge]:
    """Recorded connections as edges; those with an end that is not known here are left out, DNS is always open."""
    ends = Ends(fleet)
    workloads = {id(w.pod): w for w in fleet.workloads}
    for flow in flows:
        src, dst = ends.find(flow.src), ends.find(flow.dst)
        if src is None or dst is None or src == dst or (isinstance(src, str) and isinstance(dst, str)):
            continue
        if flow.port == 53 and isinstance(src, Pod):
            continue
        one, other = (workloads[id(e)] if isinstance(e, Pod) else e for e in (src, dst))
        yield Edge(one, other, frozenset({(flow.protocol, flow.port)}), f"recorded {flow.count} times")


def generate(fleet: Fleet, edges: Sequence[Edge], platform: Platform | None = None) -> list[File]:
    """Policies under which these edges are open between the workloads, and nothing else but DNS."""
    by = By(fleet, platform or Platform())
    found = []
    for space in sorted({w.pod.namespace for w in fleet.workloads if not w.pod.host_network}):
        if space.startswith("kube-"):
            continue
        found += [_deny(space), _dns(by, space)]
        seen: dict[str, Workload] = {}
        for workload in fleet.workloads:
            if workload.pod.namespace == space and not workload.pod.host_network and by.labels(workload):
                seen.setdefault(_file_name(workload, fleet), workload)
        for name, workload in sorted(seen.items()):
            made = _exceptions(by, name, workload, edges)
            found += [made] if made else []
    return found


def problems(fleet: Fleet, edges: Sequence[Edge], platform: Platform | None = None) -> list[str]:
    """What the policies cannot say: pods without labels, hostNetwork, nothing but the outside's whole."""
    by = By(fleet, platform or Platform())
    found = [*known_resolvers(fleet, by.platform)[1], *under_cilium(fleet)]
    found += _of_api_server(by, edges)
    for workload in fleet.workloads:
        mine = [e for e in edges if workload.name in (_name(e.src), _name(e.dst))]
        if mine and workload.pod.host_network:
            found += _of_host(by, workload, mine)
        elif mine and not by.labels(workload):
            found.append(f"{workload.name} has no labels that last: nothing but default-deny selects it")
        elif mine and len(by.twins(workload)) > 1:
            found.append(
                f"{workload.name} shares its labels with other workloads: they get the same exceptions"
            )
    return list(dict.fromkeys(found))


class By(Subjects):
    """By what policies name each end: labels of pods, or addresses of what stands on the host's network."""

    def __init__(self, fleet: Fleet, platform: Platform) -> None:
        super().__init__(fleet)
        self.fleet, self.platform = fleet, platform
        self.nodes = node_ranges(fleet, platform)
        self.servers = tuple(dict.fromkeys(address for address, _ in server_addresses(fleet)))

    def peer(self, space: str, workload: Workload) -> dict[str, Any]:
        """A workload's pods, as seen from a namespace."""
        other, labels = workload.pod.namespace, self.labels(workload)
        found: dict[str, Any] = {} if other == space else {"namespaceSelector": _named(other)}
        return {**found, "podSelector": {"matchLabels": labels} if labels else {}}

    def peers(self, space: str, end: Workload | str, side: Direction) -> list[dict[str, Any]] | None:
        """The peers of a rule; empty for anybody, None where nothing can name them."""
        if isinstance(end, Workload):
            if not end.pod.host_network:
                return [self.peer(space, end)]
            return [_block(n) for n in self.nodes] or None
        if end.startswith("namespace "):
            return [{"namespaceSelector": _named(end[10:])}]
        if end == API_SERVER:
            return [_block(a) for a in self.platform.api_server or (self.servers if side is EGRESS else ())]
        if end == "internet":
            return [
                {"ipBlock": {"cidr": whole, **({"except": list(own)} if side is EGRESS else {})}}
                for whole, own in PRIVATE.items()
            ]
        return [_block(end)]


def _block(text: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": str(ipaddress.ip_network(text, strict=False))}}


def _name(end: Workload | str) -> str:
    return end if isinstance(end, str) else end.name


def _of_host(by: By, workload: Workload, edges: Sequence[Edge]) -> Iterator[str]:
    yield f"{workload.name} uses the host's network: policies do not select it"
    others: dict[str, set[Port]] = {}
    for edge in edges:
        other = edge.dst if _name(edge.src) == workload.name else edge.src
        if (
            isinstance(other, Workload)
            and not other.pod.host_network
            and not other.pod.namespace.startswith("kube-")
        ):
            others.setdefault(other.name, set()).update(edge.ports)
    for name, ports in sorted(others.items()):
        told = ", ".join(f"{protocol} {number}" for protocol, number in sorted(ports))
        if by.nodes:
            yield (
                f"{name} and {workload.name}, {told}: opened for the nodes' addresses that are known here, "
                f"{few(by.nodes, 4)}, since policies see a hostNetwork pod as its node; Cilium needs policyCIDRMatchMode: nodes "
                "for that"
            )
        else:
            yield (
                f"{name} and {workload.name}, {told}: NOT opened, since policies see a hostNetwork pod as its node, and no "
                "node's address is known here; give --nodes RANGE"
            )


def _of_api_server(by: By, edges: Sequence[Edge]) -> Iterator[str]:
    if by.platform.api_server:
        return
    for src, word in (
        (True, "open to every address, since the API server calls them"),
        (False, "may call every address on the API server's ports"),
    ):
        names = {_name(e.dst if src else e.src) for e in edges if (e.src if src else e.dst) == API_SERVER}
        names = {n for n in names if not n.startswith("kube-")}
        if names and (src or not by.servers):
            yield f"{word}: {few(sorted(names), 4)}; --api-server RANGE narrows that"


def _file_name(workload: Workload, fleet: Fleet) -> str:
    twins = {
        w.kind
        for w in fleet.workloads
        if (w.pod.namespace, w.pod.name) == (workload.pod.namespace, workload.pod.name)
    }
    return workload.pod.name if len(twins) == 1 else f"{workload.pod.name}-{workload.kind.lower()}"


def _deny(space: str) -> File:
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": [side.value for side in Direction]}
    return _file(space, "default-deny", spec, {}, {}, DENIED)


def _dns(by: By, space: str) -> File:
    rules: list[dict[str, Any]] = []
    told: dict[tuple[Direction, int], list[str]] = {}
    for resolver in known_resolvers(by.fleet, by.platform)[0]:
        peers = [p for end in resolver.ends for p in by.peers(space, end, EGRESS) or []]
        told[EGRESS, len(rules)] = [resolver.origin]
        rules.append(_rule(EGRESS, peers, resolver.ports))
    if not rules:
        label = {"namespaceSelector": _named(SYSTEM), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
        rules, told = (
            [_rule(EGRESS, [label], DNS)],
            {(EGRESS, 0): ["The cluster's resolver, by its usual labels."]},
        )
    spec = {"podSelector": {}, "policyTypes": [EGRESS.value], EGRESS.part: rules}
    return _file(space, "allow-dns", spec, told, {}, "Names can be resolved, over UDP and TCP.")


def _exceptions(by: By, name: str, workload: Workload, edges: Sequence[Edge]) -> File | None:
    spec: dict[str, Any] = {"podSelector": {"matchLabels": by.labels(workload)}, "policyTypes": []}
    comments: dict[tuple[Direction, int], list[str]] = {}
    ignored: dict[str, str] = {}
    for side in Direction:
        mine, other = side.ends("src", "dst")
        grouped: dict[tuple[str, frozenset[Port]], list[Edge]] = {}
        for edge in edges:
            if _name(getattr(edge, mine)) == workload.name:
                grouped.setdefault((_name(getattr(edge, other)), edge.ports), []).append(edge)
        rules: list[dict[str, Any]] = []
        for (_, ports), some in sorted(grouped.items(), key=lambda item: (item[0][0], sorted(item[0][1]))):
            end = getattr(some[0], other)
            peers = by.peers(workload.pod.namespace, end, side)
            if peers is None:
                continue
            told = list(dict.fromkeys(e.origin for e in some))
            if isinstance(end, Workload) and end.pod.host_network:
                told.append(f"{end.name} uses its node's network: these are the nodes' addresses")
            comments[side, len(rules)] = told
            rules.append(_rule(side, peers, ports))
            if side is INGRESS and (end == "internet" or not peers):
                ignored["NPC003"] = some[0].origin
            if isinstance(end, str) and end.startswith("namespace ") and end[10:] not in by.fleet.namespaces:
                ignored["NPC002"] = f"{end} is not among these manifests"
        if rules:
            spec["policyTypes"].append(side.value)
            spec[side.part] = rules
    if not spec["policyTypes"]:
        return None
    return _file(workload.pod.namespace, name, spec, comments, ignored, f"What {workload.name} needs.")


def _named(space: str) -> dict[str, Any]:
    return {"matchLabels": {NAME_LABEL: space}}


def _rule(side: Direction, peers: list[dict[str, Any]], ports: Any) -> dict[str, Any]:
    listed = [{"protocol": protocol, "port": port} for protocol, port in sorted(ports)]
    return {**({side.peers: peers} if peers else {}), "ports": listed}


def _file(
    space: str,
    name: str,
    spec: Mapping[str, Any],
    comments: Mapping[tuple[Direction, int], Sequence[str]],
    ignored: Mapping[str, str],
    title: str,
) -> File:
    meta: dict[str, Any] = {"name": name, "namespace": space}
    if ignored:
        reasons = (f"{rule}: {reason.replace(';', ',')}" for rule, reason in sorted(ignored.items()))
        meta["annotations"] = {IGNORE: "; ".join(reasons)}
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta}
    rest = {k: v for k, v in spec.items() if k not in {side.part for side in Direction}}
    lines = [f"# {title}", *_yaml(head), "spec:", *(f"  {line}" for line in _yaml(rest))]
    for side in Direction:
        if side.part not in spec:
            continue
        lines.append(f"  {side.part}:")
        for number, rule in enumerate(spec[side.part]):
            lines += [f"  # {' '.join(text.split())}" for text in comments.get((side, number), ())]
            lines += [f"  {line}" for line in _yaml([rule])]
    return File(f"{space}/{name}.yaml", "\n".join(lines) + "\n")


def _yaml(data: Any) -> list[str]:
    return str(yaml.dump(data, Dumper=_DUMPER, sort_keys=False, width=4096)).splitlines()
