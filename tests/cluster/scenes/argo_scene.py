"""What rollouts by a real Argo controller play in: namespaces, a repository, Workflows, and evidence without traffic.

Nothing of this needs packets or Prometheus: each server namespace has an EndpointSlice of its own, and the provider
`kubernetes` counts the endpoints in it that are ready. A test says by it that a change went wrong.
"""

import contextlib
import json
import signal
import subprocess
from pathlib import Path

import yaml
from clearing import freed
from patience import ENOUGH, KUBECTL, eventually
from people import service_account
from scene import OWN, PROGRAM, Scene, policy, process

CONFIG = Path(__file__).parents[3] / "config"
SERVERS = ("alpha", "beta", "gamma")
SECONDS = 600.0  # Argo looks at a workflow every ten seconds, and a wave has four rows of pods
METRIC = {"name": "endpoints", "provider": "kubernetes", "query": 'endpoints{namespace=~"$namespaces"}'}
KINDS = ("policysources", "policyrollouts", "namespacerollouts", "waveanalyses", "rolloutapprovals")
DEPLOYMENT = "jsonpath={range .items[*]}{.metadata.namespace} {.spec.replicas}{end}"


def installed(plane, image):
    """Put config/rbac and config/argo into the cluster, for pods of this image, in a namespace that is strict with pods."""
    for base in ("rbac", "argo"):
        plane.run("apply", "-k", str(CONFIG / base))
    templates = subprocess.run(
        [PROGRAM, "workflows", "render", "--image", image], capture_output=True, text=True, check=True
    )
    plane.run("apply", "-f", "-", stdin=templates.stdout)


def answers(plane, seconds=60.0):
    """Whether an Argo controller runs: a workflow that only waits gets a phase from nobody else."""
    waiting = {"entrypoint": "wait", "templates": [{"name": "wait", "suspend": {"duration": "1m"}}]}
    trial = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": waiting}
    body = json.dumps({**trial, "metadata": {"generateName": "trial-", "namespace": OWN}})
    name = plane.run("create", "-f", "-", "-o", "name", stdin=body).strip()
    phase = lambda: plane.run("get", "-n", OWN, name, "-o=jsonpath={.status.phase}")  # noqa: E731
    try:
        return bool(eventually(phase, seconds))
    except AssertionError:
        return False
    finally:
        plane.run("delete", "-n", OWN, name, "--wait=false")


