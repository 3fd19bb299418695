"""Two namespaces with pods that are said to run, and our accounts' own rights over them."""

import contextlib
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime

from patience import ENOUGH, KUBECTL
from people import service_account
from reading import patient
from stage import OWN, Repository, files, policy

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.app import Target
from orchestrator.cli.wiring import over
from orchestrator.context import APPROVAL, ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.errors import NetpolCanaryError
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Kind
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

SPACES = ("moat", "wall")
POD, JOB = Kind("v1", "Pod"), Kind("batch/v1", "Job")
ACCOUNTS = ("netpol-canary", "netpol-canary-guard", "netpol-canary-step", "netpol-canary-archive")
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


ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def listed(group, version, kind, plural, scope="Cluster", shape=ANYTHING):
    """The CRD of a kind of policies, or of what they refer to, as far as it takes to list them, unless `shape` says more."""
    schema = {"openAPIV3Schema": shape}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


FOLLOWED = {"type": "object", "properties": {"spec": ANYTHING, "status": ANYTHING}}
ARGO_ROLLOUT = listed("argoproj.io", "v1alpha1", "Rollout", "rollouts", "Namespaced", FOLLOWED)
FLAGGER_CANARY = listed("flagger.app", "v1beta1", "Canary", "canaries", "Namespaced", FOLLOWED)
TIERED, CILIUM, CALICO = "policy.networking.k8s.io", "cilium.io", "projectcalico.org"
FURTHER = (
    listed(TIERED, "v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies"),
    listed(TIERED, "v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies"),
    listed(TIERED, "v1alpha1", "BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies"),
    listed(CILIUM, "v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies", "Namespaced"),
    listed(CILIUM, "v2", "CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies"),
    listed(CILIUM, "v2", "CiliumCIDRGroup", "ciliumcidrgroups"),
    listed(CILIUM, "v2", "CiliumNode", "ciliumnodes"),
    listed(CALICO, "v3", "NetworkPolicy", "networkpolicies", "Namespaced"),
    listed(CALICO, "v3", "GlobalNetworkPolicy", "globalnetworkpolicies"),
    listed(CALICO, "v3", "Tier", "tiers"),
    listed(CALICO, "v3", "NetworkSet", "networksets", "Namespaced"),
    listed(CALICO, "v3", "GlobalNetworkSet", "globalnetworksets"),
    ARGO_ROLLOUT,
    FLAGGER_CANARY,
)
# What these refer to is listed where one of them stands. They select nobody.
SELECTING_NOBODY = (
    {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumClusterwideNetworkPolicy",
        "metadata": {"name": "nobody"},
        "spec": {"endpointSelector": {"matchLabels": {"no": "body"}}, "ingress": [{}]},
    },
    {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "nobody"},
        "spec": {"selector": "no == 'body'", "ingress": [{"action": "Allow"}]},
    },
)


class Installed:
    """config/default, two namespaces with pods that are said to run, and a source whose controller has its own rights."""

    def __init__(self, plane, harness, folder):
        self.plane, self.admin, self.folder = plane, patient(plane.kubeconfig), folder
        # What other tests did before does not count.
        self.began = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
        self.versions = [self._installed(str(harness.ROOT / "config" / "default")) for _ in range(2)]
        for part in ("argo", "archive"):
            plane.run("apply", "-f", str(harness.ROOT / "config" / part / "account.yaml"))
        self.apply(*FURTHER)
        for crd in FURTHER:
            plane.run("wait", "--for=condition=Established", f"crd/{crd['metadata']['name']}", KUBECTL)
        self.apply(*SELECTING_NOBODY)
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
        self.accounts = {a: service_account(plane, folder, OWN, a) for a in ACCOUNTS}
        self.clusters = {a: connect(seen.kubeconfig, timeout=ENOUGH) for a, seen in self.accounts.items()}
        self.repository, self.revisions = Repository(), 0
        self.real = over(self.clusters["netpol-canary"], Target(OWN, probe_image="netpol-canary:0.1.0"))
        self.ctx = replace(self.real, repository=lambda source: self.repository)

    def _installed(self, folder):
        """The resourceVersion of each object of a kustomization, once it was applied."""
        self.plane.run("apply", "-k", folder)
        found = json.loads(self.plane.run("get", "-k", folder, "-o", "json"))["items"]
        return {(i["kind"], i["metadata"]["name"]): i["metadata"]["resourceVersion"] for i in found}

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
            "shared": "root",
            "identities": [{"email": "ann@example.com", "user": "ann"}],
            "revisionHistoryLimit": 1,
            "strategy": strategy,
            **spec,
        }
        self.apply(
            {
                "apiVersion": m.API_VERSION,
                "kind": "PolicySource",
                "metadata": {"name": "installed", "namespace": OWN},
                "spec": given,
            }
        )
        return find_source(self.ctx, "installed")

    def push(self, *extra):
        """A new change, whose rollout has begun; its name."""
        self.revisions += 1
        rule = {"ports": [{"port": self.revisions, "protocol": "TCP"}]}
        gate = policy("gate", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]})
        self.repository.history.append((f"{self.revisions:010d}".ljust(40, "0"), files(gate, *extra)))
        return start(self.ctx, find_source(self.ctx, "installed")).rollout

    def go(self, name, ctx=None, **more):
        return Embedded(ctx or self.ctx, "installed", **more).drive(name).rollout.status

    def ask(self, name, verb):
        """What `netpol-canary abort` and its like write."""
        fresh, user = self.admin.get(ROLLOUT, name, OWN), self.admin.user()[0]
        marks = {REQUEST: f"{verb}/{verb}/{user}"}
        self.admin.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": marks}})

    def approve(self, name):
        rollout = load(self.admin.get(ROLLOUT, name, OWN))
        user, groups = self.admin.user()
        spec = m.RolloutApprovalSpec(
            rollout=name, wave=0, plan_digest=rollout.spec.plan_digest, user=user, groups=list(groups)
        )
        self.admin.create(new(APPROVAL.kind, f"{name}-{user}", OWN, spec))


class Kubelet(threading.Thread):
    """Makes the pod of each Job, and says at once that it has ended."""

    def __init__(self, installed):
        super().__init__(daemon=True)
        self.installed, self.over = installed, threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            for made in self.installed.admin.list(JOB):
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
                # Pods of probes are taken from this user alone.
                manager = ("--as=system:kube-controller-manager", "--as-group=system:masters")
                self.installed.plane.run("create", *manager, "-f", "-", stdin=json.dumps(body), check=False)
                with contextlib.suppress(NetpolCanaryError):
                    self.installed.says(name, space, phase="Succeeded")
