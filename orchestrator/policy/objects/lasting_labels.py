"""Which labels of a pod last: those that stay with the next run, replica, zone or release of its workload.

Controllers, the scheduler and the API server put labels on single pods. A selector that holds one of them stops matching
when the pod is replaced. Sources: the well-known labels of Kubernetes, and what each controller documents.
"""

import re
from collections.abc import Iterable, Mapping

PASSING = frozenset(
    {
        "app.kubernetes.io/version",
        "helm.sh/chart",
        "chart",
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "kubernetes.io/hostname",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "istio.io/rev",
        "service.istio.io/canonical-revision",
        "serving.knative.dev/revision",
        "serving.knative.dev/configurationGeneration",
        "tekton.dev/pipelineRun",
        "tekton.dev/taskRun",
        "tekton.dev/run",
        "training.kubeflow.org/job-name",
        "training.kubeflow.org/job-role",
        "training.kubeflow.org/replica-index",
        "spark-app-selector",
        "spark-exec-id",
        "spark-exec-resourceprofile-id",
        "cnpg.io/instanceName",
        "cnpg.io/instanceRole",
        "cnpg.io/podRole",
        "spilo-role",
        "strimzi.io/pod-name",
        "strimzi.io/controller-name",
        "kubevirt.io/nodeName",
        "kubevirt.io/created-by",
        "ray.io/identifier",
        "elasticsearch.k8s.elastic.co/version",
        "openshift.io/build.name",
        "openshift.io/deployer-pod-for.name",
    }
)
# Everything below these belongs to one pod, one run or one place.
PREFIXES = (
    "batch.kubernetes.io/",
    "statefulset.kubernetes.io/",
    "apps.kubernetes.io/",
    "topology.kubernetes.io/",
    "failure-domain.beta.kubernetes.io/",
    "node.kubernetes.io/",
    "node-role.kubernetes.io/",
    "scheduling.k8s.io/",
    "kueue.x-k8s.io/",
    "jobset.sigs.k8s.io/job-",
    "jobset.sigs.k8s.io/restart-",
    "jobset.sigs.k8s.io/coordinator",
    "leaderworkerset.sigs.k8s.io/group-",
    "leaderworkerset.sigs.k8s.io/worker-index",
    "leaderworkerset.sigs.k8s.io/template-revision-hash",
    "apps.kruise.io/",
    "lifecycle.apps.kruise.io/",
    "workflows.argoproj.io/",
    "events.argoproj.io/",
    "kubevirt.io/migration",
)
# What other controllers call such labels: `example.com/replica-index`, `pod-name`, `config-hash`, `revisionUID`.
_ENDING = re.compile(
    r"(^|[-_./])(uid|uuid|hash|ordinal|checksum|hostname|(pod|replica|node)[-_.]?name"
    r"|(pod|replica|worker|shard|completion|instance|task|job)[-_.]?(index|id|number)"
    r"|template[-_.]generation|restart[-_.]?(count|attempt))$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBERED = re.compile(r".+-\d+")


def lasting(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that the next pod of the same workload has, too."""
    return {k: v for k, v in labels.items() if not passing(k, v, labels)}


def passing(key: str, value: str, others: Mapping[str, str] | None = None) -> bool:
    """Whether a label belongs to a single pod, run, place or release; `others` are the pod's labels where they are known."""
    if (
        key in PASSING
        or key.startswith(PREFIXES)
        or _ENDING.search(_HUMP.sub("-", key).lower())
        or _UUID.fullmatch(value)
    ):
        return True
    # OpenShift: `deployment: web-3` counts the releases of `deploymentconfig: web`.
    config = (others or {}).get("deploymentconfig")
    return key == "deployment" and bool(config) and bool(_NUMBERED.fullmatch(value))


def shared(several: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The lasting labels that all pods of one workload have with the same value."""
    found: dict[str, str] | None = None
    for labels in several:
        kept = lasting(labels)
        found = kept if found is None else {k: v for k, v in found.items() if kept.get(k) == v}
    return found or {}
