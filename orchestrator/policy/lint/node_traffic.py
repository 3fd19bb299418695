"""What stands on a pod's own node and is no pod for policies: NodeLocal DNSCache, and the kubelet with its probes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.services import at_pod
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.network.dns import Resolution
from orchestrator.policy.network.resolving import LOCAL, known_resolvers
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Rule, rules
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.policy.workloads.peers import isolating

# Where the kubelet's probes come from in Istio's ambient mode, which rewrites their source.
AMBIENT = "169.254.7.127"
MODE = "istio.io/dataplane-mode"
_CACHES = frozenset({"node-local-dns", "nodelocaldns", "node-cache"})


def beside_the_cache(fleet: Fleet) -> Iterator[Finding]:
    """Workloads that may ask the cluster's resolver, and not the cache on their node that answers instead.

    To a CNI with policies of its own the cache may be a node, or a pod that a Local Redirect Policy leads to.
    """
    if fleet.of_cni:
        return
    net, found = fleet.network(), known_resolvers(fleet, Platform())[0]
    caches = [r for r in found if r.origin.startswith("The resolver") and isinstance(r.ends[0], str)]
    addresses = [str(end) for r in caches for end in r.ends]
    if not addresses:
        yield from _by_selector(fleet)
        return
    resolution = Resolution(fleet, net)
    for workload in fleet.workloads:
        pod = workload.pod
        selecting = isolating(fleet, pod, EGRESS)
        if not selecting or pod.host_network or not resolution.of(pod):
            continue
        if not any(net.allowed(pod, address, "UDP", 53) for address in addresses):
            text = f"{workload.name} may not ask NodeLocal DNSCache, which answers at {', '.join(addresses)} on its node"
            yield of_policy(fleet, "NPC024", selecting[0], text)


def _by_selector(fleet: Fleet) -> Iterator[Finding]:
    """Rules that mean the cache, which is not among the manifests, by the labels of its pods, and by nothing else."""
    for policy in fleet.policies:
        listed = [rule for rule in rules(policy) if rule.direction is EGRESS]
        if any(map(_any_address, listed)):
            continue
        for rule in listed:
            for place, peer in rule.peer_places():
                wanted = requirements(peer.get("podSelector") or {})
                if any(operator == "In" and values <= _CACHES for _, operator, values in wanted):
                    text = f"{place} means the pods of NodeLocal DNSCache, which use the host's network: "
                    text += f"only an ipBlock with its address ({LOCAL} by default) opens it"
                    yield of_policy(fleet, "NPC024", policy, text)


def _any_address(rule: Rule) -> bool:
    addresses = not rule.peers or any("ipBlock" in peer for peer in rule.peers)
    return addresses and port_sets.contains(port_sets.of_rule(rule.ports, ""), "UDP", 53)


def unprobed(fleet: Fleet) -> Iterator[Finding]:
    """Pods whose probes do not come from their node's address, or which the CNI's configuration holds to policies."""
    net, strict = fleet.network(), _strict(fleet)
    for workload in fleet.workloads:
        pod = workload.pod
        selecting = isolating(fleet, pod, INGRESS)
        ambient = _ambient(fleet, pod)
        if not selecting or pod.host_network or not (ambient or (strict and not fleet.of_cni)):
            continue
        shut = [p for p in _probed(workload) if _shut(net, selecting, pod, p, ambient)]
        if shut:
            listed = ", ".join(f"{port}/TCP" for port in shut)
            way = (
                f"in Istio's ambient mode they come from {AMBIENT}, which no rule lets in"
                if ambient
                else f"{strict} holds the node to policies, and only a rule without `from` lets it in"
            )
            text = f"the kubelet's probes of {workload.name} on {listed} fail: {way}"
            yield of_policy(fleet, "NPC025", selecting[0], text)


def _shut(net: Network, selecting: Sequence[Mapping[str, Any]], pod: Pod, port: int, ambient: bool) -> bool:
    if ambient:
        return not net.allowed(AMBIENT, pod, "TCP", port)
    return not any(
        not INGRESS.peers_of(rule)
        and port_sets.contains(port_sets.of_rule(rule.get("ports") or [], pod), "TCP", port)
        for policy in selecting
        for rule in INGRESS.rules(policy)
    )


def _probed(workload: Workload) -> list[int]:
    found = {number for port in workload.probed for _, number in at_pod(workload.pod, port, "TCP")}
    return sorted(found)


def _ambient(fleet: Fleet, pod: Pod) -> bool:
    own = pod.labels.get(MODE)
    return (own or fleet.namespaces.get(pod.namespace, {}).get(MODE)) == "ambient"


def _strict(fleet: Fleet) -> str:
    """What says that a CNI holds traffic from the node itself to policies; empty where nothing does."""
    for document in fleet.beside:
        obj = document.obj
        data = obj.get("data") if obj["kind"] == "ConfigMap" else None
        name = obj["metadata"]["name"]
        if (
            name == "cilium-config"
            and isinstance(data, Mapping)
            and str(data.get("allow-localhost")) == "policy"
        ):
            return "Cilium's allow-localhost: policy"
    return ""
