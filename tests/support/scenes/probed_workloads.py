"""Workloads of a cluster in memory that are probed from their own places by Jobs."""

from faulty_port import FaultyPort
from kubelet import Kubelet, QuotaCluster

from orchestrator.adapters.probes.job_pod import JOB
from orchestrator.adapters.probes.probe_ends import POD
from orchestrator.adapters.probes.prober import JobProber
from orchestrator.ports import Probe
from orchestrator.rollout.resources.model import Probing
from orchestrator.rollout.resources.objects import PROBE_LABEL
from orchestrator.sandbox.clock import SimulatedClock

HASH = "5d8f7c9b6"


def pod(space, name, labels, owner=None, ip="10.0.0.9", ready=True, spec=None, phase="Running"):
    meta = {"name": name, "namespace": space, "labels": labels}
    if owner:
        kind, owner_name = owner
        meta["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": kind, "name": owner_name, "uid": "u", "controller": True}
        ]
    status = {"phase": phase, "podIP": ip, "conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec or {}, "status": status}


def web(name=f"web-{HASH}-aaaaa", **more):
    labels = {"app": "web", "pod-template-hash": HASH}
    return pod("shop", name, labels, ("ReplicaSet", f"web-{HASH}"), **more)


class Probed:
    """Two namespaces with a Deployment and a StatefulSet, their kubelet, and a prober that meets these faults."""

    def __init__(self, *faults, **probing):
        self.clock = SimulatedClock()
        self.api = QuotaCluster(self.clock)
        self.kubelet = Kubelet(self.api, self.clock)
        for name in ("shop", "pay"):
            self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.add(web())
        labels = {"app": "db", "statefulset.kubernetes.io/pod-name": "db-0", "controller-revision-hash": "x"}
        self.add(pod("pay", "db-0", labels, ("StatefulSet", "db"), ip="10.0.1.5"))
        self.prober = JobProber(
            FaultyPort(self.api, *faults), self.clock, Probing(**probing), "img", "rollout-1"
        )

    def add(self, obj):
        self.api.create(obj)

    def ask(self, **changed):
        given = {
            "source": "shop/web",
            "destination": "pay/db",
            "port": 5432,
            "protocol": "TCP",
            "reachable": True,
        }
        (found,) = self.prober.run([Probe("p", **{**given, **changed})])
        return found

    def left(self):
        probes = [o for o in self.api.list(POD) if PROBE_LABEL in o["metadata"].get("labels", {})]
        return [o["metadata"]["name"] for o in (*self.api.list(JOB), *probes)]
