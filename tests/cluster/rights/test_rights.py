"""Each line of the table of accounts in docs/security.md, tried on a real API server with the account in question."""

import copy
import re
import uuid

import pytest
import reading
import yaml
from clearing import cleared
from patience import ENOUGH, eventually
from people import person, service_account

from orchestrator.adapters.kube.bundle import bundle
from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.probes.job_pod import bare_pod, job
from orchestrator.adapters.probes.probe_ends import Batch
from orchestrator.errors import ApiError, Forbidden
from orchestrator.ports import Kind, Probe
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

pytestmark = pytest.mark.cluster

OWN, SPACE = "netpol-canary", "rights-of-others"
IMAGE = "netpol-canary:0.1.0"  # of config/image
PEOPLE = {
    "release engineers": ("mia", "netpol-canary-release-engineer"),
    "who breaks the glass": ("gil", "netpol-canary-break-glass"),
    "who declares emergencies": ("eli", "netpol-canary-emergency"),
    "viewers": ("vic", "netpol-canary-viewer"),
}
SECRET, POD, JOB = Kind("v1", "Secret"), Kind("v1", "Pod"), Kind("batch/v1", "Job")
EVERYTHING = (
    reading.SOURCE,
    reading.ROLLOUT,
    reading.NAMESPACE_ROLLOUT,
    reading.ANALYSIS,
    reading.APPROVAL,
)
THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
GIT, NAMES = m.Git(url="/none"), m.NamespaceScope(names=[SPACE])
FORGED = {
    "open": {"wavesStarted": 2},
    "promote": {"wave": 1},
    "say that all is well": {"phase": "Succeeded"},
    "approve": {"approvalsProvenAt": NOW},
    "take the doubt away": {"approvalsUnprovenAt": NOW},
    "begin": {"startedAt": NOW},
    "join waves": {"joined": [1]},
    "declare an emergency": {
        "emergency": {"user": "mia", "at": NOW, "until": "2036-01-01T00:00:00Z", "skips": ["windows"]}
    },
    "hand it to a workflow": {"workflow": {"name": "w", "wave": 0}},
}


