"""Rollouts under the accounts' own rights alone: what the audit log says they did is what they were granted, no more."""

import contextlib
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from audit import did, granted
from people import service_account
from scene import eventually
from stage import OWN, Repository, files, policy

from orchestrator.adapters.kubernetes import connect
from orchestrator.adapters.probe_jobs import Jobs
from orchestrator.adapters.probe_pod import job, marks
from orchestrator.adapters.probe_targets import Batch
from orchestrator.cli.guard import alone
from orchestrator.cli.wiring import Target, over
from orchestrator.engine.controller import Controller
from orchestrator.engine.embedded import Embedded
from orchestrator.engine.guard import Guard
from orchestrator.engine.guard_instruments import GuardInstruments
from orchestrator.engine.instruments import Instruments
from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.ports import Kind, Probe
from orchestrator.rollout import model as m
from orchestrator.rollout.next import FORWARD, REQUEST
from orchestrator.rollout.resource import load, new
from orchestrator.server.pages.changes import Changes
from orchestrator.steps import request
from orchestrator.steps.context import APPROVAL, NAMESPACE_ROLLOUT, POLICY, ROLLOUT, read
from orchestrator.steps.drift import drift
from orchestrator.steps.start import find_source, start
from workflows.worker import Worker

pytestmark = pytest.mark.cluster

