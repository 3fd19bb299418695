"""Ways of seeing that a change may cut off, looked at in the cluster itself: pods that are no longer Ready."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from orchestrator.adapters.kube.workloads import within
from orchestrator.context import POD, Context
from orchestrator.errors import Forbidden
from orchestrator.ports import Manifest
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.objects import PROBE_LABEL
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.rollout.resources.timestamps import stamp
from orchestrator.wording import few

MOST_NAMED = 5
LONGEST_PERIOD = 60  # seconds between two readiness probes; who asks less often is not waited for
FLAPPING = 3  # restarts of a container after which it says nothing of a change


def unready(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> tuple[list[str], str]:
    """Pods that were there before the wave and turned unready after it was applied: what is lost, and what is waited for.

    Lost are those that stayed so for a look, and for as long as the kubelet takes to ask once more; the others are
    waited for. Neither where the controls' pods are unready as well: then the cluster is ill, not the change.
    """
    plan = state.rollout.spec.strategy.analysis
    applied = _applied(state, analysis)
    lost: dict[str, list[str]] = {}
    fresh: list[str] = []
    for pod in _pods(ctx, [*analysis.spec.watched, *analysis.spec.control_group]):
        turned, space = _turned(pod, analysis.spec.since), str(pod["metadata"]["namespace"])
        if turned is None or turned < applied:
            continue
        name = f"{space}/{pod['metadata']['name']}"
        if (at - turned).total_seconds() >= max(plan.interval_seconds, _asked_again(pod)):
            lost.setdefault(space, []).append(name)
        elif space in analysis.spec.watched:
            fresh.append(name)
    if any(c in lost for c in analysis.spec.control_group):
        return [], ""
    names = [n for space in analysis.spec.watched for n in lost.get(space, [])]
    return (
        [f"pods no longer Ready since the change: {few(names, MOST_NAMED)}"] if names else [],
        f"pods are not Ready, and have to be again: {few(fresh, MOST_NAMED)}" if fresh else "",
    )


def _pods(ctx: Context, spaces: Sequence[str]) -> Iterator[Manifest]:
    with suppress(Forbidden):
        yield from within(ctx.cluster, POD, spaces)


def _applied(state: State, analysis: WaveAnalysis) -> datetime:
    """When the first namespace of the wave was written; pods' conditions have whole seconds."""
    times = [
        item.status.applied_at.replace(microsecond=0)
        for item in state.in_wave(analysis.spec.wave)
        if item.status.applied_at
    ]
    return min(times, default=analysis.spec.since)


def _turned(pod: Manifest, before: datetime) -> datetime | None:
    """When a pod that stood before turned unready.

    None where it is Ready, new, ending, one of our probes, or one that fell again and again already.
    """
    meta = pod["metadata"]
    if meta.get("deletionTimestamp") or PROBE_LABEL in (meta.get("labels") or {}):
        return None
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return None
    if any(
        c.get("restartCount", 0) >= FLAPPING for c in (pod.get("status") or {}).get("containerStatuses") or []
    ):
        return None
    created = stamp(meta.get("creationTimestamp"))
    if created is None or created > before:
        return None
    return next(_not_ready(pod), None)


def _asked_again(pod: Manifest) -> float:
    """Seconds from one answer of the slowest readiness probe to the next, with the API's defaults."""
    probes = [c.get("readinessProbe") or {} for c in (pod.get("spec") or {}).get("containers") or []]
    again = [_seconds(p, "periodSeconds", 10) + _seconds(p, "timeoutSeconds", 1) for p in probes if p]
    return min(max(again, default=0), LONGEST_PERIOD)


def _seconds(probe: Manifest, field: str, default: int) -> int:
    given = probe.get(field)
    return given if isinstance(given, int) and given > 0 else default


def _not_ready(pod: Manifest) -> Iterator[datetime]:
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "Ready" and condition.get("status") == "False":
            found = stamp(condition.get("lastTransitionTime"))
            if found is not None:
                yield found
