"""What else selects the labels that probe pods carry, and would take them for the workload's own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.policy.objects.selector import matches


@dataclass(frozen=True)
class Imitation:
    """A workload by its namespace and name, and the labels that pods in its place carry."""

    namespace: str
    workload: str
    labels: Mapping[str, str] = field(hash=False)

    @property
    def name(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.workload}"


def bystanders(objects: Iterable[Mapping[str, Any]], imitations: Iterable[Imitation]) -> list[str]:
    """One text an object and workload: HorizontalPodAutoscalers, PodDisruptionBudgets, Services.

    Sources: the APIs' own words on pods that are not ready. An autoscaler counts every pod of its target's selector;
    a budget with a percentage cannot be worked out while it selects pods of a Job; a Service with
    publishNotReadyAddresses sends its clients to pods that are not ready.
    """
    known = list(imitations)
    found = []
    for obj in objects:
        space = obj["metadata"].get("namespace", "")
        for imitation in known:
            if imitation.namespace == space:
                found += list(_told(obj, f"{obj['kind']} {space}/{obj['metadata']['name']}", imitation))
    return sorted(set(found))


def _told(obj: Mapping[str, Any], name: str, imitation: Imitation) -> Iterator[str]:
    spec = obj.get("spec") or {}
    if obj["kind"] == "HorizontalPodAutoscaler":
        if (spec.get("scaleTargetRef") or {}).get("name") == imitation.workload:
            yield f"{name} counts the probe pods of {imitation.name}, which are idle and never ready, while they run"
    elif obj["kind"] == "PodDisruptionBudget":
        if matches(spec.get("selector"), imitation.labels):
            yield f"{name} selects the probe pods of {imitation.name}: evictions may be refused while they run"
    elif obj["kind"] == "Service" and spec.get("publishNotReadyAddresses"):
        selector = spec.get("selector") or {}
        if selector and matches({"matchLabels": selector}, imitation.labels):
            yield (
                f"{name} publishes addresses that are not ready, those of the probe pods of {imitation.name} too: "
                "clients that it sends there are refused while they run"
            )
