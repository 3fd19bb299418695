"""Pods that policies cut off from the API server, in either direction."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from orchestrator.policy import ports
from orchestrator.policy.api_server import OWN_PORTS, Called, called, clients, server_addresses
from orchestrator.policy.dns import SYSTEM
from orchestrator.policy.findings import Finding, of_policy, softened
from orchestrator.policy.fleet import Fleet
from orchestrator.policy.order import directions
from orchestrator.policy.pod import Pod
from orchestrator.policy.selector import matches
from orchestrator.policy.services import Port

# Carries what the API server of some managed clusters sends: then it comes from a pod after all.
TUNNEL = {"k8s-app": "konnectivity-agent"}
Passes = Literal["yes", "as a pod", "no"]


def uncallable(fleet: Fleet) -> Iterator[Finding]:
    """Webhooks and aggregated APIs whose pods let no address in."""
    told: dict[tuple[str, str], tuple[set[Port], Passes, bool]] = {}
    for one in called(fleet.beside, fleet):
        pod = one.workload.pod
        found = [passes(fleet, pod, protocol, port) for protocol, port in one.ports]
        if pod.host_network or "yes" in found:
            continue
        key = (one.what, one.workload.name)
        some, _, fails = told.get(key, (set(), "no", False))
        told[key] = ({*some, *one.ports}, "as a pod" if "as a pod" in found else "no", fails or one.fails)
    names = {w.name: w.pod for w in fleet.workloads}
    for (what, name), (wanted, way, fails) in told.items():
        listed = ", ".join(f"{port}/{protocol}" for protocol, port in sorted(wanted))
        reason = "no rule lets an address in" if way == "no" else "only pods are let in, which it is not"
        effect = (
            "every request that it asks about fails" if fails else "it is passed over (failurePolicy Ignore)"
        )
        text = f"the API server cannot call {name} on {listed} for {what}: {reason}, and {effect}"
        finding = of_policy(fleet, "NPC015", isolating(fleet, names[name], "Ingress")[0], text)
        yield finding if fails and way == "no" else softened(finding, "warning")


def shut(fleet: Fleet, one: Called) -> bool:
    """Whether the pods let the API server in on none of the ports at which it calls them."""
    pod = one.workload.pod
    return not pod.host_network and all(passes(fleet, pod, *port) == "no" for port in one.ports)


def speechless(fleet: Fleet) -> Iterator[Finding]:
    """Workloads with rights at the API server that may connect to no address on its ports."""
    servers = list(server_addresses(fleet))
    for one in clients(fleet.beside, fleet):
        pod = one.workload.pod
        selecting = isolating(fleet, pod, "Egress")
        if selecting and not pod.host_network and not _reaches(selecting, servers):
            text = f"{one.workload.name} cannot reach the API server, at which {one.origin} gives it rights: no rule "
            where = ", ".join(f"{a}:{p}" for a, p in servers[:3]) or "an address on 443 or 6443"
            yield of_policy(fleet, "NPC016", selecting[0], f"{text}lets it connect to {where}")


def isolating(fleet: Fleet, pod: Pod, side: str) -> list[dict[str, Any]]:
    """The NetworkPolicies that select a pod for a direction."""
    return [
        p
        for p in fleet.policies
        if p["metadata"]["namespace"] == pod.namespace
        and side in directions(p)
        and matches(p["spec"].get("podSelector") or {}, pod.labels)
    ]


def passes(fleet: Fleet, pod: Pod, protocol: str, port: int) -> Passes:
    """Whether a pod lets the API server in: by any address, by a peer that its tunnel may be, or not at all.

    Which address the API server has is not known here: any block may hold it.
    """
    selecting = isolating(fleet, pod, "Ingress")
    found: Passes = "no" if selecting else "yes"
    for policy in selecting:
        for rule in policy["spec"].get("ingress") or []:
            if not ports.contains(ports.of_rule(rule.get("ports") or [], pod), protocol, port):
                continue
            peers = rule.get("from") or []
            if not peers or any("ipBlock" in peer or _tunnel(peer) for peer in peers):
                return "yes"
            if any(_system(fleet, peer) for peer in peers):
                found = "as a pod"
    return found


def _tunnel(peer: Mapping[str, Any]) -> bool:
    pods = peer.get("podSelector") or {}
    return bool(pods) and "namespaceSelector" in peer and matches(pods, TUNNEL)


def _system(fleet: Fleet, peer: Mapping[str, Any]) -> bool:
    system = {"kubernetes.io/metadata.name": SYSTEM, **fleet.namespaces.get(SYSTEM, {})}
    return peer.get("namespaceSelector") is not None and matches(peer["namespaceSelector"], system)


def _reaches(selecting: Sequence[Mapping[str, Any]], servers: Sequence[tuple[str, int]]) -> bool:
    for policy in selecting:
        for rule in policy["spec"].get("egress") or []:
            blocks = [peer["ipBlock"] for peer in rule.get("to") or [] if "ipBlock" in peer]
            if rule.get("to") and not blocks:
                continue
            open_ports = ports.of_rule(rule.get("ports") or [], "")
            if not servers and any(ports.contains(open_ports, "TCP", port) for port in OWN_PORTS):
                return True
            for address, port in servers:
                inside = not rule.get("to") or any(_within(block, address) for block in blocks)
                if inside and ports.contains(open_ports, "TCP", port):
                    return True
    return False


def _within(block: Mapping[str, Any], address: str) -> bool:
    ip = ipaddress.ip_address(address)
    outside = any(ip in ipaddress.ip_network(e, strict=False) for e in block.get("except") or [])
    return ip in ipaddress.ip_network(block["cidr"], strict=False) and not outside