SPACES = ("moat", "wall")
PROBE = Probe("in", f"{SPACES[0]}/app", f"{SPACES[1]}/app", 8080, "TCP", True)
POD, JOB, CRD = (
    Kind("v1", "Pod"),
    Kind("batch/v1", "Job"),
    Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
)
ACCOUNTS = ("netpol-canary", "netpol-canary-guard", "netpol-canary-step")
# Asked of by config/admission, for finalizers and owners; the API server's log does not show it as a request.
ASKED_BY_ADMISSION = {
    ("update", f"{kind}/finalizers.netpol-canary.dev") for kind in ("policysources", "policyrollouts")
}
METRICS = [
    {
        "name": name,
        "kind": "value",
        "query": name + '{namespace=~"$namespaces"}',
        "provider": "kubernetes",
        "minimum": 0,
        "required": False,
    }
    for name in ("restarts", "endpoints", "warnings")
]
READY = {
    "name": "ready",
    "kind": "value",
    "query": 'ready{namespace=~"$namespaces"}',
    "provider": "kubernetes",
    "minimum": 1,
}
TIERS = {
    "apiVersion": CRD.api_version,
    "kind": CRD.kind,
    "metadata": {
        "name": "clusternetworkpolicies.policy.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
    },
    "spec": {
        "group": "policy.networking.k8s.io",
        "scope": "Cluster",
        "names": {
            "kind": "ClusterNetworkPolicy",
            "plural": "clusternetworkpolicies",
            "listKind": "ClusterNetworkPolicyList",
        },
        "versions": [
            {
                "name": "v1alpha2",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


class Twice:
    """A cluster on which a creation of some kinds was done already, as after a crash just behind it."""

    def __init__(self, cluster, *kinds):
        self._cluster, self._kinds = cluster, kinds

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    def create(self, obj, *, dry_run=False):
        if obj["kind"] in self._kinds and not dry_run:
            self._cluster.create(obj)
        return self._cluster.create(obj, dry_run=dry_run)


class Castle:
    """Two namespaces with pods that are said to run, and a source whose controller has its own account's rights."""

    def __init__(self, plane, harness, folder):
        self.plane, self.admin = plane, connect(plane.kubeconfig)
        self.began = datetime.now(UTC).strftime(
            "%Y-%m-%dT%H:%M:%S"
        )  # what other tests did before does not count
        for base in ("rbac", "guard"):
            plane.run("apply", "-k", str(harness.ROOT / "config" / base))
        plane.run("apply", "-f", str(harness.ROOT / "config" / "argo" / "account.yaml"))
        self.apply(TIERS)
        for name in SPACES:
            self.apply(
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": name, "labels": {"netpol-canary.dev/test": "true"}},
                }
            )
            self.pod("app", name)
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "git", "namespace": OWN}})
        self.clusters = {a: connect(service_account(plane, folder, OWN, a).kubeconfig) for a in ACCOUNTS}
        self.repository, self.revisions = Repository(), 0
        self.real = over(self.clusters["netpol-canary"], Target(OWN, probe_image="registry.example.com/x:1"))
        self.ctx = replace(self.real, repository=lambda source: self.repository)

    def apply(self, *objects):
        self.plane.run("apply", "-f", "-", stdin="\n---\n".join(json.dumps(o) for o in objects))

    def pod(self, name, space, ready=True, phase="Running"):
        container = {"name": "app", "image": "none", "ports": [{"containerPort": 8080}]}
        meta = {"name": name, "namespace": space, "labels": {"app": space}}
        with contextlib.suppress(NetpolCanaryError):
            self.admin.create(
                {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
            )
        self.says(name, space, ready, phase)

    def says(self, name, space, ready=True, phase="Running"):
        """What a kubelet would report."""
        found, now = self.admin.get(POD, name, space), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now}
        status = {"phase": phase, "podIP": "10.0.0.9", "conditions": [condition]}
        if phase == "Succeeded":  # without a message, so that the log is read
            ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
            told = {"name": found["spec"]["containers"][0]["name"], "ready": False, "restartCount": 0}
            status["containerStatuses"] = [{**told, "image": "x", "imageID": "", "state": ended}]
        self.admin.replace_status({**found, "status": status})

    def source(self, **spec):
        analysis = {
            "count": 1,
            "intervalSeconds": 1,
            "metrics": [*METRICS, READY],
            "probing": {"edges": False},
        }
        strategy = {
            "canary": [SPACES[0]],
            "settleSeconds": 0,
            "analysis": {**analysis, **spec.pop("analysis", {})},
            **spec.pop("strategy", {}),
        }
        given = {
            "git": {"url": "/repo"},
            "namespaces": {"names": list(SPACES)},
            "identities": [{"mail": "ann@example.com", "user": "ann"}],
            "revisionHistoryLimit": 1,
            "strategy": strategy,
            **spec,
        }
        self.apply(
            {
                "apiVersion": m.API_VERSION,
                "kind": "PolicySource",
                "metadata": {"name": "castle", "namespace": OWN},
                "spec": given,
            }
        )
        return find_source(self.ctx, "castle")

    def push(self, *extra):
        """A new change, whose rollout has begun; its name."""
        self.revisions += 1
        rule = {"ports": [{"port": self.revisions, "protocol": "TCP"}]}
        gate = policy("gate", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]})
        self.repository.history.append((f"{self.revisions:010d}".ljust(40, "0"), files(gate, *extra)))
        return start(self.ctx, find_source(self.ctx, "castle")).rollout

    def go(self, name, ctx=None, **more):
        return Embedded(ctx or self.ctx, "castle", **more).drive(name).rollout.status

    def approve(self, name):
        rollout = load(self.admin.get(ROLLOUT, name, OWN))
        user, groups = self.admin.user()
        spec = m.RolloutApprovalSpec(
            rollout=name, wave=0, plan_digest=rollout.spec.plan_digest, user=user, groups=list(groups)
        )
        self.admin.create(new(APPROVAL.kind, f"{name}-{user}", OWN, spec))


class Kubelet(threading.Thread):
    """Makes the pod of each Job, and says at once that it has ended."""

    def __init__(self, castle):
        super().__init__(daemon=True)
        self.castle, self.over = castle, threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            for made in self.castle.admin.list(JOB):
                name, space = made["metadata"]["name"] + "-x", made["metadata"]["namespace"]
                template = made["spec"]["template"]
                meta = {"name": name, "namespace": space, "labels": template["metadata"]["labels"]}
                owner = {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": made["metadata"]["name"],
                    "uid": made["metadata"]["uid"],
                }
                body = {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {**meta, "ownerReferences": [owner]},
                    "spec": template["spec"],
                }
                with contextlib.suppress(NetpolCanaryError):
                    self.castle.admin.create(body)
                    self.castle.says(name, space, phase="Succeeded")


