"""The workloads and policies of a live cluster, as documents for the evaluator."""

from collections.abc import Iterator, Sequence

from orchestrator.errors import NotFound
from orchestrator.policy.files.manifest import Document
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.rollout.resources.objects import PROBE_LABEL

WHERE = "the cluster"
KINDS = (Kind("v1", "Namespace"), Kind("v1", "Pod"), Kind("networking.k8s.io/v1", "NetworkPolicy"))
MAYBE = (
    Kind("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    Kind("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    Kind("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
)
ENDED = ("Succeeded", "Failed")
MOST_QUESTIONS = 10  # so many namespaces are asked for one by one, more in one question


def documents(cluster: Cluster) -> Iterator[Document]:
    """Namespaces, pods that run or may run, and policies; a kind that the cluster does not have is none."""
    for kind in (*KINDS, *MAYBE):
        try:
            found = cluster.list(kind)
        except NotFound:
            if kind in MAYBE:
                continue
            raise
        for obj in found:
            if (obj.get("status") or {}).get("phase") in ENDED:
                continue
            if PROBE_LABEL in (obj["metadata"].get("labels") or {}):
                continue  # it only imitates a workload that is here already
            if kind.kind == "Pod" and "deletionTimestamp" in obj["metadata"]:
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
