"""What in a cluster would take probe pods for a workload's own, for the plan."""

from collections.abc import Sequence

from orchestrator.adapters.kube.workloads import within
from orchestrator.adapters.probes.probe_ends import Workloads, imitated
from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.author.bystanders import Imitation, bystanders
from orchestrator.policy.workloads.fleet import owner_of
from orchestrator.ports import Cluster, Kind, Manifest, Probe
from orchestrator.wording import first

KINDS = (
    Kind("autoscaling/v2", "HorizontalPodAutoscaler"),
    Kind("policy/v1", "PodDisruptionBudget"),
    Kind("v1", "Service"),
)
MOST_TOLD = 20


def concerns(cluster: Cluster, probes: Sequence[Probe]) -> list[str]:
    """Short texts; a kind that the cluster lacks, or that may not be listed, is named as not looked at."""
    workloads = Workloads(cluster)
    found: list[Imitation] = []
    for source in dict.fromkeys(p.source for p in probes if "/" in p.source):
        pods = workloads.pods(source)
        if pods:
            labels = imitated(pods[0]["metadata"].get("labels") or {})
            found.append(Imitation(pods[0]["metadata"]["namespace"], owner_of(pods[0])[1], labels))
    spaces = sorted({i.namespace for i in found})
    objects: list[Manifest] = []
    skipped: list[str] = []
    for kind in KINDS if found else ():
        try:
            objects += list(within(cluster, kind, spaces))
        except (Forbidden, NotFound) as error:
            skipped.append(f"whether a {kind.kind} selects probe pods was not checked: {error}")
    told = bystanders(objects, found)
    return [*first(told, MOST_TOLD), *skipped]