@pytest.fixture(scope="module")
def castle(plane, harness, tmp_path_factory):
    if not plane.server:
        pytest.skip("it reads the audit log: only on a control plane of our own")
    found = Castle(plane, harness, tmp_path_factory.mktemp("castle"))
    yield found
    for kind in (ROLLOUT, NAMESPACE_ROLLOUT):
        for obj in found.admin.list(kind, OWN):
            with contextlib.suppress(NetpolCanaryError):
                found.admin.replace({**obj, "metadata": {**obj["metadata"], "finalizers": []}})
    plane.run("delete", "crd", TIERS["metadata"]["name"], "--wait=false", check=False)
    plane.run("delete", "pods", "-A", "--all", "--force", "--grace-period=0", check=False)
    plane.run(
        "delete",
        "-f",
        str(harness.ROOT / "config" / "argo" / "account.yaml"),
        "--ignore-not-found",
        check=False,
    )
    for base in ("guard", "rbac"):
        plane.run(
            "delete",
            "-k",
            str(harness.ROOT / "config" / base),
            "--wait=false",
            "--ignore-not-found",
            check=False,
        )
    plane.run("delete", "namespace", "--ignore-not-found", "--timeout=60s", OWN, *SPACES, check=False)


def controllers_life(castle):
    """Everything that a controller does: each step and each way out of a rollout."""
    castle.source(strategy={"gates": [{"wave": 0}]})
    first = castle.push(policy("spare", {"podSelector": {"matchLabels": {"app": "none"}}}))
    assert castle.go(first).paused_for == "approval"
    castle.approve(first)
    assert castle.go(first).phase == "Succeeded"

    castle.source()
    second = castle.push()  # without `spare`: a deletion
    assert (
        castle.go(
            second, replace(castle.ctx, cluster=Twice(castle.ctx.cluster, "NamespaceRollout", "WaveAnalysis"))
        ).phase
        == "Succeeded"
    )

    third = castle.push()

    def go_bad(state, action):
        return castle.says("app", SPACES[0], ready=action.verb in ("snapshot", "open", "baseline", "apply"))

    assert castle.go(third, watch=go_bad).phase == "RolledBack"
    for space in SPACES:
        castle.says("app", space)

    castle.source(
        analysis={
            "metrics": [],
            "probes": [probe()],
            "probing": {"edges": True, "seconds": 5, "stableSeconds": 1},
        }
    )
    kubelet = Kubelet(castle)
    kubelet.start()
    fourth = castle.push()
    try:
        castle.go(fourth)
    finally:
        kubelet.over.set()
        kubelet.join(10)
    asked(castle, fourth, "abort")
    assert castle.go(fourth).phase == "RolledBack"

    castle.source(strategy={"supersede": "immediate"}, drift="report", driftIntervalSeconds=30)
    fifth = castle.push()
    request.look(castle.ctx, "castle")
    castle.repository.history.append(("f" * 40, files(policy("gate", {"podSelector": {}}))))
    rounds(castle)
    left = [o["metadata"]["name"] for o in castle.admin.list(ROLLOUT, OWN)]
    assert first not in left and fifth not in left  # beyond the history limit
    found = castle.admin.get(POLICY, "gate", SPACES[1])
    castle.admin.replace({**found, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})
    stand = [load(o) for o in castle.admin.list(ROLLOUT, OWN)]
    assert drift(castle.ctx, find_source(castle.ctx, "castle"), stand).differences
    secret = load({**find_source(castle.ctx, "castle").manifest})
    git = secret.spec.git.model_copy(update={"secret_ref": "git"})
    with contextlib.suppress(BadInput):  # the Secret is read; there is no such repository
        castle.real.repository(replace(secret, spec=secret.spec.model_copy(update={"git": git})))
    asks_of_jobs(castle.ctx.cluster, castle.ctx.clock)
    with Changes(castle.ctx.cluster, castle.ctx.clock, OWN):
        eventually(lambda: {v for v, _ in did(castle.plane, ACCOUNTS[0], castle.began)[0]} >= {"watch"}, 20)
        time.sleep(1)


