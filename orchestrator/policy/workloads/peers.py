"""Which workloads of a fleet a NetworkPolicy selects, and which its peers mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.policy.objects.directions import Direction, directions
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import matches
from orchestrator.policy.workloads.fleet import Fleet


def selected(fleet: Fleet, policy: Mapping[str, Any]) -> list[Pod]:
    """The pods of its own namespace that a policy selects."""
    selector = policy["spec"].get("podSelector") or {}
    return [p for p in fleet.within(policy["metadata"]["namespace"]) if matches(selector, p.labels)]


def isolating(fleet: Fleet, pod: Pod, side: Direction) -> list[dict[str, Any]]:
    """The NetworkPolicies that select a pod for a direction."""
    return [
        p
        for p in fleet.policies
        if p["metadata"]["namespace"] == pod.namespace
        and side in directions(p)
        and matches(p["spec"].get("podSelector") or {}, pod.labels)
    ]


def meant(fleet: Fleet, policy: Mapping[str, Any], peer: Mapping[str, Any]) -> list[Pod]:
    """The pods that a peer of a rule names; none for an ipBlock."""
    if "ipBlock" in peer:
        return []
    spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
    if spaces is None:
        found = fleet.within(policy["metadata"]["namespace"])
    else:
        found = [
            pod
            for name, labels in fleet.namespaces.items()
            if matches(spaces, labels)
            for pod in fleet.within(name)
        ]
    return [p for p in found if pods is None or matches(pods, p.labels)]
