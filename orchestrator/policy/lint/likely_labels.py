"""Which label somebody may have meant whose selector matches nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.policy.files.nearest import likely
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import names_space


def likely_label(selector: Mapping[str, Any] | None, labels: Iterable[Mapping[str, str]]) -> str:
    """A question that names the label, of those that are borne here; empty where none is spelt alike."""
    borne: dict[str, set[str]] = {}
    for some in labels:
        for key, value in some.items():
            borne.setdefault(key, set()).add(value)
    for key, operator, values in requirements(selector or {}):
        if operator not in ("In", "Exists") or (values and values & borne.get(key, set())):
            continue
        if key not in borne:
            near = likely(key, borne)
            return f"did you mean the label {near}?" if near else ""
        found = (f"{key}: {near}" for value in sorted(values) if (near := likely(value, borne[key])))
        if meant := next(found, ""):
            return f"did you mean {meant}?"
    return ""


def likely_own(fleet: Fleet, policy: Mapping[str, Any]) -> str:
    """For the pods that a policy selects."""
    pods = fleet.within(policy["metadata"]["namespace"])
    return likely_label(policy["spec"].get("podSelector"), (p.labels for p in pods))


def likely_peer(fleet: Fleet, policy: Mapping[str, Any], peer: Mapping[str, Any]) -> str:
    """For the namespaces that a peer names, else for its pods there."""
    own = policy["metadata"]["namespace"]
    if peer.get("namespaceSelector") is None:
        spaces = [own]
    else:
        spaces = [name for name in fleet.namespaces if names_space(fleet, peer, name)]
        if not spaces:
            return likely_label(peer["namespaceSelector"], fleet.namespaces.values())
    return likely_label(peer.get("podSelector"), (p.labels for s in spaces for p in fleet.within(s)))
