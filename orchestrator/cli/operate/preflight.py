"""What a cluster offers to an installation: its version, its CNI, Prometheus, Argo Workflows, the caller's rights."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.adapters.kube.cni import DAEMONS, EMBEDDED, enforcing, profile_of
from orchestrator.errors import ApiError, BadInput, Forbidden, NotFound, PortError
from orchestrator.ports import Cluster, Kind

State = Literal["ok", "warning", "missing", "unknown"]
OLDEST = (1, 30)  # ValidatingAdmissionPolicy is there from then on
DEPLOYMENTS = Kind("apps/v1", "Deployment")
SERVICES, NAMESPACES = Kind("v1", "Service"), Kind("v1", "Namespace")
TEMPLATES = Kind("argoproj.io/v1alpha1", "WorkflowTemplate")
REVIEW = Kind("authorization.k8s.io/v1", "SelfSubjectAccessReview")
OPERATOR = Kind("monitoring.coreos.com/v1", "ServiceMonitor")
SILENT = ("kube-flannel", "flannel")
NEEDED = (
    ("create", "apiextensions.k8s.io", "customresourcedefinitions"),
    ("create", "rbac.authorization.k8s.io", "clusterroles"),
    ("create", "admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("create", "", "namespaces"),
)


@dataclass(frozen=True)
class Offer:
    """One thing that was looked for: what was found, and what to do where it is not well."""

    name: str
    state: State
    found: str
    todo: str = ""


def offers(cluster: Any, namespace: str) -> list[Offer]:
    """All of them; what the caller may not look at is `unknown`. Raises Unreachable where nothing answers."""
    looks: tuple[Callable[[], Offer], ...] = (
        lambda: _version(cluster.version()),
        lambda: _rights(cluster),
        lambda: _cni(sorted({str(o["metadata"]["name"]) for o in cluster.list(DAEMONS)}), cluster.version()),
        lambda: _prometheus(cluster),
        lambda: _argo(cluster),
        lambda: _namespace(cluster, namespace),
        lambda: _installed(cluster, namespace),
    )
    names = ("Kubernetes", "rights", "CNI", "Prometheus", "Argo Workflows", "namespace", "installed")
    return [_looked(name, look) for name, look in zip(names, looks, strict=True)]


def _looked(name: str, look: Callable[[], Offer]) -> Offer:
    try:
        return look()
    except (Forbidden, ApiError) as error:
        return Offer(name, "unknown", f"it could not be checked: {error}")


def _version(text: str) -> Offer:
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if found is None:
        return Offer("Kubernetes", "unknown", text or "no version")
    if (int(found[1]), int(found[2])) < OLDEST:
        return Offer("Kubernetes", "missing", text, "1.30 or newer is needed: ValidatingAdmissionPolicy")
    return Offer("Kubernetes", "ok", text)


def _rights(cluster: Cluster) -> Offer:
    lacking = []
    for verb, group, resource in NEEDED:
        asked = {"verb": verb, "group": group, "resource": resource}
        review = {
            "apiVersion": REVIEW.api_version,
            "kind": REVIEW.kind,
            "metadata": {},
            "spec": {"resourceAttributes": asked},
        }
        if not (cluster.create(review).get("status") or {}).get("allowed"):
            lacking.append(f"{verb} {resource}")
    if lacking:
        return Offer(
            "rights", "missing", f"you may not {', '.join(lacking)}", "ask whoever administers the cluster"
        )
    return Offer("rights", "ok", "what installing takes")


def _cni(daemons: Iterable[str], version: str) -> Offer:
    daemons = list(daemons)
    found = enforcing(daemons)
    silent = [d for d in daemons if d.startswith(SILENT)]
    if found:
        read = f"policies are read as {profile_of(daemons)} does"
        return Offer("CNI", "ok", f"{', '.join(found)} can enforce network policies; {read}")
    if within := next((name for mark, name in EMBEDDED.items() if mark in version), ""):
        text = (
            f"{version} enforces network policies by itself, as {within} does, unless that was switched off"
        )
        return Offer("CNI", "unknown", text, f"set strategy.cni: {within} in sources; probes show it")
    if silent:
        todo = "policies would be stored and enforce nothing: add an agent that enforces them"
        return Offer("CNI", "warning", f"{', '.join(silent)} does not enforce network policies", todo)
    todo = "check that something enforces network policies; probes show it"
    return Offer("CNI", "unknown", "no known agent among the DaemonSets", todo)


def _prometheus(cluster: Cluster) -> Offer:
    services = [o["metadata"] for o in cluster.list(SERVICES) if "prometheus" in o["metadata"]["name"]]
    named = [f"{m['namespace']}/{m['name']}" for m in services if "exporter" not in m["name"]]
    operator = " (its operator, too: --with monitoring)" if knows(cluster, OPERATOR) else ""
    if named:
        return Offer("Prometheus", "ok", f"Services {', '.join(named[:3])}{operator}")
    todo = "without metrics, waves are judged by probes alone"
    return Offer("Prometheus", "warning", f"no Service of that name{operator}", todo)


def _argo(cluster: Cluster) -> Offer:
    if not knows(cluster, TEMPLATES):
        return Offer("Argo Workflows", "ok", "not there; needed for sources with engine: argo alone")
    running = [
        c["image"]
        for d in cluster.list(DEPLOYMENTS)
        for c in d["spec"]["template"]["spec"]["containers"]
        if "workflow-controller" in c["image"]
    ]
    if not running:
        todo = "sources with engine: argo need a controller that runs"
        return Offer("Argo Workflows", "warning", "its CRDs, but no workflow-controller was found", todo)
    version = re.search(r":v?(\d+)\.", running[0])
    if version is not None and int(version[1]) < 4:
        return Offer("Argo Workflows", "warning", running[0], "engine: argo is made for Argo Workflows 4")
    return Offer("Argo Workflows", "ok", f"{running[0]} (--with argo)")


def _namespace(cluster: Cluster, namespace: str) -> Offer:
    try:
        found = cluster.get(NAMESPACES, namespace)
    except NotFound:
        return Offer("namespace", "ok", f"{namespace} is made")
    if found["metadata"].get("deletionTimestamp"):
        todo = f"wait until it is gone; `kubectl describe namespace {namespace}` says what holds it"
        return Offer("namespace", "missing", f"{namespace} is being deleted", todo)
    return Offer("namespace", "ok", f"{namespace} is there")


def _installed(cluster: Cluster, namespace: str) -> Offer:
    try:
        found = cluster.get(DEPLOYMENTS, "netpol-canary", namespace)
    except NotFound:
        return Offer("installed", "ok", "nothing of netpol-canary yet")
    image = found["spec"]["template"]["spec"]["containers"][0]["image"]
    return Offer("installed", "ok", f"{image} in the namespace {namespace}; it is brought up to date")


def knows(cluster: Cluster, kind: Kind) -> bool:
    """Whether the API server serves a kind; taken for granted where it does not say."""
    try:
        cluster.list(kind, "default")
    except (NotFound, BadInput):
        return False
    except PortError:
        return True
    return True
