"""Which workloads may have several pods at a time: one of these is not to itself what a single pod is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from orchestrator.policy.files.manifest import space_of
from orchestrator.policy.objects.owners import TEMPLATE_HASH, alike

KEDA_MOST = 100  # what a ScaledObject goes up to where it does not say
Key = tuple[str, str, str]  # namespace, kind and name


def several(objects: Iterable[Mapping[str, Any]]) -> frozenset[Key]:
    """By the manifests: replicas, parallel pods of a Job, a DaemonSet, an autoscaler's limit; of live pods, their number.

    A Deployment of one replica has two pods while it is updated, and stays one: they differ in the hash of its template.
    """
    found: set[Key] = set()
    live: Counter[tuple[Key, str]] = Counter()
    for obj in objects:
        if obj["kind"].endswith("NetworkPolicy"):  # most objects; none of them runs anything
            continue
        # What is of another shape is named where it is read, and says nothing here.
        with suppress(AttributeError, KeyError, TypeError, ValueError, IndexError):
            key = (space_of(obj), str(obj["kind"]), str(obj["metadata"].get("name")))
            if obj["kind"] == "Pod":
                kind, name = alike(obj)
                owned = (key[0], kind, name)
                hashed = str((obj["metadata"].get("labels") or {}).get(TEMPLATE_HASH, ""))
                live[owned, hashed] += kind != "Pod"
                found |= {owned} if kind == "DaemonSet" else set()
            elif _many(obj):
                found.add(key)
            elif scaled := _scaled(obj):
                found.add((key[0], *scaled))
    return frozenset([*found, *(key for (key, _), number in live.items() if number > 1)])


def _many(obj: Mapping[str, Any]) -> bool:
    spec = _mapping(obj, "spec")
    if obj["kind"] == "DaemonSet":
        return True
    if obj["kind"] == "Service":  # Knative's, which it scales by itself
        return str(obj["apiVersion"]).startswith("serving.knative.dev/")
    if obj["kind"] == "CronJob":
        spec = _mapping(_mapping(spec, "jobTemplate"), "spec")
    return any(_number(spec.get(field)) > 1 for field in ("replicas", "parallelism"))


def _scaled(obj: Mapping[str, Any]) -> tuple[str, str] | None:
    """Kind and name of what an autoscaler may give several pods."""
    spec = _mapping(obj, "spec")
    target = _mapping(spec, "scaleTargetRef")
    most = {
        "HorizontalPodAutoscaler": spec.get("maxReplicas"),
        "ScaledObject": spec.get("maxReplicaCount", KEDA_MOST),
    }
    if not target or _number(most.get(obj["kind"])) < 2:
        return None
    return str(target.get("kind", "Deployment")), str(target.get("name"))


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
