"""The pods that changed policies are about, as they run now."""

from collections.abc import Collection, Iterator, Sequence

from orchestrator.policy.evaluate.cilium.cilium_agent import agent_among
from orchestrator.policy.evaluate.subjects import Subjects
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.owners import owner_of
from orchestrator.policy.workloads.fleet import Workload, fleet
from orchestrator.rollout.resources.model import Label
from orchestrator.rollout.resources.objects import Manifest


class TouchedPods:
    """Over a cluster's namespaces and pods, and what gives them labels; see adapters/kube/workloads.py."""

    def __init__(self, standing: Sequence[Document]) -> None:
        self._pods = [d.obj for d in standing if d.obj["kind"] == "Pod"]
        self._here = fleet(standing, live=True)
        self._subjects = Subjects(self._here.namespaces, [d.obj for d in self._here.beside])
        self.agent = agent_among(d.obj for d in standing)

    def namespaces(self, policies: Sequence[Manifest], labels: Collection[Label] = ()) -> frozenset[str]:
        """Those with pods, of these labels, that some policies are about."""
        found: set[str] = set()
        for workload in self._here.workloads:
            pod = workload.pod
            if pod.namespace in found or any(pod.labels.get(one.key) != one.value for one in labels):
                continue
            if self._subjects.select(policies, pod):
                found.add(pod.namespace)
        return frozenset(found)

    def ready(self, policies: Sequence[Manifest], namespace: str) -> list[list[Manifest]]:
        """The ready pods of each workload there that some policies are about, by their names."""
        about = {_owner(w) for w in self._about(policies, namespace)}
        found: dict[tuple[str, str], list[Manifest]] = {}
        for pod in sorted(self._pods, key=lambda pod: str(pod["metadata"]["name"])):
            if pod["metadata"].get("namespace") == namespace and owner_of(pod) in about and _ready(pod):
                found.setdefault(owner_of(pod), []).append(pod)
        return list(found.values())

    def _about(self, policies: Sequence[Manifest], namespace: str) -> Iterator[Workload]:
        return (
            w
            for w in self._here.workloads
            if w.pod.namespace == namespace and self._subjects.select(policies, w.pod)
        )


def _owner(workload: Workload) -> tuple[str, str]:
    return owner_of(workload.obj) if workload.obj["kind"] == "Pod" else (workload.kind, workload.pod.name)


def _ready(pod: Manifest) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
