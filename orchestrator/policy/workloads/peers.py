"""Which workloads of a fleet a NetworkPolicy selects, and which its peers mean."""

from collections.abc import Mapping
from typing import Any

from orchestrator.policy.evaluate.meaning import isolates
from orchestrator.policy.evaluate.pod_index import bits
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import NAME_LABEL, matches
from orchestrator.policy.workloads.fleet import Fleet


def selected(fleet: Fleet, policy: Mapping[str, Any]) -> list[Pod]:
    """The pods of its own namespace that a policy selects."""
    selector = policy["spec"].get("podSelector") or {}
    return [p for p in fleet.within(policy["metadata"]["namespace"]) if matches(selector, p.labels)]


def isolating(fleet: Fleet, pod: Pod, side: Direction) -> list[dict[str, Any]]:
    """The NetworkPolicies that select a pod for a direction."""
    return [p for p in fleet.ruled.get(pod.namespace, ()) if isolates(p, pod, side)]


def names_space(fleet: Fleet, peer: Mapping[str, Any], namespace: str) -> bool:
    """Whether a peer names a namespace by its selector; of one that is not here, by its name alone."""
    labels = {NAME_LABEL: namespace, **fleet.namespaces.get(namespace, {})}
    return matches(peer.get("namespaceSelector"), labels)


def meant(fleet: Fleet, policy: Mapping[str, Any], peer: Mapping[str, Any]) -> list[Pod]:
    """The pods that a peer of a rule names; none for an ipBlock."""
    found = fleet.index.meant(peer, policy["metadata"]["namespace"])
    return [fleet.workloads[number].pod for number in bits(found)]
