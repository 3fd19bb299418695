"""Which pods the ends of a probe are: the workload to imitate, and an address to connect to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.adapters.kube.workloads import ENDED
from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.objects.owners import CANARY_LABEL, TEMPLATE_HASH, alike, owner_of
from orchestrator.ports import Cluster, Kind, Manifest, Probe
from orchestrator.rollout.resources.objects import PROBE_LABEL

POD = Kind("v1", "Pod")
LISTENER_LABEL = "netpol-canary.dev/listener"
MOST_PER_JOB = 150  # so that the work stays below 64 KiB with the longest host names
# Labels that say which pod it is, or whose, not what it does. A Job refuses foreign values of its own.
OWN_LABELS = (
    TEMPLATE_HASH,
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "job-name",
    "controller-uid",
)
OWN_PREFIX = "batch.kubernetes.io/"
# The alphabet that Kubernetes takes for the hash at the end of a ReplicaSet's name.
_REPLICA_SET = re.compile(r"(.+)-[bcdfghjklmnpqrstvwxz2456789]{5,10}")


@dataclass(frozen=True)
class Batch:
    """What one Job tries: probes from one workload, each with its place in the list that was asked for.

    `targets` are what the agent is told, one a probe, in the same order.
    """

    namespace: str
    workload: str
    part: int
    labels: Mapping[str, str]
    probes: tuple[tuple[int, Probe], ...]
    targets: tuple[Mapping[str, Any], ...]


class Workloads:
    """The live pods behind `namespace/workload`; each namespace is listed once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._spaces: dict[str, list[Manifest]] = {}

    def pods(self, name: str) -> list[Manifest]:
        """The pods that run or may run, Ready ones first.

        By the name of their Deployment, StatefulSet or other owner, by a ReplicaSet's name, or by their own; those that come
        before the others of their workload by their own alone. A ReplicaSet that is gone stands for its Deployment.
        """
        space, _, short = name.partition("/")
        found = [p for p in self._within(space) if short in _names(p)]
        found = found or [p for p in self._within(space) if p["metadata"]["name"] == short]
        gone = _REPLICA_SET.fullmatch(short)
        if not found and gone:
            found = [p for p in self._within(space) if owner_of(p) == ("Deployment", gone.group(1))]
        return sorted(found, key=lambda p: (not ready(p), not _running(p), p["metadata"]["name"]))

    def _within(self, space: str) -> list[Manifest]:
        if space not in self._spaces:
            try:
                found = self._cluster.list(POD, space)
            except (Forbidden, NotFound):
                found = []
            self._spaces[space] = [p for p in found if _counts(p)]
        return self._spaces[space]


def _counts(pod: Mapping[str, Any]) -> bool:
    meta, phase = pod["metadata"], (pod.get("status") or {}).get("phase")
    imitation = PROBE_LABEL in (meta.get("labels") or {})
    return phase not in ENDED and "deletionTimestamp" not in meta and not imitation


def _names(pod: Mapping[str, Any]) -> set[str]:
    if CANARY_LABEL in (pod["metadata"].get("labels") or {}):
        return {alike(pod)[1]}
    owners = pod["metadata"].get("ownerReferences") or []
    return {owner_of(pod)[1], *(str(o["name"]) for o in owners if o.get("controller"))}


def _running(pod: Mapping[str, Any]) -> bool:
    return (pod.get("status") or {}).get("phase") == "Running"


def ready(pod: Mapping[str, Any]) -> bool:
    """Whether its condition Ready is True."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def imitated(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a workload's pod that another pod can carry, so that policies select it alike."""
    return {k: v for k, v in labels.items() if k not in OWN_LABELS and not k.startswith(OWN_PREFIX)}


def batches(workloads: Workloads, probes: Sequence[Probe]) -> tuple[list[Batch], dict[int, str]]:
    """The Jobs that are needed, in the order of their first probe, and why the others cannot be tried."""
    grouped: dict[str, list[tuple[int, Probe, Mapping[str, Any]]]] = {}
    labels: dict[str, dict[str, str]] = {}
    failed: dict[int, str] = {}
    for number, probe in enumerate(probes):
        source, why = _source(workloads, probe.source)
        target, missing = _target(workloads, probe)
        if source is None or target is None:
            failed[number] = why or missing
            continue
        labels[probe.source] = imitated(source["metadata"].get("labels") or {})
        grouped.setdefault(probe.source, []).append((number, probe, target))
    found = []
    for name, rows in grouped.items():
        space, _, short = name.partition("/")
        for part in range(0, len(rows), MOST_PER_JOB):
            some = rows[part : part + MOST_PER_JOB]
            mine = tuple((number, probe) for number, probe, _ in some)
            targets = tuple(target for _, _, target in some)
            found.append(Batch(space, short, part // MOST_PER_JOB, labels[name], mine, targets))
    return found, failed


def _source(workloads: Workloads, name: str) -> tuple[Manifest | None, str]:
    if "/" not in name:
        return None, f"a probe starts at namespace/workload, not at {name}"
    pods = workloads.pods(name)
    if not pods:
        return None, f"no pod of {name} is seen"
    if pods[0]["spec"].get("hostNetwork"):
        return None, f"{name} runs in its node's network, which a probe pod cannot imitate"
    return pods[0], ""


def _target(workloads: Workloads, probe: Probe) -> tuple[Mapping[str, Any] | None, str]:
    host, nonce = probe.destination, False
    if "/" in probe.destination:
        placed = [p for p in workloads.pods(probe.destination) if (p.get("status") or {}).get("podIP")]
        if not placed:
            return None, f"no pod of {probe.destination} runs"
        host = placed[0]["status"]["podIP"]
        nonce = (placed[0]["metadata"].get("labels") or {}).get(LISTENER_LABEL) == "true"
    told: dict[str, Any] = {"host": host, "port": probe.port, "reach": probe.reachable}
    told.update({"protocol": probe.protocol} if probe.protocol != "TCP" else {})
    told.update({"check": probe.check} if probe.check != "connect" else {})
    told.update({"nonce": True} if nonce else {})
    return told, ""