def probe():
    return {"name": "in", "source": f"{SPACES[0]}/app", "destination": f"{SPACES[1]}/app", "port": 8080}


def asked(castle, name, verb):
    fresh = castle.admin.get(ROLLOUT, name, OWN)
    user = castle.admin.user()[0]
    castle.admin.replace(
        {**fresh, "metadata": {**fresh["metadata"], "annotations": {REQUEST: f"{verb}/1/{user}"}}}
    )


def rounds(castle, seconds=20):
    """A controller, for so long."""
    stop = threading.Event()
    controller = Controller(castle.ctx, "castle", Instruments(), poll_seconds=1, stop=stop.is_set)
    thread = threading.Thread(target=controller.serve, daemon=True)
    thread.start()
    stop.wait(seconds)
    stop.set()
    thread.join(30)


def guards_life(castle):
    """A rollout is lost in the middle, its finalizer taken off, and put back."""
    old, spare = (policy(n, {"podSelector": {"matchLabels": {"app": "none"}}}) for n in ("old", "spare"))
    castle.source()
    assert castle.go(castle.push(old)).phase == "Succeeded"
    castle.source(strategy={"settleSeconds": 300, "gates": [{"wave": 1}]})
    name = castle.push(spare)  # without `old`: putting back creates it again

    def applied():
        return "Applied" in {
            (o.get("status") or {}).get("phase")
            for o in castle.admin.list(NAMESPACE_ROLLOUT, OWN)
            if o["spec"]["rollout"] == name
        }

    Embedded(castle.ctx, "lost", stop=applied).drive(name)
    found = castle.admin.get(ROLLOUT, name, OWN)
    castle.admin.replace({**found, "metadata": {**found["metadata"], "finalizers": []}})
    ctx = alone(castle.clusters["netpol-canary-guard"], castle.ctx.clock, OWN)
    guard, stop = Guard(ctx, "guard", GuardInstruments(), 1.0), threading.Event()
    guard.stop = stop.is_set
    thread = threading.Thread(target=guard.serve, daemon=True)
    thread.start()
    try:
        eventually(lambda: load(castle.admin.get(ROLLOUT, name, OWN)).status.phase == "RolledBack", 60)
    finally:
        stop.set()
        thread.join(20)
    castle.go(name)  # what follows a rescue is for an engine that is back
    castle.source(strategy={"gates": [{"wave": 0}]})
    waits = castle.push(old)
    assert castle.go(waits).paused_for == "approval"
    assert (
        read(ctx, waits).rollout.status.phase == "Paused"
    )  # as the guard looks at what is between two waves
    asked(castle, waits, "abort")
    castle.go(waits)


def asks_of_jobs(cluster, clock):
    """What the prober asks where no pod comes of a Job, and where a pod's message is too long for its status."""
    batch = Batch(
        SPACES[0], "app", 0, {"app": SPACES[0]}, ((0, PROBE),), ({"host": "10.0.0.9", "port": 8080},)
    )
    made = job(batch, "test", "registry.example.com/x:1", "castle", "", 60, {"seconds": 5})
    jobs = Jobs(cluster, clock, marks("test", "castle"), (SPACES[0],))
    assert jobs.diagnosed(made) == ""
    assert jobs.last_line(cluster.list(POD, SPACES[0])[0]) == ""  # there is no kubelet to ask


