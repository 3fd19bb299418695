"""By which labels a policy selects the pods of a workload, so that it still does after the next run or release."""

from collections.abc import Mapping

from orchestrator.policy.objects.lasting_labels import lasting, shared
from orchestrator.policy.workloads.fleet import Fleet, Workload


class Subjects:
    """The labels of every workload of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._alike: dict[str, list[Workload]] = {}
        for workload in fleet.workloads:
            self._alike.setdefault(workload.name, []).append(workload)
        self._found: dict[str, dict[str, str]] = {}

    def labels(self, workload: Workload) -> dict[str, str]:
        """Its own selector where that means no other workload's pods, else the lasting labels that all its pods have."""
        if workload.name not in self._found:
            self._found[workload.name] = self._work_out(workload)
        return self._found[workload.name]

    def twins(self, workload: Workload) -> set[str]:
        """The names of the workloads of its namespace whose pods its labels select, its own included."""
        labels = self.labels(workload)
        return {p.name for p in self._fleet.within(workload.pod.namespace) if _within(labels, p.labels)}

    def _work_out(self, workload: Workload) -> dict[str, str]:
        alike = self._alike.get(workload.name, [workload])
        kept = shared(w.pod.labels for w in alike)
        own = next((found for w in alike if (found := lasting(w.selector))), {})
        if not own or not _within(own, kept):
            return kept
        pods = self._fleet.within(workload.pod.namespace)
        wider = {p.name for p in pods if _within(own, p.labels) and not _within(kept, p.labels)}
        return kept if wider else own


def _within(labels: Mapping[str, str], others: Mapping[str, str]) -> bool:
    return all(others.get(k) == v for k, v in labels.items())
