"""What tests of rollouts leave on a real API server is taken away, whatever holds it.

Asked in this process: after each of a hundred tests, two dozen kubectls would keep a core busy for seconds.
"""

from contextlib import suppress
from functools import lru_cache

from kubernetes import client, config
from patience import eventually
from reading import NAMESPACE, NAMESPACE_ROLLOUT, ROLLOUT, listed, patient
from stage import OWN

from orchestrator.errors import Conflict, NetpolCanaryError, NotFound
from orchestrator.ports import Kind

# Whose finalizers nobody takes off here.
HELD = (NAMESPACE_ROLLOUT, ROLLOUT, Kind("v1", "PersistentVolumeClaim"))
GRANTED = tuple(Kind("rbac.authorization.k8s.io/v1", kind) for kind in ("ClusterRole", "ClusterRoleBinding"))


def cleared(plane, *spaces):
    """Take away our namespace, these, and what we were granted in the cluster; AssertionError where one stays.

    No kubelet and no controller of ours runs any more: pods go by force, and finalizers are taken off.
    """
    going = (OWN, *spaces)
    for kind in GRANTED:
        for name in (found["metadata"]["name"] for found in listed(plane, kind)):
            if name.startswith(OWN):
                _deleted(plane, kind, name)
    for space in going:  # first: the namespace controller comes back only after seconds to what was held
        _pods(plane.kubeconfig).delete_collection_namespaced_pod(space, grace_period_seconds=0)
    freed(plane)
    for space in going:
        _deleted(plane, NAMESPACE, space)

    def gone():
        if left := standing(plane, going):
            freed(plane)
        return not left

    try:
        eventually(gone)
    except AssertionError:
        raise AssertionError(f"these namespaces do not go: {standing(plane, going)}") from None


def standing(plane, names):
    """Which of these namespaces are there still, each with what the namespace controller says is left in it."""
    found = listed(plane, NAMESPACE)
    conditions = {i["metadata"]["name"]: i["status"].get("conditions", []) for i in found}
    return {
        n: [c["message"] for c in told if c["status"] == "True"]
        for n, told in conditions.items()
        if n in names
    }


def freed(plane):
    """Take the finalizers off rollouts and what else has one, so that they can be deleted."""
    for kind in HELD:
        with suppress(NetpolCanaryError):  # nobody may have installed the kind
            for found in listed(plane, kind, OWN):
                if found["metadata"].get("finalizers"):
                    _let_go(plane, kind, found["metadata"]["name"])


def _let_go(plane, kind, name):
    """Without its finalizers, whoever writes it meanwhile."""
    api = patient(plane.kubeconfig)

    def written():
        with suppress(Conflict):
            found = api.get(kind, name, OWN)
            api.replace({**found, "metadata": {**found["metadata"], "finalizers": None}})
            return True
        return False

    with suppress(NotFound):
        eventually(written)


def _deleted(plane, kind, name):
    """Gone or going."""
    with suppress(NotFound, Conflict):
        patient(plane.kubeconfig).delete(kind, name, None, uid="", resource_version="")


@lru_cache(8)
def _pods(kubeconfig):
    """The API for pods, which alone go by force."""
    return client.CoreV1Api(config.new_client_from_config(kubeconfig))
