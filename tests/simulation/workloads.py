"""Pods that come and go, the canary deployment that a source follows, and whom a policy of the whole cluster is about."""

from dataclasses import dataclass

from orchestrator.errors import NetpolCanaryError
from orchestrator.ports import Kind

POD = Kind("v1", "Pod")
WIDE = Kind("cilium.io/v2", "CiliumClusterwideNetworkPolicy")
CLUSTER = "_cluster"
SPACE = "io.kubernetes.pod.namespace"
CANARY = "netpol-canary.dev/canary"
TRACK = {"track": "canary"}
INSIDE = {"matchExpressions": [{"key": f"k8s:{SPACE}", "operator": "Exists"}]}


@dataclass(frozen=True)
class Deployment:
    """A kind of canary deployment, the field of `follow` that names one, and its status by what becomes of a version."""

    kind: Kind
    field: str
    states: dict

    def status(self, state, stable, version):
        return {k: {"STABLE": stable, "VERSION": version}.get(v, v) for k, v in self.states[state].items()}


DEPLOYMENTS = {
    "argo": Deployment(
        Kind("argoproj.io/v1alpha1", "Rollout"),
        "argo_rollout",
        {
            "running": {"phase": "Progressing", "stableRS": "STABLE", "currentPodHash": "VERSION"},
            "promoted": {"phase": "Healthy", "stableRS": "VERSION", "currentPodHash": "VERSION"},
            "failed": {"phase": "Degraded", "stableRS": "STABLE", "currentPodHash": "VERSION", "abort": True},
        },
    ),
    "flagger": Deployment(
        Kind("flagger.app/v1beta1", "Canary"),
        "flagger",
        {
            "running": {"phase": "Progressing", "lastAppliedSpec": "VERSION", "lastPromotedSpec": "STABLE"},
            "promoted": {"phase": "Succeeded", "lastAppliedSpec": "VERSION", "lastPromotedSpec": "VERSION"},
            "failed": {"phase": "Failed", "lastAppliedSpec": "VERSION", "lastPromotedSpec": "STABLE"},
        },
    ),
}


def selects(selector, labels):
    """A LabelSelector, whose keys Cilium may write with their source."""
    asked = [(key, "In", [value]) for key, value in (selector.get("matchLabels") or {}).items()]
    asked += [(e["key"], e["operator"], e.get("values")) for e in selector.get("matchExpressions") or []]
    found = ((labels.get(key.partition(":")[2] or key), operator, values) for key, operator, values in asked)
    return all(
        (value is not None) == (operator == "Exists")
        if values is None
        else (value in values) == (operator == "In")
        for value, operator, values in found
    )


def specs(obj):
    """What one object of Cilium says: one spec, or several."""
    return obj["specs"] if "specs" in obj else [obj["spec"]]


def about(obj, namespace):
    """Whether a policy of the whole cluster is about a pod of a namespace, whichever label that bears meanwhile."""
    pods = [{SPACE: namespace, "app": app} for app in "ab"]
    return any(selects(_of_any(spec["endpointSelector"]), pod) for spec in specs(obj) for pod in pods)


def _of_any(selector):
    """A selector without what it asks of the label of those that come first."""
    ours = {CANARY, *TRACK}
    labels = {k: v for k, v in (selector.get("matchLabels") or {}).items() if k.partition(":")[2] not in ours}
    asked = [e for e in selector.get("matchExpressions") or [] if e["key"].partition(":")[2] not in ours]
    return {"matchLabels": labels, "matchExpressions": asked}


def random_wide(draw):
    """What a policy of the whole cluster says."""
    selector = draw.choice((INSIDE, INSIDE, {}, {"matchLabels": {"k8s:app": "a"}}))
    rules = draw.choice(
        ([{}], [{"fromEntities": ["cluster"]}], [{"fromEndpoints": [{"matchLabels": {"app": "a"}}]}])
    )
    denied = [{"fromEndpoints": [{"matchLabels": {"app": "b"}}]}]
    return {
        "endpointSelector": selector,
        "ingress": rules,
        **({"ingressDeny": denied} if draw.random() < 0.3 else {}),
    }


class Workloads:
    """What kubelets and the controllers of deployments do; nobody of the product's."""

    def __init__(self, run):
        self._run, self._draw = run, run.random
        self._sizes, self._versions, self._state = run.settings.sizes, 1, "promoted"

    def _as(self, actor):
        self._run.cluster.actor = actor
        return self._run.cluster

    def begin(self, spaces):
        """The first pods of some namespaces, and what a source follows."""
        for space in spaces:
            self.populate(space)
        if self._sizes.follow:
            meta = {"name": "api", "namespace": spaces[1]}
            kind = self._followed.kind
            made = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, "spec": {}}
            self._as("deployer-0").create(made)
            self._becomes("promoted")

    def populate(self, space):
        """The pods of a new namespace: one workload of several, one of a single one."""
        for app, count in (("a", self._draw.choice((2, 3, 4))), ("b", 1)):
            for number in range(count):
                self._pod(space, app, number)

    def _pod(self, space, app, number):
        owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": app, "uid": app, "controller": True}
        labels = {"app": app, **(TRACK if self._sizes.pods == "labels" and number == 0 else {})}
        meta = {"name": f"{app}-{number}", "namespace": space, "labels": labels, "ownerReferences": [owner]}
        ready = "False" if self._draw.random() < 0.1 else "True"
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}
        try:
            self._as("kubelet-0").create(
                {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}, "status": status}
            )
        except NetpolCanaryError:  # it is there again, or its namespace is not
            return

    def replace_pod(self):
        """One goes, and its label with it; the next of its name comes at once, later, or never."""
        cluster, draw = self._as("kubelet-0"), self._draw
        if not (found := cluster.list(POD)):
            return
        meta = draw.choice(found)["metadata"]
        cluster.delete(POD, meta["name"], meta["namespace"], uid=meta["uid"], resource_version="")
        app, _, number = meta["name"].partition("-")
        if draw.random() < 0.9:
            late = draw.choice((0.0, draw.uniform(0.5, 20)))
            self._run.scheduler.at(late, lambda: self._pod(meta["namespace"], app, int(number)))

    # The canary deployment

    @property
    def _followed(self):
        return DEPLOYMENTS[self._sizes.follow]

    def turn(self):
        """A new version comes, or what becomes of it is decided."""
        if self._state == "running":
            self._becomes(self._draw.choice(("promoted", "promoted", "failed")))
        else:
            self._becomes("running")

    def fail(self):
        """A new version is given up, and for a long while nobody tries another one."""
        self._becomes("running")
        self._becomes("failed")

    def _becomes(self, state):
        if state == "running":
            self._versions += 1
        stable = self._stable if state != "promoted" else f"v{self._versions}"
        self._state, self._stable = state, stable
        cluster = self._as("deployer-0")
        for fresh in cluster.list(self._followed.kind):
            status = self._followed.status(state, stable, f"v{self._versions}")
            cluster.replace_status({**fresh, "status": status})