class ArgoScene(Scene):
    """A Scene whose source says `engine: argo`, with a canary wave and a second one of two shards."""

    servers = SERVERS

    def __init__(self, plane, folder):
        super().__init__(plane, folder, metrics="")

    def furnish(self):
        """The namespaces, an endpoint in each, and the first policies in force."""
        labels = {"netpol-canary.dev/test": "true"}
        spaces = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": {**labels, "app": n}}}
            for n in ("front", *self.servers)
        ]
        self.apply(*spaces)
        for name in self.servers:
            self.endpoint(name, ready=True)
        self.repository()
        self.commit(**self.first())
        self.source(
            engine="embedded",
            settleSeconds=0,
            analysis={"count": 1, "intervalSeconds": 1, "probing": {"edges": False}},
        )
        done = self.cli("run", "--source", str(self.file))
        assert done.returncode == 0, done.stdout + done.stderr

    def apply(self, *manifests):
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.plane.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=body)

    def endpoint(self, namespace, ready):
        """One endpoint of a server, which no controller looks after."""
        meta = {"name": "app", "namespace": namespace, "labels": {"kubernetes.io/service-name": "app"}}
        found = {"addresses": ["192.0.2.1"], "conditions": {"ready": ready}}
        kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
        self.apply({**kind, "metadata": meta, "endpoints": [found]})

    def source(self, looks=2, **strategy):
        """Write the source's file; with `looks` at each wave, two seconds apart."""
        metrics = [{**METRIC, "minimum": 1}]
        analysis = {"count": looks, "intervalSeconds": 2, "metrics": metrics, "probing": {"edges": False}}
        plan = {"canary": ["beta"], "steps": [], "settleSeconds": 1, "engine": "argo", "shardSize": 1}
        spec = {
            "git": {"url": str(self.git)},
            "namespaces": {"names": list(self.servers)},
            "identities": [{"email": "ann@example.com", "user": "ann"}],
            "strategy": {**plan, "analysis": analysis, **strategy},
        }
        kind = {"apiVersion": "netpol-canary.dev/v1alpha1", "kind": "PolicySource"}
        body = {**kind, "metadata": {"name": "shop", "namespace": OWN}, "spec": spec}
        self.file.write_text(yaml.safe_dump(body))

    @contextlib.contextmanager
    def rolling(self, looks=2, **strategy):
        """A change that asks for a port is committed, and our controller works on it, by its account's rights alone."""
        self.source(looks, **strategy)
        self.plane.run("apply", "--server-side", "--force-conflicts", "-f", str(self.file))
        revision = self.commit(**{n: policy("callers", port=8080) for n in self.servers})
        command = [PROGRAM, "controller", "--poll", "1", "--listen", "127.0.0.1:0", "--log", "json"]
        log = self.folder / "controller.log"
        account = service_account(self.plane, self.folder, OWN, "netpol-canary").kubeconfig
        with process([*command, "--kubeconfig", account], log) as child:
            self.wait(lambda: self.rollout()["spec"]["revision"] == revision)
            yield revision
            child.send_signal(signal.SIGTERM)
            assert child.wait(ENOUGH) == 0, log.read_text()[-3000:]

    def wait(self, condition):
        return eventually(condition, SECONDS, every=0.5)

    def ended(self, phase):
        """Wait until the rollout is over, as it should be; its status."""
        over = lambda: self.status().get("phase") in ("Succeeded", "RolledBack", "Failed")  # noqa: E731
        self.wait(over)
        status = self.status()
        assert status["phase"] == phase, status
        return status

    def status(self):
        return self.rollout().get("status", {})

    def reasons(self):
        return [t["reason"] for t in self.status().get("transitions", [])]

    def looked(self):
        """Whether the wave that is open was looked at already: its policies stand, and its readers run."""
        found = json.loads(self.plane.run("get", "wan", "-n", OWN, "-o", "json"))["items"]
        mine = [a for a in found if a["spec"]["rollout"] == self.rollout()["metadata"]["name"]]
        return any(a.get("status", {}).get("checks") for a in mine)

    def workflow(self, wave=0, attempt=0):
        """A wave's Workflow as it stands, or None."""
        name = f"{self.rollout()['metadata']['name']}-w{wave}-{attempt}"
        found = self.plane.run("get", "workflow", "-n", OWN, name, "-o", "json", "--ignore-not-found")
        return json.loads(found) if found else None

    def finished(self, wave=0, attempt=0):
        """Wait for the end of a wave's Workflow; its phase."""
        self.wait(lambda: (self.workflow(wave, attempt)["status"]).get("finishedAt"))
        return self.workflow(wave, attempt)["status"]["phase"]

    def by_argo(self, verb):
        """What people do with Argo's own program to the first wave's Workflow."""
        name = self.workflow()["metadata"]["name"]
        command = ["argo", verb, name, "-n", OWN, "--kubeconfig", self.plane.kubeconfig, "-o", "name"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH, check=False)
        assert done.returncode == 0, done.stderr

    def ends(self, step, code):
        """When pods of a step of the first wave ended with this exit code, as RFC 3339 has it."""
        nodes = [n for n in self.workflow()["status"]["nodes"].values() if n["type"] == "Pod"]
        mine = [n for n in nodes if n["displayName"].partition("(")[0] == step and n.get("finishedAt")]
        return [n["finishedAt"] for n in mine if n.get("outputs", {}).get("exitCode") == code]

    def workflows(self):
        """The names of all Workflows, and in which phases they are."""
        found = json.loads(self.plane.run("get", "workflows", "-n", OWN, "-o", "json"))["items"]
        return {w["metadata"]["name"]: w.get("status", {}).get("phase") for w in found}

    def told(self, shutdown):
        """What `argo stop` and `argo terminate` do: a word in the Workflow's spec."""
        name, patch = self.workflow()["metadata"]["name"], json.dumps({"spec": {"shutdown": shutdown}})
        self.plane.run("patch", "workflow", "-n", OWN, name, "--type=merge", "-p", patch)

    def pods(self):
        """The names of the steps' pods that have not ended."""
        chosen = "-l=app.kubernetes.io/name=netpol-canary-step"
        found = json.loads(self.plane.run("get", "pods", "-n", OWN, chosen, "-o", "json"))["items"]
        return [p["metadata"]["name"] for p in found if p["status"]["phase"] in ("Pending", "Running")]

    def argo(self):
        """The namespace and the replicas of the Deployment workflow-controller, or None."""
        chosen = "--field-selector=metadata.name=workflow-controller"
        found = self.plane.run("get", "deployments", "-A", chosen, f"-o={DEPLOYMENT}").split()
        return (found[0], int(found[1])) if len(found) == 2 else None

    @contextlib.contextmanager
    def argo_down(self):
        """Without an Argo controller."""
        space, replicas = self.argo()
        scale = ("scale", "deployment", "workflow-controller", "-n", space)
        self.plane.run(*scale, "--replicas=0")
        try:
            chosen = ("-n", space, "-l", "app=workflow-controller")
            self.wait(lambda: not self.plane.run("get", "pods", *chosen, "-o", "name"))
            yield
        finally:
            self.plane.run(*scale, f"--replicas={replicas}")

    def clear(self):
        """Take away what a test made, but for the namespaces."""
        everything = ",".join((*KINDS, "workflows"))
        freed(self.plane)
        self.plane.run("delete", everything, "-n", OWN, "--all", KUBECTL)
        self.plane.run("delete", "leases", "-n", OWN, "--all")
        for name in self.servers:
            self.plane.run("delete", "netpol", "-n", name, "--all")