class World:
    """config/default, one account's view of it at a time, and objects that a test may write to."""

    def __init__(self, plane, harness, folder):
        self.plane, self.folder = plane, folder
        self.admin = connect(plane.kubeconfig, timeout=ENOUGH)
        plane.run("apply", "-k", str(harness.ROOT / "config" / "default"))
        for part in ("argo", "archive"):
            plane.run("apply", "-f", str(harness.ROOT / "config" / part / "account.yaml"))
        labels = {"netpol-canary.dev/test": "true"}
        meta = {"name": SPACE, "labels": labels}
        self.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        for user, role in PEOPLE.values():
            bind = ["create", "rolebinding", f"rights-{user}", "-n", OWN, f"--role={role}", f"--user={user}"]
            plane.run(*bind, check=False)
        for space in (OWN, SPACE):
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one", "namespace": space}}
            self.admin.create(body)
        self._views = {}
        self.in_force()

    def in_force(self):
        """An admission policy holds a moment after it was applied."""
        step, ours = self.view("netpol-canary-step"), self.probe()
        wrong = copy.deepcopy(ours)
        wrong["spec"]["template"]["spec"]["hostNetwork"] = True
        eventually(lambda: taken(lambda: step.create(ours, dry_run=True)))
        eventually(lambda: not taken(lambda: step.create(wrong, dry_run=True)))
        name = self.rollout()
        forged = lambda: step.replace_status(self.told(reading.ROLLOUT, name, wave=1))  # noqa: E731
        eventually(lambda: not taken(forged))
        mia = self.view("release engineers")
        source = self.source()
        eventually(
            lambda: not taken(lambda: mia.replace_status(self.told(reading.SOURCE, source, repairs=[NOW])))
        )

    def view(self, account):
        """The cluster as an account, or somebody of a kind of people, sees it."""
        if account not in self._views:
            if account in PEOPLE:
                seen = person(self.plane, self.folder, PEOPLE[account][0])
            else:
                seen = service_account(self.plane, self.folder, OWN, account)
            self._views[account] = connect(seen.kubeconfig, timeout=ENOUGH)
        return self._views[account]

    def made(self, kind, spec, status):
        """The name of a new object with a status."""
        name = f"rights-{uuid.uuid4().hex[:8]}"
        created = self.admin.create(new(kind.kind, name, OWN, spec))
        self.admin.replace_status({**created, "status": status})
        return name

    def told(self, kind, name, **status):
        """An object as it stands, with some of its status changed."""
        found = self.admin.get(kind, name, OWN)
        return {**found, "status": {**found.get("status", {}), **status}}

    def source(self):
        status = {
            "currentRevision": "a" * 40,
            "currentRevisionRollout": "r",
            "blockedRevision": "b" * 40,
            "blockedReason": "bad",
        }
        return self.made(reading.SOURCE, m.PolicySourceSpec(git=GIT, namespaces=NAMES), status)

    def rollout(self):
        """In the middle of its first wave."""
        status = {"phase": "Progressing", "wave": 0, "wavesStarted": 1, "epoch": 1}
        return self.made(reading.ROLLOUT, rollout_spec(), status)

    def record(self, phase="Pending"):
        spec = m.NamespaceRolloutSpec(rollout="r", wave=0, namespace=SPACE, after=["{}"])
        return self.made(reading.NAMESPACE_ROLLOUT, spec, {"phase": phase})

    def analysis(self, phase="Running"):
        spec = m.WaveAnalysisSpec(rollout="r", wave=0, since=THEN)
        return self.made(reading.ANALYSIS, spec, {"phase": phase})

    def probe(self, mode="test"):
        """The Job that the product makes."""
        probe = Probe("p", f"{SPACE}/app", "pay/db", 5432, "TCP", True)
        batch = Batch(SPACE, "app", 0, {"app": "web"}, ((0, probe),), ({"host": "10.0.0.1", "port": 5432},))
        return job(batch, mode, IMAGE, "rights", "", 60, {"seconds": 28})


def rollout_spec():
    wave = m.Wave(why="all", namespaces=[m.WaveNamespace(name=SPACE, before="", after="")])
    return m.PolicyRolloutSpec(
        source="s", revision="a" * 40, strategy=m.Strategy(), plan_digest="d", waves=[wave, wave]
    )


def taken(call):
    try:
        call()
    except ApiError:
        return False
    return True


def refused(call, why="."):
    with pytest.raises(Forbidden, match=why):
        call()


# What each line stands for: a function of the world and of what the account sees.


def writes_policies(world, me):
    meta = {"name": f"p-{uuid.uuid4().hex[:8]}", "namespace": SPACE}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    made = me.create(
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
    )
    made = me.replace({**made, "spec": {**spec, "policyTypes": ["Egress"]}})
    ids = {"uid": made["metadata"]["uid"], "resource_version": made["metadata"]["resourceVersion"]}
    me.delete(reading.POLICY, meta["name"], SPACE, **ids)


def writes_no_policies(world, me):
    refused(lambda: writes_policies(world, me), "cannot create resource")


def rollouts():
    yield new("PolicyRollout", "made", OWN, rollout_spec())
    yield new(
        "NamespaceRollout", "made", OWN, m.NamespaceRolloutSpec(rollout="r", wave=0, namespace="kube-system")
    )


def creates_rollouts(world, me):
    for obj in (
        *rollouts(),
        new("WaveAnalysis", "made", OWN, m.WaveAnalysisSpec(rollout="r", wave=0, since=THEN)),
    ):
        me.create(obj, dry_run=True)


def creates_no_rollouts(world, me):
    for obj in rollouts():
        refused(lambda obj=obj: me.create(obj, dry_run=True), "cannot create resource")


