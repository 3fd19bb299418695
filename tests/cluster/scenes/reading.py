"""What stands in an API server, asked in this process: a loop around kubectl would keep a core busy by itself."""

import functools

from patience import ENOUGH

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import NotFound
from orchestrator.ports import Kind
from orchestrator.rollout.resources.model import API_VERSION

SOURCE, ROLLOUT, NAMESPACE_ROLLOUT, ANALYSIS, APPROVAL = (
    Kind(API_VERSION, kind)
    for kind in ("PolicySource", "PolicyRollout", "NamespaceRollout", "WaveAnalysis", "RolloutApproval")
)
POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")
NAMESPACE, POD, LEASE = Kind("v1", "Namespace"), Kind("v1", "Pod"), Kind("coordination.k8s.io/v1", "Lease")
JOB, SLICE = Kind("batch/v1", "Job"), Kind("discovery.k8s.io/v1", "EndpointSlice")


@functools.lru_cache(8)
def patient(kubeconfig):
    """The API server that a kubeconfig names; a call may take as long as a busy machine takes."""
    return connect(kubeconfig, timeout=ENOUGH)


def found(plane, kind, name, namespace=None):
    """One object; an empty dict where there is none."""
    try:
        return patient(plane.kubeconfig).get(kind, name, namespace)
    except NotFound:
        return {}


def listed(plane, kind, namespace=None, labels=""):
    """All objects of a kind, or those with these labels."""
    return patient(plane.kubeconfig).list(kind, namespace, labels)


def phases(plane, rollout, namespace):
    """The phases of a rollout's NamespaceRollouts, by the namespace that they stand for."""
    mine = [o for o in listed(plane, NAMESPACE_ROLLOUT, namespace) if o["spec"]["rollout"] == rollout]
    return {o["spec"]["namespace"]: (o.get("status") or {}).get("phase", "Pending") for o in mine}


def holder(plane, lease, namespace):
    """Who holds a Lease; empty where nobody does."""
    return (found(plane, LEASE, lease, namespace).get("spec") or {}).get("holderIdentity", "")
