"""The workload that a live pod belongs to."""

from collections.abc import Mapping
from typing import Any

TEMPLATE_HASH = "pod-template-hash"
CANARY_LABEL = "netpol-canary.dev/canary"  # of pods that come first, for the time of their wave


def alike(pod: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of what answers as a live pod does: its workload, or itself where it comes before the others of that."""
    meta = pod["metadata"]
    return ("Pod", str(meta["name"])) if CANARY_LABEL in (meta.get("labels") or {}) else owner_of(pod)


def owner_of(pod: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of the workload that a live pod belongs to; its own where it belongs to none.

    A Deployment's pods belong to a ReplicaSet that is named after it and the hash of its template.
    """
    meta = pod["metadata"]
    owners = meta.get("ownerReferences") or []
    owner = next((o for o in owners if o.get("controller")), owners[0] if owners else None)
    if owner is None:
        return "Pod", str(meta["name"])
    kind, name = str(owner["kind"]), str(owner["name"])
    ending = f"-{(meta.get('labels') or {}).get(TEMPLATE_HASH, '')}"
    if kind == "ReplicaSet" and len(ending) > 1 and name.endswith(ending):
        return "Deployment", name.removesuffix(ending)
    return kind, name
