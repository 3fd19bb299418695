"""Objects of an apiVersion that Kubernetes does not serve any more. Source: the Kubernetes deprecation guide."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.lint.findings import RULES, Finding, reasons
from orchestrator.policy.workloads.fleet import Fleet


@dataclass(frozen=True)
class Gone:
    """The minor version of Kubernetes 1 that serves it no more, and what to write instead."""

    since: int
    instead: str


_APPS, _NET = Gone(16, "apps/v1"), Gone(22, "networking.k8s.io/v1")
_WORKLOADS = dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), _APPS)
_HOOKS = Gone(22, "admissionregistration.k8s.io/v1")
_ROLES = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
GONE: dict[str, dict[str, Gone]] = {
    "extensions/v1beta1": {
        **_WORKLOADS,
        "NetworkPolicy": Gone(16, "networking.k8s.io/v1"),
        "PodSecurityPolicy": Gone(16, "Pod Security Admission"),
        "Ingress": _NET,
    },
    "apps/v1beta1": _WORKLOADS,
    "apps/v1beta2": _WORKLOADS,
    "networking.k8s.io/v1beta1": {"Ingress": _NET, "IngressClass": _NET},
    "batch/v2alpha1": {"CronJob": Gone(21, "batch/v1")},
    "batch/v1beta1": {"CronJob": Gone(25, "batch/v1")},
    "policy/v1beta1": {
        "PodDisruptionBudget": Gone(25, "policy/v1"),
        "PodSecurityPolicy": Gone(25, "Pod Security Admission"),
    },
    "admissionregistration.k8s.io/v1beta1": dict.fromkeys(
        ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"), _HOOKS
    ),
    "apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition": Gone(22, "apiextensions.k8s.io/v1")},
    "apiregistration.k8s.io/v1beta1": {"APIService": Gone(22, "apiregistration.k8s.io/v1")},
    "rbac.authorization.k8s.io/v1beta1": dict.fromkeys(_ROLES, Gone(22, "rbac.authorization.k8s.io/v1")),
    "rbac.authorization.k8s.io/v1alpha1": dict.fromkeys(_ROLES, Gone(22, "rbac.authorization.k8s.io/v1")),
    "discovery.k8s.io/v1beta1": {"EndpointSlice": Gone(25, "discovery.k8s.io/v1")},
    "autoscaling/v2beta1": {"HorizontalPodAutoscaler": Gone(25, "autoscaling/v2")},
    "autoscaling/v2beta2": {"HorizontalPodAutoscaler": Gone(26, "autoscaling/v2")},
}


def outdated(fleet: Fleet, kubernetes: str = "") -> Iterator[Finding]:
    """What a server of this version (such as `1.34`; empty is the newest) does not take for its apiVersion."""
    match = re.match(r"1\.(\d+)", kubernetes)
    minor = int(match[1]) if match else 10_000
    placed = [(w.obj, fleet.lines.get(w.name, "")) for w in fleet.workloads if w.obj]
    placed += [(d.obj, d.where) for d in fleet.beside]
    told = set()
    for obj, where in placed:
        gone = GONE.get(str(obj["apiVersion"]), {}).get(str(obj["kind"]))
        subject = _subject(obj)
        if gone is None or minor < gone.since or (subject, where) in told:
            continue
        told.add((subject, where))
        text = f"{obj['apiVersion']} is not served by Kubernetes from 1.{gone.since} on: write {gone.instead}"
        yield Finding(RULES["NPC023"], subject, text, where, reasons(obj["metadata"]).get("NPC023", ""))


def _subject(obj: Mapping[str, Any]) -> str:
    space = obj["metadata"].get("namespace")
    return f"{obj['kind']} {f'{space}/' if space else ''}{obj['metadata']['name']}"