def decides(world, me):
    name = world.rollout()
    me.replace_status(world.told(reading.ROLLOUT, name, wavesStarted=2, wave=1, approvalsProvenAt=NOW))
    me.replace_status(world.told(reading.ROLLOUT, name, phase="Succeeded"))
    me.replace_status(world.told(reading.ANALYSIS, world.analysis(), phase="Successful"))


def decides_nothing(world, me):
    name = world.rollout()
    for status in FORGED.values():
        refused(lambda status=status: me.replace_status(world.told(reading.ROLLOUT, name, **status)))
        # Nor together with what it may say.
        for more in ({"phase": "Paused", "pausedFor": "drift"}, {"phase": "RollingBack"}):
            both = {**more, **status}
            refused(lambda both=both: me.replace_status(world.told(reading.ROLLOUT, name, **both)))


def creates_the_probe(world, me):
    for mode in ("test", "hold"):
        me.create(world.probe(mode), dry_run=True)


def changed(made, path, value):
    """A copy with something else at a path of keys and numbers."""
    found = copy.deepcopy(made)
    here = found
    for key in path[:-1]:
        here = here[key] if isinstance(key, int) else here.setdefault(key, {})
    here[path[-1]] = value
    return found


TEMPLATE = ("spec", "template", "spec")
CONTAINER = (*TEMPLATE, "containers", 0)
OTHER_JOBS = {
    "another image": (*CONTAINER, "image"),
    "another program": (*CONTAINER, "command"),
    "arguments": (*CONTAINER, "args"),
    "variables": (*CONTAINER, "env"),
    "a variable from a Secret": (*CONTAINER, "envFrom"),
    "two containers": (*TEMPLATE, "containers"),
    "a container before": (*TEMPLATE, "initContainers"),
    "an account": (*TEMPLATE, "serviceAccountName"),
    "a token": (*TEMPLATE, "automountServiceAccountToken"),
    "a pull Secret": (*TEMPLATE, "imagePullSecrets"),
    "the node's files": (*TEMPLATE, "volumes"),
    "the node's network": (*TEMPLATE, "hostNetwork"),
    "the node's processes": (*TEMPLATE, "hostPID"),
    "the node's IPC": (*TEMPLATE, "hostIPC"),
    "a node of its choice": (*TEMPLATE, "nodeName"),
    "tolerations": (*TEMPLATE, "tolerations"),
    "a port of the node": (*CONTAINER, "ports"),
    "root": (*TEMPLATE, "securityContext", "runAsUser"),
    "root in the container": (*CONTAINER, "securityContext", "runAsUser"),
    "privileges": (*CONTAINER, "securityContext", "privileged"),
    "capabilities": (*CONTAINER, "securityContext", "capabilities"),
    "more privileges": (*CONTAINER, "securityContext", "allowPrivilegeEscalation"),
    "a writable root": (*CONTAINER, "securityContext", "readOnlyRootFilesystem"),
    "no seccomp": (*TEMPLATE, "securityContext", "seccompProfile"),
    "no seccomp in the container": (*CONTAINER, "securityContext", "seccompProfile"),
    "readiness": (*TEMPLATE, "readinessGates"),
    "no end": ("spec", "activeDeadlineSeconds"),
    "a long stay": ("spec", "ttlSecondsAfterFinished"),
    "many pods": ("spec", "parallelism"),
    "no label": ("metadata", "labels"),
    "no label on the pod": ("spec", "template", "metadata", "labels"),
}
VALUES = {
    "image": "evil.example.com/x:1",
    "command": ["sh"],
    "args": ["-c", "id"],
    "env": [{"name": "LD_PRELOAD", "value": "x"}],
    "envFrom": [{"secretRef": {"name": "one"}}],
    "initContainers": [{"name": "first", "image": IMAGE}],
    "serviceAccountName": "admin",
    "automountServiceAccountToken": True,
    "imagePullSecrets": [{"name": "one"}],
    "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "nodeName": "control-plane",
    "tolerations": [{"operator": "Exists"}],
    "ports": [{"containerPort": 80, "hostPort": 80}],
    "runAsUser": 0,
    "privileged": True,
    "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
    "allowPrivilegeEscalation": True,
    "readOnlyRootFilesystem": False,
    "seccompProfile": {"type": "Unconfined"},
    "readinessGates": [],
    "activeDeadlineSeconds": 86400,
    "ttlSecondsAfterFinished": 86400,
    "parallelism": 50,
    "labels": {"app": "web"},
}


