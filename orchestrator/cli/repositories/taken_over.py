"""What stands in a cluster and a new repository begins with: the workloads, and the policies of the source's namespaces."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.cli.authoring.importing import Taken, policies_of
from orchestrator.cli.repositories.first_files import Needed, Wanted
from orchestrator.errors import BadInput, NotFound
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.files.manifest import parse_all
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.policy.translate.made import LAST_APPLIED
from orchestrator.policy.workloads.fleet import Workload, fleet
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.rollout.resources.objects import bare

NAMESPACE = Kind("v1", "Namespace")
RUNNING = (
    NAMESPACE,
    Kind("apps/v1", "Deployment"),
    Kind("apps/v1", "StatefulSet"),
    Kind("apps/v1", "DaemonSet"),
    Kind("batch/v1", "CronJob"),
    Kind("v1", "Service"),
    Kind("networking.k8s.io/v1", "Ingress"),
)
MOST_NEEDED = 20  # probes that a new source declares
_WIDE = 4096


@dataclass(frozen=True)
class Found:
    """The source's namespaces as they are there, the workloads of the whole cluster as YAML, and the policies.

    `needed` are connections from or to these namespaces that definitions ask for, those between namespaces first.
    """

    namespaces: tuple[str, ...]
    workloads: str
    policies: Taken
    needed: tuple[Needed, ...]


def found_in(cluster: Cluster, wanted: Wanted) -> Found:
    """Raises BadInput where a namespace is named that is not there, or none has the labels."""
    objects = [bare(obj) for kind in RUNNING for obj in _listed(cluster, kind)]
    spaces = {str(o["metadata"]["name"]): o for o in objects if NAMESPACE.means(o)}
    chosen = tuple(_chosen(wanted, spaces))
    for name in (*wanted.namespaces, *wanted.canary):
        if name not in spaces:
            hint = did_you_mean(name, list(spaces), "`kubectl get namespaces` lists those that are")
            raise BadInput(f"there is no namespace {name} in the cluster", hint=hint)
    if not chosen:
        labels = ",".join(f"{k}={v}" for k, v in wanted.labels)
        raise BadInput(
            f"no namespace of the cluster has the labels {labels}",
            "--selector",
            "`kubectl get namespaces --show-labels` lists them",
        )
    text = yaml.safe_dump_all((_tidy(o) for o in objects), sort_keys=False, width=_WIDE)
    return Found(chosen, text, policies_of(cluster, chosen), tuple(_needed(text, chosen))[:MOST_NEEDED])


def _listed(cluster: Cluster, kind: Kind) -> Iterator[Manifest]:
    try:
        yield from cluster.list(kind)
    except NotFound:  # not served there
        return


def _chosen(wanted: Wanted, spaces: Mapping[str, Manifest]) -> Iterator[str]:
    for name, obj in spaces.items():
        labels = obj["metadata"].get("labels") or {}
        if name in wanted.namespaces or (
            wanted.labels and all(labels.get(key) == value for key, value in wanted.labels)
        ):
            yield name


def _needed(text: str, chosen: tuple[str, ...]) -> list[Needed]:
    documents = parse_all({"the cluster": text.encode()})
    edges, _ = needs(documents, fleet(documents), Platform())
    found = {
        (f"{src.namespace}/{src.name}", f"{dst.namespace}/{dst.name}", port)
        for edge in edges
        if isinstance(edge.src, Workload) and isinstance(edge.dst, Workload)
        for src, dst in [(edge.src.pod, edge.dst.pod)]
        if src.namespace in chosen or dst.namespace in chosen
        for protocol, port in edge.ports
        if protocol == "TCP"
    }
    return sorted(found, key=lambda n: (n[0].split("/")[0] == n[1].split("/")[0], n))


def _tidy(obj: Manifest) -> dict[str, Any]:
    """Without what kubectl notes of it, and with what it is at the top."""
    notes = {k: v for k, v in (obj["metadata"].get("annotations") or {}).items() if k != LAST_APPLIED}
    metadata = {k: v for k, v in obj["metadata"].items() if k != "annotations"}
    head = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    return {**head, **obj, "metadata": {**metadata, **({"annotations": notes} if notes else {})}}
