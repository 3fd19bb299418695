"""Whether a workload can resolve names: at the resolvers that are known, or else by what its rules open."""

from collections.abc import Mapping
from typing import Any

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.directions import EGRESS
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import NAME_LABEL, matches
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.policy.workloads.peers import isolating, meant, names_space

LABELS = ("kube-dns", "coredns", "node-local-dns", "nodelocaldns", "node-cache")
SYSTEM = "kube-system"


def resolvers(fleet: Fleet) -> list[Workload]:
    """The workloads that answer DNS: by the usual labels in kube-system, or by a declared port 53 over UDP."""
    return [
        w
        for w in fleet.workloads
        if any(p.port == 53 and p.protocol == "UDP" for p in w.pod.ports)
        or (w.pod.namespace == SYSTEM and w.pod.labels.get("k8s-app") in LABELS)
    ]


class Resolution:
    """Which pods of a fleet can resolve names under its policies."""

    def __init__(self, fleet: Fleet, net: Network) -> None:
        self._fleet, self._net = fleet, net
        self._resolvers = [w.pod for w in resolvers(fleet)]

    def of(self, pod: Pod) -> bool:
        """Whether any resolver may be reached over UDP; without a known one, whether any rule may mean one."""
        fleet, net = self._fleet, self._net
        known = [other for other in self._resolvers if other is not pod]
        if any(net.allowed(pod, other, "UDP", port) for other in known for port in ports_of(other)):
            return True
        on_nodes = any(other.host_network for other in known)  # reached by addresses, if at all
        if known and not on_nodes:
            return False
        if on_nodes and fleet.of_cni:  # which may open any address, by more than blocks
            return True
        if not known and (fleet.further or not net.isolated(pod, EGRESS)):
            return True
        return any(
            opens(fleet, policy, rule)
            and (not known or any("ipBlock" in peer for peer in EGRESS.peers_of(rule)))
            for policy in isolating(fleet, pod, EGRESS)
            for rule in EGRESS.rules(policy)
        )


def names_resolver(fleet: Fleet, peer: Mapping[str, Any]) -> bool:
    """Whether a peer names the cluster's own resolver, which manifests of applications do not hold."""
    if fleet.within(SYSTEM) or peer.get("namespaceSelector") is None:
        return False
    labels = ({"k8s-app": label} for label in LABELS)
    system = {NAME_LABEL: SYSTEM}
    pods = peer.get("podSelector")
    return matches(peer["namespaceSelector"], system) and (
        pods is None or any(matches(pods, x) for x in labels)
    )


def ports_of(resolver: Pod) -> list[int]:
    """Where a resolver listens: it may declare another port behind its Service, such as 5353."""
    declared = [p.port for p in resolver.ports if p.protocol == "UDP"]
    return declared or [53]


def opens(fleet: Fleet, policy: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Whether a rule opens port 53 over UDP, by name or among others, towards something that may be a resolver."""
    udp = [p for p in rule.get("ports") or [] if p.get("protocol", "TCP") == "UDP"]
    if any(p.get("port") == 53 or isinstance(p.get("port"), str) for p in udp):
        return True
    wide = [p for p in udp if p.get("port") is None or p["port"] <= 53 <= p.get("endPort", p["port"])]
    if rule.get("ports") and not wide:
        return False
    peers = EGRESS.peers_of(rule)
    return not peers or any(_may_resolve(fleet, policy, peer) for peer in peers)


def _may_resolve(fleet: Fleet, policy: Mapping[str, Any], peer: Mapping[str, Any]) -> bool:
    if "ipBlock" in peer:
        return True
    return names_space(fleet, peer, SYSTEM) or any(
        p.port == 53 and p.protocol == "UDP" for pod in meant(fleet, policy, peer) for p in pod.ports
    )
