"""Argo Rollouts and Canaries of Flagger as they stand: what they have promoted, and what has become of a new version.

Sources: argoproj.io/v1alpha1 RolloutStatus; flagger.app/v1beta1 CanaryStatus. Neither has to be installed.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.errors import ApiError, Forbidden, NotFound
from orchestrator.ports import Cluster, Kind
from orchestrator.rollout.following import CanaryDeployment, Phase
from orchestrator.rollout.resources.model import Follow

ARGO, FLAGGER = Kind("argoproj.io/v1alpha1", "Rollout"), Kind("flagger.app/v1beta1", "Canary")
_SETTLED = ("Initialized", "Succeeded")


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
