"""Waypoints of Istio's ambient mode: proxies that istiod makes for a Gateway, between clients and what is served through them.

Source: Istio, "Configure waypoint proxies": Gateways of the class istio-waypoint, the label istio.io/use-waypoint on namespaces,
Services and pods, and the label that the pods of a Gateway have.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.needed import Note, space_of
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import few

CLASS = "istio-waypoint"
USE, USE_SPACE = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace"
LABEL = "gateway.networking.k8s.io/gateway-name"


def waypoints(documents: Sequence[Document], fleet: Fleet) -> Iterator[Note]:
    """Each waypoint once, with what asks for it: which connections go through it is not worked out, and none is opened."""
    used: dict[tuple[str, str], list[str]] = {}
    for space, labels, who in _labelled(documents, fleet):
        name = str(labels.get(USE) or "")
        if name and name != "none":
            used.setdefault((str(labels.get(USE_SPACE) or space), name), []).append(who)
    for document in documents:
        obj = document.obj
        spec = obj.get("spec") if obj["kind"] == "Gateway" else None
        if isinstance(spec, Mapping) and spec.get("gatewayClassName") == CLASS:
            used.setdefault((space_of(obj), str(obj["metadata"]["name"])), [])
    for (space, name), all_ in sorted(used.items()):
        whose = list(dict.fromkeys(all_))
        by = f"label {USE} of {few(whose, 3)}" if whose else f"a Gateway of the class {CLASS}"
        yield Note(
            f"Istio's waypoint {space}/{name} ({by}) is not taken into account: its pods may be cut off from clients, from what "
            f"they lead to and from istiod; open TCP 15008 from and to pods with {LABEL}={name}, and their TCP 15012 to istiod"
        )


def _labelled(documents: Sequence[Document], fleet: Fleet) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Namespace, labels and name of whatever may ask for a waypoint."""
    for space, labels in sorted(fleet.namespaces.items()):
        yield space, labels, f"Namespace {space}"
    for document in documents:
        obj = document.obj
        if obj["kind"] in ("Service", "ServiceEntry"):
            labels = obj["metadata"].get("labels") or {}
            yield space_of(obj), labels, f"{obj['kind']} {space_of(obj)}/{obj['metadata']['name']}"
    for workload in fleet.workloads:
        yield workload.pod.namespace, workload.pod.labels, workload.name