def other_jobs(world):
    ours = world.probe()
    yield (
        "an empty one",
        {
            **ours,
            "spec": {
                "template": {
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": IMAGE}]}
                }
            },
        },
    )
    for name, path in OTHER_JOBS.items():
        value = VALUES.get(path[-1])
        if path[-1] == "containers":
            first = ours["spec"]["template"]["spec"]["containers"][0]
            value = [first, {**first, "name": "second"}]
        other = changed(ours, path, value)
        if name == "privileges":  # the API server itself has something against both at once
            other = changed(other, (*CONTAINER, "securityContext", "allowPrivilegeEscalation"), True)
        yield name, other


def creates_no_other_job(world, me):
    for name, other in other_jobs(world):
        if name != "privileges":  # of which a cluster may have nothing, as this one
            world.admin.create(other, dry_run=True)  # it is one that the API server would take
        assert not taken(lambda other=other: me.create(other, dry_run=True)), name


def creates_no_job(world, me):
    refused(lambda: me.create(world.probe(), dry_run=True), "cannot create resource")
    refused(lambda: me.create(bare_pod(world.probe()), dry_run=True), "cannot create resource")


def creates_no_pod(world, me):
    refused(lambda: me.create({**bare_pod(world.probe())}))
    plain = {"containers": [{"name": "c", "image": IMAGE}]}
    for space in (OWN, SPACE):
        meta = {"name": "plain", "namespace": space}
        refused(
            lambda meta=meta: me.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": plain})
        )
    assert not [p for p in world.admin.list(POD, SPACE) if p["metadata"]["name"] == "plain"]


def changes_no_pod(world, me):
    """Not even the label that config/podlabels, which is not installed here, would let it change."""
    where = {"name": f"p-{uuid.uuid4().hex[:8]}", "namespace": SPACE}
    pod = {**bare_pod(world.probe()), "metadata": {**where, "labels": {"app": "web"}}}
    made = world.admin.create(pod)
    other = changed(made, ("metadata", "labels", "netpol-canary.dev/canary"), "r")
    refused(lambda: me.replace(other), "cannot update resource")
    part = {"apiVersion": "v1", "kind": "Pod", "metadata": {**where, "labels": {"more": "x"}}}
    refused(lambda: me.apply(part, "me"), "cannot patch resource")


def reads_own_secrets(world, me):
    assert me.get(SECRET, "one", OWN)["metadata"]["name"] == "one"


def reads_no_secrets_of_others(world, me):
    refused(lambda: me.get(SECRET, "one", SPACE))
    refused(lambda: me.list(SECRET))


def reads_no_secrets(world, me):
    reads_no_secrets_of_others(world, me)
    refused(lambda: me.get(SECRET, "one", OWN))
    refused(lambda: me.list(SECRET, OWN))


def approval(user, groups=(), **more):
    spec = m.RolloutApprovalSpec(rollout="r", wave=0, plan_digest="d", user=user, groups=list(groups), **more)
    return new("RolloutApproval", f"a-{uuid.uuid4().hex[:8]}", OWN, spec)


def approves_nothing(world, me):
    user, groups = me.user()
    refused(lambda: me.create(approval(user, groups), dry_run=True), "not by service accounts")
    refused(lambda: me.create(approval("mia"), dry_run=True))


def changes_no_rights(world, me):
    rbac = "rbac.authorization.k8s.io/v1"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": "more"}, "roleRef": ref}
    refused(lambda: me.create(body, dry_run=True))
    refused(lambda: me.get(Kind(rbac, "Role"), "netpol-canary-controller", OWN))
    for name in ("netpol-canary-steps", "netpol-canary-probe-jobs", IMAGES):
        refused(
            lambda name=name: me.get(
                Kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"), name
            )
        )