def steps_life(castle):
    """Waves worked on step by step by the account of workflows' pods: one that goes bad, one that meets drift."""
    cluster = castle.clusters["netpol-canary-step"]
    real = over(cluster, Target(OWN, probe_image="registry.example.com/x:1"))
    spare = [policy(f"spare{n}", {"podSelector": {"matchLabels": {"app": "none"}}}) for n in range(3)]
    castle.source(strategy={"engine": "argo", "gates": [{"wave": 1}]})
    castle.repository.history = [h for h in castle.repository.history if h[0] != "f" * 40]
    asked_for = castle.push(spare[0])
    castle.go(asked_for)
    asked(castle, asked_for, "abort")
    castle.go(asked_for)

    bad = castle.push(spare[1])
    with opened(castle, bad) as worker:
        assert [worker(step) for step in ("baseline", "apply", "settle")] == [0, 0, 0]
        castle.says("app", SPACES[0], ready=False)
        reader = threading.Thread(target=worker, args=("analyze",), daemon=True)
        reader.start()
        assert worker("verdict") == 1
        reader.join(30)
        castle.says("app", SPACES[0])
    assert castle.go(bad).phase == "RolledBack"

    drifting = castle.push(spare[2])
    with opened(castle, drifting) as worker:
        assert worker("baseline") == 0
        found = castle.admin.get(POLICY, "gate", SPACES[0])
        castle.admin.replace({**found, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})
        assert worker("apply") == 3
    asked(castle, drifting, "abort")
    castle.go(drifting)

    last = castle.push(spare[0])
    planned = lambda: load(castle.admin.get(ROLLOUT, last, OWN)).status.phase != "Pending"  # noqa: E731
    Embedded(castle.ctx, "castle", stop=planned).drive(last)
    assert (
        Worker(real, last, 0).run("apply") == 3
    )  # not opened yet: the freezes are read, and nothing is written
    with contextlib.suppress(BadInput):
        real.metrics(
            m.Analysis(prometheus=m.Prometheus(url="http://127.0.0.1:9", secret_ref="git")), "prometheus"
        )
    asks_of_jobs(cluster, castle.ctx.clock)
    probing = m.Probing(seconds=5, stable_seconds=1)
    real.prober(probing, "castle", lambda: None).run([PROBE])


@contextlib.contextmanager
def opened(castle, name):
    """A function that runs a step of the first wave, while the controller leaves the wave's work to others."""
    real = over(castle.clusters["netpol-canary-step"], Target(OWN))
    stop = threading.Event()

    def forward(ctx, state, action):
        return action.verb in FORWARD and state.rollout.status.phase == "Progressing"

    engine = Embedded(castle.ctx, "castle", stop=stop.is_set, elsewhere=forward)
    thread = threading.Thread(target=lambda: engine.drive(name), daemon=True)
    thread.start()
    try:
        eventually(lambda: load(castle.admin.get(ROLLOUT, name, OWN)).status.opened == 1, 30)
        yield lambda step: Worker(real, name, 0).run(step)
    finally:
        stop.set()
        thread.join(30)


LIVES = {
    "netpol-canary": controllers_life,
    "netpol-canary-guard": guards_life,
    "netpol-canary-step": steps_life,
}
# Granted for Argo's own executor, which runs beside the step.
ARGOS = {(verb, "workflowtaskresults.argoproj.io") for verb in ("create", "patch")}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_what_it_may_do_is_what_it_does(castle, account):
    LIVES[account](castle)
    allowed, denied = did(castle.plane, account, castle.began)
    may = granted(castle.plane, account)
    assert sorted(denied) == []
    if unused := sorted(may - allowed - ASKED_BY_ADMISSION - ARGOS):
        pytest.fail("granted and not used: " + ", ".join(" ".join(pair) for pair in unused))
    assert sorted(allowed - may) == []
