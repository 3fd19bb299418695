"""Argo Rollouts and Canaries of Flagger as they stand: what they have promoted, and what has become of a new version.

Sources: argoproj.io/v1alpha1 RolloutStatus; flagger.app/v1beta1 CanaryStatus. Neither has to be installed.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.errors import ApiError, Forbidden, NotFound
from orchestrator.policy.objects.owners import owner_of
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.rollout.following import CanaryDeployment, Phase
from orchestrator.rollout.resources.model import CanaryPods, Follow, Label

ARGO, FLAGGER = Kind("argoproj.io/v1alpha1", "Rollout"), Kind("flagger.app/v1beta1", "Canary")
_SETTLED = ("Initialized", "Succeeded")
TEMPLATE_HASH = "rollouts-pod-template-hash"
SELECTOR_LABELS = (
    "app",
    "name",
    "app.kubernetes.io/name",
)  # by which Flagger finds pods where it is told of no other


def followed(cluster: Cluster, follow: Follow) -> CanaryDeployment | None:
    """The one that a source follows; None where it follows none. `unknown` where it cannot be read."""
    kind, place = (ARGO, follow.argo_rollout) if follow.argo_rollout else (FLAGGER, follow.flagger)
    if not place:
        return None
    space, _, name = place.partition("/")
    title = f"the {'Argo Rollout' if kind == ARGO else 'Canary'} {place}"
    try:
        status = cluster.get(kind, name, space).get("status") or {}
    except NotFound:
        return CanaryDeployment(title, "unknown", said="not there")
    except (Forbidden, ApiError) as error:
        return CanaryDeployment(title, "unknown", said=f"not readable: {error}"[:500])
    return (_argo if kind == ARGO else _flagger)(title, status)


def _argo(title: str, status: Mapping[str, Any]) -> CanaryDeployment:
    stable, version = str(status.get("stableRS") or ""), str(status.get("currentPodHash") or "")
    said = str(status.get("phase") or "without a status")
    phase: Phase = "running"
    if status.get("abort") or (said == "Degraded" and version != stable):
        phase = "failed"
    elif said == "Healthy" and stable and version == stable:
        phase = "promoted"
    return CanaryDeployment(title, phase, stable, version, _worded(said, status.get("message")))


def _flagger(title: str, status: Mapping[str, Any]) -> CanaryDeployment:
    said = str(status.get("phase") or "without a status")
    version = str(status.get("lastAppliedSpec") or "")
    promoted = str(status.get("lastPromotedSpec") or (version if said in _SETTLED else ""))
    phase: Phase = "promoted" if said in _SETTLED else "failed" if said == "Failed" else "running"
    return CanaryDeployment(title, phase, promoted, version, said)


def _worded(phase: str, message: Any) -> str:
    return f"{phase}, {message}"[:500] if message else phase


class NoCanary(Exception):
    """A canary deployment has no pods of a canary now, and why; for people."""


def canary_labels(cluster: Cluster, plan: CanaryPods, namespace: str) -> tuple[Label, ...]:
    """The labels that the pods of a canary have and no others of their workload. Raises NoCanary."""
    kind, name = (ARGO, plan.argo_rollout) if plan.argo_rollout else (FLAGGER, plan.flagger)
    title = f"the {'Argo Rollout' if kind == ARGO else 'Canary'} {namespace}/{name}"
    try:
        found = cluster.get(kind, name, namespace)
    except NotFound:
        raise NoCanary(f"{title} is not there") from None
    except ApiError as error:
        raise NoCanary(f"{title} is not readable: {error}") from None
    status = found.get("status") or {}
    return _argo_labels(title, status) if kind == ARGO else _flagger_labels(cluster, title, found)


def _argo_labels(title: str, status: Mapping[str, Any]) -> tuple[Label, ...]:
    stable, version = str(status.get("stableRS") or ""), str(status.get("currentPodHash") or "")
    if not version or version == stable:
        raise NoCanary(f"{title} has no canary now")
    return (Label(key=TEMPLATE_HASH, value=version),)


def _flagger_labels(cluster: Cluster, title: str, found: Manifest) -> tuple[Label, ...]:
    """Flagger tells a canary's pods from those of the primary by the label that says their app."""
    target = (found.get("spec") or {}).get("targetRef") or {}
    owner = str(target.get("kind") or "Deployment"), str(target.get("name") or "")
    pods = cluster.list(Kind("v1", "Pod"), str(found["metadata"]["namespace"]))
    of_canary = [pod["metadata"].get("labels") or {} for pod in pods if owner_of(pod) == owner]
    for labels in of_canary:
        key = next((key for key in SELECTOR_LABELS if key in labels), "")
        if key:
            return (Label(key=key, value=str(labels[key])),)
    raise NoCanary(f"{title} has no canary now")