def restores(world, me):
    name, record = world.rollout(), world.record("Applied")
    me.replace_status(world.told(reading.ROLLOUT, name, phase="RollingBack", epoch=2, detectedAt=NOW))
    me.replace_status(world.told(reading.NAMESPACE_ROLLOUT, record, phase="Restored", restoredAt=NOW))
    me.replace_status(world.told(reading.ROLLOUT, name, phase="RolledBack", restoredAt=NOW))


def holds_leases(world, me):
    meta = {"name": f"l-{uuid.uuid4().hex[:8]}", "namespace": OWN}
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
    made = me.create({**body, "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15}})
    me.replace({**made, "spec": {**made["spec"], "holderIdentity": "two"}})


def reports(world, me):
    me.replace_status(world.told(reading.NAMESPACE_ROLLOUT, world.record(), phase="Applied", appliedAt=NOW))
    name = world.analysis("Pending")
    me.replace_status(world.told(reading.ANALYSIS, name, phase="Running", startedAt=NOW))
    me.replace_status(world.told(reading.ANALYSIS, name, phase="Failed", reason="errors"))


def pauses_for_drift(world, me):
    moved = [{"time": NOW, "actor": "", "phase": "Paused", "reason": "Drift", "message": "it differs"}]
    status = {"phase": "Paused", "pausedFor": "drift", "reason": "it differs", "transitions": moved}
    me.replace_status(world.told(reading.ROLLOUT, world.rollout(), **status))
    for other in (
        {"phase": "Paused", "pausedFor": "user"},
        {"phase": "RollingBack"},
        {"phase": "Failed"},
    ):
        name = world.rollout()
        refused(lambda name=name, other=other: me.replace_status(world.told(reading.ROLLOUT, name, **other)))
    for more in ({"epoch": 2}, {"handledRequest": "1"}, {"detectedAt": NOW}):
        name = world.rollout()
        both = {**status, **more}
        refused(lambda name=name, both=both: me.replace_status(world.told(reading.ROLLOUT, name, **both)))
    verified = {
        "type": "RollbackVerified",
        "status": "True",
        "reason": "x",
        "message": "",
        "lastTransitionTime": NOW,
    }
    name = world.rollout()
    refused(lambda: me.replace_status(world.told(reading.ROLLOUT, name, **status, conditions=[verified])))


def restores_nothing(world, me):
    for was, now in (
        ("Applied", "Restored"),
        ("Pending", "Restored"),
        ("Applied", "Pending"),
        ("Restored", "Applied"),
    ):
        name = world.record(was)
        refused(
            lambda name=name, now=now: me.replace_status(
                world.told(reading.NAMESPACE_ROLLOUT, name, phase=now)
            )
        )


def judges_once(world, me):
    for was in ("Failed", "Inconclusive", "Error", "Successful"):
        for now in {"Successful", "Running", "Pending"} - {was}:
            name = world.analysis(was)
            refused(
                lambda name=name, now=now: me.replace_status(world.told(reading.ANALYSIS, name, phase=now))
            )


def reads_rollouts(world, me):
    for kind in EVERYTHING[1:]:
        assert isinstance(me.list(kind, OWN), list)


def reads_nothing_else(world, me):
    reads_no_secrets(world, me)
    for kind in (reading.SOURCE, POD, JOB, reading.LEASE, Kind("v1", "ConfigMap")):
        refused(lambda kind=kind: me.list(kind, OWN), "cannot list resource")
    for kind in (reading.POLICY, reading.NAMESPACE, POD):
        refused(lambda kind=kind: me.list(kind), "cannot list resource")


def writes_nothing(world, me):
    writes_no_policies(world, me)
    creates_no_rollouts(world, me)
    creates_no_job(world, me)
    user, groups = me.user()
    refused(lambda: me.create(approval(user, groups), dry_run=True))
    refused(lambda: me.create(freeze(user), dry_run=True))
    refused(lambda: holds_leases(world, me))
    for kind, name in ((reading.ROLLOUT, world.rollout()), (reading.SOURCE, world.source())):
        refused(
            lambda kind=kind, name=name: me.replace(world.admin.get(kind, name, OWN)),
            "cannot update resource",
        )
        refused(
            lambda kind=kind, name=name: me.replace_status(world.told(kind, name)), "cannot update resource"
        )


def freeze(user):
    spec = m.RolloutFreezeSpec(sources=["s"], reason="an audit", user=user)
    return new("RolloutFreeze", f"f-{uuid.uuid4().hex[:8]}", OWN, spec)


def approves(world, me):
    user, groups = me.user()
    me.create(approval(user, groups), dry_run=True)


def approves_for_nobody(world, me):
    refused(lambda: me.create(approval("joe"), dry_run=True), "must be the user who creates")
    refused(
        lambda: me.create(approval(me.user()[0], ["security"]), dry_run=True), "must be groups of the user"
    )


def breaks_no_glass(world, me):
    mine = approval(me.user()[0], break_glass=True, comment="all is down")
    refused(lambda: me.create(mine, dry_run=True), "takes the right to the verb breakglass")


def breaks_the_glass(world, me):
    me.create(approval(me.user()[0], break_glass=True, comment="all is down"), dry_run=True)


def breaks_it_with_a_reason_alone(world, me):
    with pytest.raises(ApiError, match="a comment that says why"):
        me.create(approval(me.user()[0], break_glass=True, comment=" "), dry_run=True)


def declares_no_emergency(world, me):
    mine = approval(me.user()[0], decision="emergency", comment="all is down")
    refused(lambda: me.create(mine, dry_run=True), "takes the right to the verb emergency")


def declares_an_emergency(world, me):
    me.create(approval(me.user()[0], decision="emergency", comment="all is down"), dry_run=True)


def declares_it_with_a_reason_alone(world, me):
    with pytest.raises(ApiError, match="an emergency goes with a comment that says why"):
        me.create(approval(me.user()[0], decision="emergency", comment=" "), dry_run=True)


def declares_freezes(world, me):
    me.create(freeze(me.user()[0]), dry_run=True)
    refused(lambda: me.create(freeze("joe"), dry_run=True), "must be the user who declares")


def asking(world, name, text):
    found = world.admin.get(reading.ROLLOUT, name, OWN)
    notes = {**(found["metadata"].get("annotations") or {}), REQUEST: text}
    return {**found, "metadata": {**found["metadata"], "annotations": notes}}


def asks(world, me):
    name, user = world.rollout(), me.user()[0]
    for verb in ("pause", "resume", "abort", "rollback"):
        me.replace(asking(world, name, f"{verb}/{uuid.uuid4().hex[:8]}/{user}"))
        refused(
            lambda verb=verb: me.replace(asking(world, name, f"{verb}/2/joe")), "must be the one who asks"
        )


def asks_nothing(world, me):
    name = world.rollout()
    refused(lambda: me.replace(asking(world, name, f"abort/1/{me.user()[0]}")), "cannot update resource")
    refused(lambda: me.create(freeze(me.user()[0]), dry_run=True))


def changes_no_rollout(world, me):
    name = world.rollout()
    found = world.admin.get(reading.ROLLOUT, name, OWN)
    with pytest.raises(ApiError, match="frozen at creation"):
        me.replace({**found, "spec": {**found["spec"], "revision": "b" * 40}})
    for part, value in (("finalizers", ["x.example.com/y"]), ("labels", {"a": "b"})):
        other = {**found, "metadata": {**found["metadata"], part: value}}
        refused(lambda other=other: me.replace(other), "by the controller alone")
    for status in ({}, *FORGED.values(), {"phase": "RollingBack"}):
        refused(
            lambda status=status: me.replace_status(world.told(reading.ROLLOUT, name, **status)),
            "cannot update",
        )


def releases(world, me):
    name = world.source()
    me.replace_status(world.told(reading.SOURCE, name, blockedRevision="", blockedReason=""))


def other_values():
    """Something else for every field that a source's status has; the test fails where a field is not among them."""
    condition = {"type": "Ready", "status": "True", "reason": "x", "message": "", "lastTransitionTime": NOW}
    by_type = {"array": [NOW], "integer": 7, "string": "c" * 40}
    schema = m.PolicySourceStatus.model_json_schema(by_alias=True)["properties"]
    for field, of in schema.items():
        items = {
            "conditions": [condition],
            "truncated": [{"field": "x", "count": 1}],
            "details": [{"type": "Ready", "text": "x"}],
            "currentRevisionSince": NOW,
        }
        yield field, items[field] if field in items else by_type[of["type"]]


def writes_no_source(world, me):
    name = world.source()
    for field, value in other_values():
        status = {field: value}
        refused(lambda status=status: me.replace_status(world.told(reading.SOURCE, name, **status)))
        both = {"blockedRevision": "", "blockedReason": "", **status}
        refused(lambda both=both: me.replace_status(world.told(reading.SOURCE, name, **both)))
    for gone in ("currentRevision", "currentRevisionRollout", "blockedReason"):
        refused(lambda gone=gone: me.replace_status(world.told(reading.SOURCE, name, **{gone: ""})))
    found = world.admin.get(reading.SOURCE, name, OWN)
    refused(
        lambda: me.replace({**found, "spec": {**found["spec"], "suspend": True}}), "cannot update resource"
    )


SECRETS = {"read Secrets of its own namespace": reads_own_secrets}
POLICIES = {"write policies everywhere": writes_policies}
STATUS = {"open, promote or approve by status": decides_nothing, "create rollouts": creates_no_rollouts}
PROBES = {"create the Job of a probe": creates_the_probe}
SAME_PODS = {"change a pod": changes_no_pod}
NO_OTHERS = {"create any other Job": creates_no_other_job, "create a pod": creates_no_pod, **SAME_PODS}
READS = {"read rollouts and what belongs to them": reads_rollouts}
CLAIMS = {
    "netpol-canary": (
        {
            **POLICIES,
            "create rollouts and what belongs to them": creates_rollouts,
            "open, promote and judge": decides,
            **PROBES,
            **SECRETS,
        },
        {
            "approve": approves_nothing,
            **NO_OTHERS,
            "read Secrets of another namespace": reads_no_secrets_of_others,
            "change rights": changes_no_rights,
        },
    ),
    "netpol-canary-guard": (
        {**POLICIES, "say that a rollout goes back and is restored": restores, "hold Leases": holds_leases},
        {**STATUS, "create Jobs or pods": creates_no_job, **SAME_PODS, "read Secrets": reads_no_secrets},
    ),
    "netpol-canary-step": (
        {
            **POLICIES,
            "say that a namespace is written and what was seen": reports,
            "pause a rollout for drift": pauses_for_drift,
            **PROBES,
            **SECRETS,
        },
        {
            **STATUS,
            "say that a namespace is restored": restores_nothing,
            "judge a wave again": judges_once,
            **NO_OTHERS,
        },
    ),
    "netpol-canary-archive": (
        READS,
        {"read anything else": reads_nothing_else, "write anything": writes_nothing},
    ),
    "release engineers": (
        {
            "approve in their own name": approves,
            "declare freezes": declares_freezes,
            "ask for pause, resume, abort and rollback in their own name": asks,
            "release a blocked revision": releases,
        },
        {
            "approve in another's name": approves_for_nobody,
            "break the glass": breaks_no_glass,
            "declare an emergency": declares_no_emergency,
            "create rollouts": creates_no_rollouts,
            "change a rollout's spec or status": changes_no_rollout,
            "write any other field of a source's status": writes_no_source,
            "write policies": writes_no_policies,
            "read Secrets": reads_no_secrets,
        },
    ),
    "who breaks the glass": (
        {"approve alone, with a reason": breaks_the_glass},
        {
            "break it without a reason": breaks_it_with_a_reason_alone,
            "ask for anything of a rollout": asks_nothing,
            "write policies": writes_no_policies,
        },
    ),
    "who declares emergencies": (
        {"skip what the source allows, with a reason": declares_an_emergency},
        {
            "do so without a reason": declares_it_with_a_reason_alone,
            "break the glass": breaks_no_glass,
            "ask for anything of a rollout": asks_nothing,
            "write policies": writes_no_policies,
        },
    ),
    "viewers": (READS, {"write anything": writes_nothing, "read Secrets": reads_no_secrets}),
}
ROWS = [(who, side, text) for who, sides in CLAIMS.items() for side in (0, 1) for text in sides[side]]


def documented(harness):
    """The rows of the table, as (account, 0 for may and 1 for may not, what)."""
    text = (harness.ROOT / "docs" / "security.md").read_text().partition("| account | may | may not |")[2]
    lines = [
        line for line in text.partition("\n\n")[0].splitlines() if line.startswith("|") and "---" not in line
    ]
    for line in lines:
        who, *sides = [cell.strip() for cell in line.strip("|").split("|")]
        name = re.sub(r"`| \(.*\)", "", who)
        for side, cell in enumerate(sides):
            yield from ((name, side, part) for part in cell.split("; "))


def test_the_table_in_the_docs_is_what_is_tried(harness):
    assert sorted(documented(harness)) == sorted(ROWS)


@pytest.fixture(scope="module")
def world(plane, harness, tmp_path_factory):
    if not plane.server:
        pytest.skip("its people have certificates, which only a control plane of our own gives out")
    yield World(plane, harness, tmp_path_factory.mktemp("rights"))
    cleared(plane, SPACE)


@pytest.mark.parametrize(
    ("who", "side", "text"), ROWS, ids=[f"{w}-{('may', 'may not')[s]}-{t}" for w, s, t in ROWS]
)
def test_each_line_holds(who, side, text, world):
    CLAIMS[who][side][text](world, world.view(who))


IMAGES = "netpol-canary-probe-images"
BOTH = "validatingadmissionpolicy,validatingadmissionpolicybinding"


def listed(world, *images):
    """config/default as `install --probe-image` writes its policy of images."""
    mine = [d for d in bundle(IMAGE, probes=images) if d["metadata"]["name"] == IMAGES]
    world.plane.run("apply", "-f", "-", stdin=yaml.safe_dump_all(mine))


def test_an_image_that_a_source_names_is_taken_once_it_is_listed(world):
    other = changed(world.probe(), (*CONTAINER, "image"), "registry.example.com/probe:2")
    me = world.view("netpol-canary")
    refused(
        lambda: me.create(other, dry_run=True),
        "a probe runs one of netpol-canary:0.1.0, as the ValidatingAdmissionPolicy netpol-canary-probe-images",
    )
    listed(world, "registry.example.com/probe:1", "registry.example.com/probe:2")
    eventually(lambda: taken(lambda: me.create(other, dry_run=True)))
    listed(world)
    eventually(lambda: not taken(lambda: me.create(other, dry_run=True)))


def test_images_are_checked_again_once_the_policy_was_deleted_and_applied(world):
    """API server 1.34 did not find a policy's ConfigMap a second time: the images stand in the policy."""
    other = changed(world.probe(), (*CONTAINER, "image"), "registry.example.com/probe:3")
    me = world.view("netpol-canary")
    refused(lambda: me.create(other, dry_run=True), "a probe runs one of")
    for _ in range(2):
        world.plane.run("delete", BOTH, IMAGES)
        eventually(lambda: taken(lambda: me.create(other, dry_run=True)))
        listed(world)
        eventually(lambda: not taken(lambda: me.create(other, dry_run=True)))
    assert taken(lambda: me.create(world.probe(), dry_run=True))
