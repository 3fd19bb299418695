"""Whether policies let the API server in to a pod. Source: NetworkPolicy API; it is no pod, and no selector means it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from orchestrator.policy.definitions.api_server import Called
from orchestrator.policy.network.dns import SYSTEM
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import INGRESS
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.objects.selector import NAME_LABEL, matches
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import isolating, names_space

# Carries what the API server of some managed clusters sends: then it comes from a pod after all.
TUNNEL = {"k8s-app": "konnectivity-agent"}
Passes = Literal["yes", "as a pod", "no"]


def shut(fleet: Fleet, one: Called, settled: Mapping[str, bool] | None = None) -> bool:
    """Whether the pods let the API server in on none of the ports at which it calls them."""
    pod = one.workload.pod
    if pod.host_network:
        return False
    if not fleet.of_cni:
        return all(passes(fleet, pod, *port) == "no" for port in one.ports)
    labels = {SYSTEM: {NAME_LABEL: SYSTEM}, **fleet.namespaces}
    # On the pod's own node it may come in whatever is written: nobody counts on that.
    net = replace(fleet, namespaces=labels).network({**(settled or {}), "same_node": False})
    return all(
        net.decide(end, pod, *port).allowed is False for end in _may_be(fleet) for port in sorted(one.ports)
    )


def _may_be(fleet: Fleet) -> Iterator[End]:
    """All that the API server may be to policies of a CNI: an address, a node, or a pod of its tunnel."""
    yield Pod(SYSTEM, "kube-apiserver", {}, host_network=True)
    yield Pod(SYSTEM, "konnectivity-agent", TUNNEL)
    yield from sorted(fleet.node_addresses)
    yield from (str(span.first) for span in ranges(fleet))


def passes(fleet: Fleet, pod: Pod, protocol: str, port: int) -> Passes:
    """Whether a pod lets the API server in: by any address, by a peer that its tunnel may be, or not at all.

    Which address the API server has is not known here: any block may hold it.
    """
    selecting = isolating(fleet, pod, INGRESS)
    found: Passes = "no" if selecting else "yes"
    for policy in selecting:
        for rule in INGRESS.rules(policy):
            if not port_sets.contains(port_sets.of_rule(rule.get("ports") or [], pod), protocol, port):
                continue
            peers = INGRESS.peers_of(rule)
            if not peers or any("ipBlock" in peer or _tunnel(peer) for peer in peers):
                return "yes"
            if any(names_space(fleet, peer, SYSTEM) for peer in peers):
                found = "as a pod"
    return found


def _tunnel(peer: Mapping[str, Any]) -> bool:
    pods = peer.get("podSelector") or {}
    return bool(pods) and "namespaceSelector" in peer and matches(pods, TUNNEL)
