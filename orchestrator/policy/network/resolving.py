"""Where names are resolved: the peers of a rule for DNS, NodeLocal DNSCache on the host's network included."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.definitions.host_network import node_ranges
from orchestrator.policy.definitions.needed import Platform, Port, space_of
from orchestrator.policy.network.dns import SYSTEM, resolvers
from orchestrator.policy.objects.pod_templates import template_of
from orchestrator.policy.workloads.fleet import Fleet, Workload

DNS = frozenset({("UDP", 53), ("TCP", 53)})
LOCAL = "169.254.20.10"  # what NodeLocal DNSCache's own manifest proposes
CLUSTER_DNS = ("kube-dns", "coredns", "rke2-coredns-rke2-coredns", "dns-default")
_ARGUMENT = re.compile(r"^--?localip(?:=(.*))?$")
_BIND = re.compile(r"^\s*bind\s+(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Resolver:
    """A workload of the cluster that answers DNS, or addresses; the ports that it answers at, and where that is said.

    `on_nodes` says that the addresses are those of nodes, or stand on them.
    """

    ends: tuple[Workload | str, ...]
    ports: frozenset[Port]
    origin: str
    on_nodes: bool = False


def known_resolvers(fleet: Fleet, platform: Platform) -> tuple[list[Resolver], list[str]]:
    """Every resolver that is known here, and what is told about those that no rule can name."""
    found, told = [], []
    for workload in resolvers(fleet):
        pod = workload.pod
        ports = DNS | {(p.protocol, p.port) for p in pod.ports if "dns" in p.name}
        if not pod.host_network:
            found.append(Resolver((workload,), ports, f"The resolver {pod.namespace}/{pod.name}."))
            continue
        name = f"{pod.namespace}/{pod.name}"
        said = list(dict.fromkeys(_said(fleet, workload)))
        taken = said or (_assumed(fleet) if _is_cache(workload) else node_ranges(fleet, platform))
        if taken:
            text = f"The resolver {name} on each node's own network answers at these addresses."
            found.append(Resolver(tuple(taken), ports, text, on_nodes=True))
        if not said and _is_cache(workload):
            told.append(
                f"{workload.name} answers DNS on the host's network, and its addresses are not said here: allow-dns opens "
                f"{', '.join(taken)}; correct that where the kubelet's clusterDNS says otherwise"
            )
        elif not said:
            opened = (
                f"allow-dns opens the nodes' addresses, {', '.join(taken)}"
                if taken
                else "allow-dns does not open it"
            )
            told.append(
                f"{workload.name} answers DNS on the host's network, where no podSelector matches it: {opened}"
            )
    own = sorted(_nameservers(fleet))
    if own:
        found.append(Resolver(tuple(own), DNS, "The nameservers of pods' own dnsConfig."))
    return found, told


def cache_addresses(fleet: Fleet) -> dict[str, Workload]:
    """NodeLocal DNSCache on the host's network by each address that it answers at."""
    mine = [w for w in resolvers(fleet) if w.pod.host_network and _is_cache(w)]
    return {a: w for w in mine for a in [*_said(fleet, w)] or _assumed(fleet)}


def under_cilium(fleet: Fleet) -> list[str]:
    """What is told of each such cache where the CNI may be Cilium. Sources: its policy documentation, and its pull request 25298."""
    found: dict[str, list[str]] = {}
    for address, workload in cache_addresses(fleet).items():
        found.setdefault(workload.name, []).append(address)
    return [
        f"{name} answers DNS at {', '.join(addresses)} on its node: to Cilium that is the node itself, which an ipBlock matches with "
        "policyCIDRMatchMode: nodes alone; else give the cache a Local Redirect Policy and no hostNetwork, or its clients a "
        "CiliumNetworkPolicy with toEntities: [host]"
        for name, addresses in found.items()
    ]


def _is_cache(workload: Workload) -> bool:
    names = (workload.pod.name, *workload.pod.labels.values())
    return any("node-local" in n or "nodelocal" in n or "node-cache" in n for n in names)


def _assumed(fleet: Fleet) -> list[str]:
    """The usual link-local address, and the cluster DNS's own, which the cache takes over where kube-proxy uses iptables."""
    return [LOCAL, *_cluster_addresses(fleet)]


def _cluster_addresses(fleet: Fleet) -> list[str]:
    found = []
    for document in fleet.beside:
        obj = document.obj
        if obj["kind"] == "Service" and obj["metadata"]["name"] in CLUSTER_DNS and space_of(obj) == SYSTEM:
            spec = obj["spec"] if isinstance(obj.get("spec"), Mapping) else {}
            more = spec.get("clusterIPs")
            found += list(_addresses([spec.get("clusterIP"), *(more if isinstance(more, list) else [])]))
    return list(dict.fromkeys(found))


def _said(fleet: Fleet, workload: Workload) -> Iterator[str]:
    """The addresses of `-localip`, else of `bind` in the Corefile that the pods mount."""
    spec = _spec(workload)
    texts = [
        str(t)
        for c in spec.get("containers") or []
        for t in [*(c.get("command") or []), *(c.get("args") or [])]
    ]
    words = [word for text in texts for word in (text.split() if "localip" in text else [text])]
    listed: list[str] = []
    for number, word in enumerate(words):
        match = _ARGUMENT.match(word.strip("'\""))
        if match:
            listed += (
                (match[1] or (words[number + 1] if number + 1 < len(words) else "")).strip("'\"").split(",")
            )
    found = list(_addresses(listed))
    if not found:
        mounted = {str((v.get("configMap") or {}).get("name")) for v in spec.get("volumes") or []}
        for document in fleet.beside:
            obj = document.obj
            if (
                obj["kind"] == "ConfigMap"
                and obj["metadata"]["name"] in mounted
                and space_of(obj) == workload.pod.namespace
            ):
                data = obj.get("data")
                for text in data.values() if isinstance(data, Mapping) else ():
                    found += _addresses(w for line in _BIND.findall(str(text)) for w in line.split())
    yield from found


def _nameservers(fleet: Fleet) -> set[str]:
    """What pods with a dnsConfig of their own ask, loopback aside."""
    found: set[str] = set()
    for workload in fleet.workloads:
        servers = (_spec(workload).get("dnsConfig") or {}).get("nameservers") or []
        found |= {a for a in _addresses(servers) if not ipaddress.ip_address(a).is_loopback}
    return found


def _spec(workload: Workload) -> Mapping[str, Any]:
    template = template_of(workload.obj) if workload.obj else None
    return (template or {}).get("spec") or {}


def _addresses(texts: Any) -> Iterator[str]:
    for text in texts:
        with suppress(ValueError):  # a placeholder that the installer fills in, or None
            yield str(ipaddress.ip_address(str(text).strip()))
