"""Selectors that mean a namespace by its name, and by a label that Kubernetes does not put on it."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.objects.directions import rules
from orchestrator.policy.objects.selector import NAME_LABEL, requirements
from orchestrator.policy.workloads.fleet import Fleet

# What people take for it.
USUAL = ("name", "namespace", "ns", "kubernetes.io/name", "kubernetes.io/namespace", "metadata.name")


def without_label(fleet: Fleet) -> Iterator[Finding]:
    """Peers whose namespace is named by a label that none is known to have, or whose pods are by the namespaces' label."""
    for policy in fleet.policies:
        for rule in rules(policy):
            for place, peer in rule.peer_places():
                if fleet.obscured.unlabelled and peer.get("namespaceSelector") is not None:
                    continue
                for text in misnamed(fleet, peer):
                    yield of_policy(fleet, "NPC019", policy, f"{place} {text}")


def misnamed(fleet: Fleet, peer: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with how a peer names its namespace."""
    for key, operator, values in requirements(peer.get("namespaceSelector") or {}):
        if key == NAME_LABEL or operator not in ("In", "NotIn"):
            continue
        borne = {labels[key] for labels in fleet.namespaces.values() if key in labels}
        names = sorted(v for v in values - borne if v in fleet.namespaces or key in USUAL)
        if names and not values & borne:
            does = "matches none" if operator == "In" else "excludes none"
            yield (
                f"means the namespace {', '.join(names)} by the label {key}, which no namespace is known to have, and "
                f"{does}: Kubernetes gives them {NAME_LABEL} alone"
            )
    if any(key == NAME_LABEL for key, _, _ in requirements(peer.get("podSelector") or {})):
        yield f"asks pods for {NAME_LABEL}, a label of namespaces: it belongs under namespaceSelector"
