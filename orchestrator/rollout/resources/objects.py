"""Objects as they are compared, frozen and written back: without what the server keeps for itself."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.policy.objects.owners import CANARY_LABEL as CANARY_LABEL
from orchestrator.rollout.resources.places import space

Manifest = dict[str, Any]
Key = tuple[str, str, str]

SOURCE_LABEL = "netpol-canary.dev/source"
ROLLOUT_LABEL = "netpol-canary.dev/rollout"
PROBE_LABEL = "netpol-canary.dev/probe"
MANAGER = "netpol-canary"
MOST_LABEL = 63  # characters of a label's value, as rollouts' and workflows' names are
_SERVER_FIELDS = (
    "resourceVersion",
    "uid",
    "generation",
    "managedFields",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
# A finalizer or an owner would decide when the object goes, and keep a rollout from restoring what stood there.
_FROM_GIT = ("name", "namespace", "labels", "annotations")


def key(obj: Mapping[str, Any]) -> Key:
    """What an object is called within a namespace."""
    return (str(obj["apiVersion"]), str(obj["kind"]), str(obj["metadata"]["name"]))


def age(obj: Mapping[str, Any]) -> tuple[str, str]:
    """When it was created, as the API server writes it, and its name: the oldest sorts first."""
    return str(obj["metadata"].get("creationTimestamp", "")), str(obj["metadata"]["name"])


def label(obj: Mapping[str, Any]) -> str:
    """`NetworkPolicy/name`, for people."""
    return f"{obj['kind']}/{obj['metadata']['name']}"


def bare(obj: Mapping[str, Any]) -> Manifest:
    """The object without server fields and status."""
    metadata = {k: v for k, v in obj["metadata"].items() if k not in _SERVER_FIELDS}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": metadata}


def canonical(obj: Mapping[str, Any]) -> str:
    """One text for one meaning: sorted keys, no spaces, server fields left out."""
    return json.dumps(bare(obj), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def same(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> bool:
    """Equal but for server fields; None is absence."""
    if left is None or right is None:
        return left is right
    return canonical(left) == canonical(right)


def digest(objects: Iterable[Mapping[str, Any]]) -> str:
    """`sha256:…` over a set of objects, whatever their order."""
    lines = sorted(canonical(obj) for obj in objects)
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def by_key(objects: Iterable[Mapping[str, Any]]) -> dict[Key, Manifest]:
    """Objects by what they are called."""
    return {key(obj): dict(obj) for obj in objects}


def owner(obj: Mapping[str, Any]) -> str:
    """The source that an object belongs to; empty where it belongs to none."""
    return str((obj["metadata"].get("labels") or {}).get(SOURCE_LABEL, ""))


def left_out(obj: Mapping[str, Any]) -> list[str]:
    """The fields of a manifest from Git that are never written: who deletes an object and when, and what the server says."""
    found = [f"metadata.{name}" for name in obj["metadata"] if name not in _FROM_GIT]
    return found + (["status"] if "status" in obj else [])


def owned(obj: Mapping[str, Any], namespace: str, source: str) -> Manifest:
    """The desired object in its place, labelled as its source's, without what Git does not decide."""
    metadata = {k: v for k, v in obj["metadata"].items() if k in _FROM_GIT}
    metadata |= {"namespace": namespace} if space(namespace) else {}
    metadata["labels"] = {**(metadata.get("labels") or {}), SOURCE_LABEL: source}
    return bare({**obj, "metadata": metadata})


def unowned(obj: Mapping[str, Any]) -> Manifest:
    """The object without the label of its source."""
    metadata = dict(obj["metadata"])
    labels = {k: v for k, v in (metadata.pop("labels", None) or {}).items() if k != SOURCE_LABEL}
    return bare({**obj, "metadata": {**metadata, "labels": labels} if labels else metadata})


def foreign_metadata(live: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Labels and annotations that managers other than this one set; they are kept on update."""
    found: dict[str, dict[str, str]] = {"labels": {}, "annotations": {}}
    ours: dict[str, set[str]] = {"labels": set(), "annotations": set()}
    theirs: dict[str, set[str]] = {"labels": set(), "annotations": set()}
    for entry in live["metadata"].get("managedFields") or []:
        fields = (entry.get("fieldsV1") or {}).get("f:metadata") or {}
        side = ours if entry.get("manager") == MANAGER else theirs
        for part in side:
            side[part] |= {name[2:] for name in fields.get(f"f:{part}") or {} if name.startswith("f:")}
    for part, values in found.items():
        present = live["metadata"].get(part) or {}
        values.update({k: present[k] for k in theirs[part] - ours[part] if k in present})
    return found


def merged(desired: Mapping[str, Any], live: Mapping[str, Any] | None) -> Manifest:
    """What to PUT over `live`: the desired object, with other managers' labels and annotations kept."""
    obj = bare(desired)
    if live is None:
        return obj
    metadata = dict(obj["metadata"])
    for part, values in foreign_metadata(live).items():
        joined = {**values, **(metadata.get(part) or {})}
        if joined:
            metadata[part] = joined
    for part in ("ownerReferences", "finalizers"):
        if live["metadata"].get(part):
            metadata[part] = live["metadata"][part]
    return {**obj, "metadata": metadata}
