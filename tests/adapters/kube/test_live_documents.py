"""What of a live cluster is evaluated."""

from written import plain

from orchestrator.adapters.kube.workloads import documents
from orchestrator.ports import Kind
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster


def pod(name, **metadata):
    spec = {"containers": [{"name": "c"}]}
    return plain("Pod", f"shop/{name}", spec, about=metadata, status={"phase": "Running"})


def test_pods_that_are_being_deleted_take_no_part():
    cluster = MemoryCluster(SimulatedClock())
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.create(pod("stays"))
    cluster.create(pod("goes", finalizers=["example.com/slow"]))
    cluster.delete(Kind("v1", "Pod"), "goes", "shop", uid="", resource_version="")
    names = [d.obj["metadata"]["name"] for d in documents(cluster) if d.obj["kind"] == "Pod"]
    assert names == ["stays"]
