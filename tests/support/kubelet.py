"""The Job controller and the kubelets of a cluster in memory, as far as probe Jobs see them."""

import json

from orchestrator.adapters.probes.job_pod import JOB
from orchestrator.adapters.probes.probe_ends import POD
from orchestrator.errors import Forbidden
from orchestrator.probe import agent
from orchestrator.sandbox.cluster import MemoryCluster

TICK = 0.25


class QuotaCluster(MemoryCluster):
    """Takes Jobs everywhere, and no pod in the namespaces of `full`; `refused` are kinds that may not be listed."""

    full = ()
    jobless = ()

    def create(self, obj, *, dry_run=False, caller=None):
        space = obj["metadata"].get("namespace")
        if obj["kind"] == "Pod" and space in self.full and caller is None:
            raise Forbidden("exceeded quota: small, used: pods=5, limited: pods=5", reason="Forbidden")
        if obj["kind"] == "Job" and space in self.jobless:
            raise Forbidden("admission webhook denied the request", reason="Forbidden")
        return super().create(obj, dry_run=dry_run, caller=caller)


class Kubelet:
    """Subscribes to a simulated clock; `answer(pod, target)` says what a probe pod finds.

    A pod starts `start` seconds after its Job, and ends as long afterwards. `waiting` is the reason that containers
    wait for instead, `unschedulable` the scheduler's message, `crash` a terminated state, `fits` whether messages do.
    """

    def __init__(self, cluster, clock, answer=lambda pod, target: "connected"):
        self.cluster, self.clock, self.answer = cluster, clock, answer
        self.start, self.waiting, self.unschedulable, self.crash, self.fits = 0.5, "", "", None, True
        self.settled, self.most, self.pods, self.quiet = 1, 0, [], 0.3
        clock.subscribe(self.tick, TICK)

    def tick(self, now):
        jobs = self.cluster.list(JOB)
        self.most = max(self.most, len(jobs))
        for job in jobs:
            meta = job["metadata"]
            try:
                pod = self.cluster.get(POD, f"{meta['name']}-x", meta["namespace"])
            except Exception:
                self._create(job, now)
            else:
                self._go_on(pod, now)

    def _create(self, job, now):
        meta, template = job["metadata"], job["spec"]["template"]
        owner = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
        }
        mine = {"name": f"{meta['name']}-x", "namespace": meta["namespace"], "ownerReferences": [owner]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], **mine}}
        try:
            made = self.cluster.create({**pod, "spec": template["spec"], "status": {"phase": "Pending"}})
        except Forbidden:
            return
        self.pods.append(made)
        self._since = {**getattr(self, "_since", {}), made["metadata"]["uid"]: now}

    def _go_on(self, pod, now):
        age = (now - self._since[pod["metadata"]["uid"]]).total_seconds()
        if self.unschedulable:
            status = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
            return self._status(pod, "Pending", None, [{**status, "message": self.unschedulable}])
        if self.waiting:
            return self._status(
                pod, "Pending", {"waiting": {"reason": self.waiting, "message": "no such image"}}
            )
        if age < self.start:
            return None
        if self.crash:
            return self._status(pod, "Failed", {"terminated": self.crash})
        work = agent.read(pod["spec"]["containers"][0]["env"][0]["value"])
        if work["mode"] == "hold":
            return self._hold(pod, work)
        if age < 2 * self.start:
            return self._status(pod, "Running", {"running": {}})
        answers = [self.answer(pod, t) for t in work["probes"]]
        rows = [[a, 0.004, 2, 2 * (a == "connected"), self.settled] for a in answers]
        done = agent.summary("test", "expected", 0.0, rows)
        self._log(pod, json.dumps(done))
        text = agent.fitting(done) if self.fits else ""
        return self._status(pod, "Succeeded", {"terminated": {"exitCode": 0, "message": text}})

    def _hold(self, pod, work):
        """`answer` gives the state and the answer that a held connection has now."""
        rows = [[*self.answer(pod, t), 30.0, 0.0, self.quiet] for t in work["probes"]]
        self._log(pod, json.dumps(agent.summary("hold", "running", 0.0, rows)))
        return self._status(pod, "Running", {"running": {}})

    def _log(self, pod, line):
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        self.cluster.logs[key] = self.cluster.logs.get(key, "") + line + "\n"

    def _status(self, pod, phase, state, conditions=()):
        containers = [{"name": "probe", "ready": False, "state": state}] if state else []
        status = {"phase": phase, "containerStatuses": containers, "conditions": list(conditions)}
        self.cluster.replace({**pod, "status": status})
