"""ipBlocks that mean nothing, or that cover addresses which no CNI, or not every one, looks for in them."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.policy.files.manifest import Document
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.objects.directions import Rule, rules
from orchestrator.policy.workloads.fleet import Fleet

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
WHOLE = ("0.0.0.0/0", "::/0")  # without an except other rules say what is wrong with it


@dataclass(frozen=True)
class Taken:
    """Addresses of pods or of Services, and what says so."""

    range: Block
    pods: bool
    said: str


def empty_blocks(fleet: Fleet) -> Iterator[Finding]:
    """Blocks whose excepts leave nothing."""
    for policy, place, block, _ in _blocks(fleet):
        whole = ipaddress.ip_network(block["cidr"], strict=False)
        if whole in _collapsed(block.get("except") or []):
            text = f"{place} means no address: its except covers all of {block['cidr']}"
            yield of_policy(fleet, "NPC020", policy, text)


def inner_blocks(fleet: Fleet) -> Iterator[Finding]:
    """Blocks that cover addresses of pods or of Services."""
    taken = list(ranges(fleet))
    for policy, place, block, rule in _blocks(fleet):
        if block["cidr"] in WHOLE and not block.get("except"):
            continue
        for pods in (True, False):
            met = [t for t in taken if t.pods is pods and _covers(block, t.range)]
            if not met or (not pods and _dns(rule)):
                continue
            more = f" and {len(met) - 1} more" if len(met) > 1 else ""
            effect = (
                "of pods: some CNIs match pods by blocks (Calico, kube-router), some never (Cilium)"
                if pods
                else "of Services, which are translated before policies see the connection: it matches no pod behind them"
            )
            text = f"{place} {block['cidr']} covers addresses {effect} ({met[0].said}{more})"
            yield of_policy(fleet, "NPC021", policy, text)


def ranges(fleet: Fleet) -> Iterator[Taken]:
    """What the manifests say of addresses within the cluster."""
    for workload in fleet.workloads:
        pod = workload.pod
        for address in (pod.ip, *pod.other_ips) if not pod.host_network else ():
            if address:
                yield Taken(ipaddress.ip_network(address), True, f"{address} of {pod.namespace}/{pod.name}")
    for document in fleet.beside:
        # Its shape is for others to report.
        with suppress(AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError):
            yield from _said(document)


def _said(document: Document) -> Iterator[Taken]:
    obj = document.obj
    kind, name, spec = obj["kind"], obj["metadata"]["name"], obj.get("spec") or {}
    if kind == "Service":
        for text in dict.fromkeys([spec.get("clusterIP"), *(spec.get("clusterIPs") or [])]):
            if text and text != "None":
                yield Taken(ipaddress.ip_network(text), False, f"{text} of Service {name}")
    elif kind == "Node":
        for text in dict.fromkeys([spec.get("podCIDR"), *(spec.get("podCIDRs") or [])]):
            if text:
                yield Taken(ipaddress.ip_network(text), True, f"{text} of Node {name}")
    elif kind == "ServiceCIDR":
        for text in spec.get("cidrs") or []:
            yield Taken(ipaddress.ip_network(text), False, f"{text} of ServiceCIDR {name}")
    elif kind == "IPPool" and "projectcalico.org" in obj["apiVersion"]:
        yield Taken(ipaddress.ip_network(spec["cidr"]), True, f"{spec['cidr']} of IPPool {name}")
    elif kind == "ConfigMap" and name == "kubeadm-config":
        network = yaml.safe_load(obj["data"]["ClusterConfiguration"])["networking"]
        for key, pods in (("podSubnet", True), ("serviceSubnet", False)):
            for text in str(network.get(key) or "").split(","):
                if text.strip():
                    yield Taken(ipaddress.ip_network(text.strip()), pods, f"{text.strip()}, {key} of {name}")


def _blocks(fleet: Fleet) -> Iterator[tuple[dict[str, Any], str, Mapping[str, Any], Rule]]:
    for policy in fleet.policies:
        for rule in rules(policy):
            for place, peer in rule.peer_places():
                if "ipBlock" in peer:
                    yield policy, place, peer["ipBlock"], rule


def _dns(rule: Rule) -> bool:
    """NodeLocal DNSCache answers at the address of the cluster's DNS, before it is translated."""
    return {entry.get("port") for entry in rule.ports} == {53}


def _covers(block: Mapping[str, Any], taken: Block) -> bool:
    """Whether any address of the range lies in the block and in none of its excepts."""
    whole = ipaddress.ip_network(block["cidr"], strict=False)
    if whole.version != taken.version or not whole.overlaps(taken):
        return False
    inner = taken if taken.prefixlen >= whole.prefixlen else whole
    return not any(_within(inner, hole) for hole in _collapsed(block.get("except") or []))


def _within(inner: Block, outer: Block) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _collapsed(texts: Iterable[str]) -> list[Block]:
    found = [ipaddress.ip_network(text, strict=False) for text in texts]
    kept: list[Block] = list(ipaddress.collapse_addresses(n for n in found if n.version == 4))
    return kept + list(ipaddress.collapse_addresses(n for n in found if n.version == 6))
