"""The workloads and policies of a live cluster, as documents for the evaluator."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from orchestrator.errors import NotFound
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS, REFERRED, group_of
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.rollout.resources.objects import PROBE_LABEL

WHERE = "the cluster"
KINDS = (Kind("v1", "Namespace"), Kind("v1", "Pod"), Kind("networking.k8s.io/v1", "NetworkPolicy"))
MAYBE = tuple(Kind(k.api_version, k.kind) for k in POLICY_KINDS)
ENDED = ("Succeeded", "Failed")
MOST_QUESTIONS = 10  # so many namespaces are asked for one by one, more in one question


def documents(cluster: Cluster) -> Iterator[Document]:
    """Namespaces, pods that run or may run, policies, and what these refer to; a kind that the cluster does not have is none."""
    groups: set[str] = set()
    for kind in KINDS:
        yield from _documents(cluster.list(kind))
    for kind in MAYBE:
        if found := _some(cluster, kind):
            groups.add(group_of(kind.api_version))
            yield from _documents(found)
    for other in dict.fromkeys(k for group in sorted(groups) for k in REFERRED.get(group, ())):
        kind = Kind(other.api_version, other.kind)
        yield from _documents(_one(cluster, kind, *other.only) if other.only else _some(cluster, kind))


def _some(cluster: Cluster, kind: Kind) -> list[Manifest]:
    with suppress(NotFound):
        return cluster.list(kind)
    return []


def _one(cluster: Cluster, kind: Kind, space: str, name: str) -> list[Manifest]:
    with suppress(NotFound):
        return [cluster.get(kind, name, space)]
    return []


def _documents(found: Iterable[Manifest]) -> Iterator[Document]:
    for obj in found:
        if (obj.get("status") or {}).get("phase") in ENDED:
            continue
        if PROBE_LABEL in (obj["metadata"].get("labels") or {}):
            continue  # it only imitates a workload that is here already
        if obj["kind"] == "Pod" and "deletionTimestamp" in obj["metadata"]:
            continue  # by the time of a probe it is gone
        metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
        yield Document({**obj, "metadata": metadata}, WHERE, 1)


def within(cluster: Cluster, kind: Kind, spaces: Sequence[str]) -> Iterator[Manifest]:
    """The objects of a kind in some namespaces."""
    if len(spaces) > MOST_QUESTIONS:
        wanted = set(spaces)
        yield from (o for o in cluster.list(kind) if o["metadata"].get("namespace") in wanted)
    else:
        for space in spaces:
            yield from cluster.list(kind, space)
