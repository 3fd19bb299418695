"""Pods that policies cut off from the API server, in either direction."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.api_server import OWN_PORTS, called, clients, server_addresses
from orchestrator.policy.definitions.needed import Port
from orchestrator.policy.evaluate.meaning import inside
from orchestrator.policy.lint.findings import Finding, of_policy, softened
from orchestrator.policy.network.api_server_access import Passes, passes
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import isolating


def uncallable(fleet: Fleet) -> Iterator[Finding]:
    """Webhooks and aggregated APIs whose pods let no address in, as far as NetworkPolicies alone decide on addresses."""
    if fleet.of_cni:
        return
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
        finding = of_policy(fleet, "NPC015", isolating(fleet, names[name], INGRESS)[0], text)
        yield finding if fails and way == "no" else softened(finding, "warning")


def speechless(fleet: Fleet) -> Iterator[Finding]:
    """Workloads with rights at the API server that may connect to no address on its ports; NetworkPolicies alone decide."""
    if fleet.further:
        return
    servers = list(server_addresses(fleet))
    for one in clients(fleet.beside, fleet):
        pod = one.workload.pod
        selecting = isolating(fleet, pod, EGRESS)
        if selecting and not pod.host_network and not _reaches(selecting, servers):
            text = f"{one.workload.name} cannot reach the API server, at which {one.origin} gives it rights: no rule "
            where = ", ".join(f"{a}:{p}" for a, p in servers[:3]) or "an address on 443 or 6443"
            yield of_policy(fleet, "NPC016", selecting[0], f"{text}lets it connect to {where}")


def _reaches(selecting: Sequence[Mapping[str, Any]], servers: Sequence[tuple[str, int]]) -> bool:
    for policy in selecting:
        for rule in EGRESS.rules(policy):
            peers = EGRESS.peers_of(rule)
            blocks = [peer["ipBlock"] for peer in peers if "ipBlock" in peer]
            if peers and not blocks:
                continue
            open_ports = port_sets.of_rule(rule.get("ports") or [], "")
            if not servers and any(port_sets.contains(open_ports, "TCP", port) for port in OWN_PORTS):
                return True
            for address, port in servers:
                met = not peers or any(inside(block, address) for block in blocks)
                if met and port_sets.contains(open_ports, "TCP", port):
                    return True
    return False
