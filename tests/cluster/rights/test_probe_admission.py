"""On the real API server: who answers in a probe's place is refused, whatever rights to the namespace they have."""

import json
import uuid

import pytest

from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.probes.job_pod import PROBES, job
from orchestrator.adapters.probes.probe_ends import Batch
from orchestrator.ports import Kind, Probe
from orchestrator.rollout.resources.objects import PROBE_LABEL

pytestmark = pytest.mark.cluster
CONTROLLER = ("--as=system:serviceaccount:kube-system:job-controller", "--as-group=system:masters")
MANAGER = ("--as=system:kube-controller-manager", "--as-group=system:masters")
MALLORY = ("--as=mallory", "--as-group=edits-here")
POD, JOB = Kind("v1", "Pod"), Kind("batch/v1", "Job")


@pytest.fixture
def scene(plane):
    return Scene(plane)


class Scene:
    """A namespace whose editor is mallory, and a probe Job with its pod in it."""

    def __init__(self, plane):
        self.plane, self.api, self.space = plane, connect(plane.kubeconfig), f"t-{uuid.uuid4().hex[:8]}"
        self.tried(("create", "namespace", self.space))
        plane.run("label", "namespace", self.space, "netpol-canary.dev/test=true")
        here = ("-n", self.space)
        every = ("pods,pods/exec,pods/attach,pods/ephemeralcontainers,jobs.batch", "--verb=*")
        plane.run("create", "role", "edits", f"--resource={every[0]}", every[1], *here)
        plane.run("create", "rolebinding", "edits", "--role=edits", "--user=mallory", *here)
        self.job = self.api.create(self.made())

    def made(self, owner="rollout-1", name="in"):
        probe = Probe(name, f"{self.space}/web", "pay/db", 5432, "TCP", True)
        target = {"host": "10.0.0.1", "port": 5432}
        batch = Batch(self.space, name, 0, {"app": "web"}, ((0, probe),), (target,))
        return job(batch, "hold", "registry.example/x:1", owner, "wave-0", 60, {"seconds": 28})

    def pod(self, name, marked=True, owned=True):
        template, meta = self.job["spec"]["template"], self.job["metadata"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
        labels = template["metadata"]["labels"] if marked else {"app": "web"}
        found = {"name": name, "namespace": self.space, "labels": labels}
        found |= {"ownerReferences": [owner]} if owned else {}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": found, "spec": template["spec"]}

    def tried(self, command, obj=None):
        """Why kubectl could not, empty where it could."""
        try:
            self.plane.run(*command, stdin=json.dumps(obj) if obj else "")
        except Exception as error:
            return str(error)
        return ""

    def creates(self, who, obj, *more):
        return self.tried(("create", *who, *more, "-f", "-"), obj)


DRY = "--dry-run=server"
ALONE = "made by the Job controller alone"


def test_pods_of_our_jobs_come_from_the_job_controller_alone(scene):
    for who in (MALLORY, ("--as=root", "--as-group=system:masters")):
        assert ALONE in scene.creates(who, scene.pod("forged"), DRY)
        assert ALONE in scene.creates(who, scene.pod("marked", owned=False), DRY)
        assert ALONE in scene.creates(who, scene.pod("owned", marked=False), DRY)
        assert scene.creates(who, scene.pod("plain", marked=False, owned=False), DRY) == ""
    for who in (CONTROLLER, MANAGER):
        assert scene.creates(who, scene.pod("real"), DRY) == ""


def test_a_probe_pod_stays_as_it_was_made_and_nobody_gets_into_it(scene):
    name = f"{scene.job['metadata']['name']}-abcde"
    assert scene.creates(MANAGER, scene.pod(name)) == ""
    at = (*MALLORY, "-n", scene.space)
    assert ALONE in scene.tried(("label", *at, "pod", name, "app=other", "--overwrite"))
    assert ALONE in scene.tried(("label", *at, "pod", name, f"{PROBE_LABEL}-"))
    image = ("set", "image", *at, f"pod/{name}", "probe=registry.example/forged:1")
    assert "stay as they are" in scene.tried(image)
    assert scene.tried(("annotate", *at, "pod", name, "seen=yes")) == ""
    assert "nobody gets into" in scene.tried(("exec", *at, name, "--", "true"))
    assert "nobody gets into" in scene.tried(("attach", *at, name))
    debug = ("debug", *at, name, "--image=registry.example/x:1", "--target=probe")
    assert "nobody gets into" in scene.tried(debug)


def test_a_pod_of_somebody_elses_does_not_become_one_of_ours(scene):
    assert scene.creates(MALLORY, scene.pod("plain", marked=False, owned=False)) == ""
    label = ("label", *MALLORY, "-n", scene.space, "pod", "plain", f"{PROBE_LABEL}=test")
    assert ALONE in scene.tried(label)
    adopted = ("exec", *MALLORY, "-n", scene.space, "plain", "--", "true")
    assert "nobody gets into" not in scene.tried(
        adopted
    )  # there is no kubelet, but admission has nothing against it


def test_probe_jobs_are_made_by_those_who_work_on_rollouts(scene):
    refused = "those alone who may create WaveAnalyses"
    assert refused in scene.creates(MALLORY, scene.made(name="other"), DRY)
    assert scene.creates(MALLORY, scene.made("live_host-1", "other"), DRY) == ""
    assert scene.creates((), scene.made(name="other"), DRY) == ""
    name, at = scene.job["metadata"]["name"], (*MALLORY, "-n", scene.space)
    assert refused in scene.tried(("annotate", *at, "job", name, f"{PROBES}=[]", "--overwrite"))
    assert refused in scene.tried(("label", *at, "job", name, "netpol-canary.dev/probe-owner-"))
    assert scene.tried(("annotate", *at, "job", name, "seen=yes")) == ""
