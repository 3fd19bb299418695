"""Numbers from the Kubernetes API itself: readiness, restarts, endpoints, warning events, by namespace.

The API keeps no history, but objects say when they last changed: what a pod was at an earlier time follows
from its Ready condition's last transition, and its restarts from the last start of each container. Pods that
are gone since are not seen, so a comparison with the past errs on the quiet side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.adapters.kube.workloads import within
from orchestrator.adapters.metrics.metric_sources import Settings
from orchestrator.errors import MetricError, PortError
from orchestrator.ports import Clock, Cluster, Kind, Manifest, Sample
from orchestrator.rollout.resources.objects import PROBE_LABEL
from orchestrator.rollout.resources.timestamps import stamp

POD = Kind("v1", "Pod")
EVENT = Kind("v1", "Event")
SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice")
OWN = "netpol-canary"
LATE = timedelta(seconds=30)  # how long ago counts as now, for what says nothing of its past
_FORM = re.compile(r'\s*(\w+)\s*(?:\{\s*(?:namespace\s*=~?\s*"([^"{}]*)"\s*,?\s*)?\})?\s*', re.ASCII)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

Count = Callable[[Manifest, datetime], float | None]


def build(settings: Settings) -> KubernetesSource:
    """Needs no settings: the cluster is the one that is rolled out to."""
    return KubernetesSource(settings.cluster, settings.clock)


@dataclass(frozen=True)
class KubernetesSource:
    """Implements `MetricSource`; an expression is `ready{namespace=~"a|b"}`, or without braces for all.

    ready, unready: pods by their Ready condition, ending ones aside. restarts: of all containers, a counter.
    endpoints: ready endpoints in EndpointSlices. warnings: Warning events that still stand, a counter. Our
    probes' pods and finished pods do not count. A namespace without pods has no sample for what is of pods.
    """

    cluster: Cluster
    clock: Clock

    def query(self, expression: str, at: datetime) -> list[Sample]:
        what, names = _parsed(expression)
        kind, count, past = WHAT[what]
        if not past and self.clock.now() - at > LATE:
            raise MetricError(
                f"the Kubernetes API does not know {what} of the past: take minimum and maximum"
            )
        found: dict[str, float] = dict.fromkeys(names, 0.0) if kind == EVENT else {}
        for obj in self._objects(kind, names):
            value = count(obj, at)
            if value is not None:
                space = str(obj["metadata"].get("namespace", ""))
                found[space] = found.get(space, 0.0) + value
        return [Sample({"namespace": n}, v, at) for n, v in sorted(found.items())]

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        raise MetricError("the Kubernetes API has no history: sequential tests need Prometheus")

    def _objects(self, kind: Kind, names: Sequence[str]) -> Iterator[Manifest]:
        try:
            yield from within(self.cluster, kind, names) if names else self.cluster.list(kind)
        except PortError as error:
            text = " ".join(str(error).split())[:300]
            raise MetricError(f"the Kubernetes API gave no {kind.kind} list: {text}") from None


def _parsed(expression: str) -> tuple[str, list[str]]:
    match = _FORM.fullmatch(expression)
    if match is None or match[1] not in WHAT:
        known = ", ".join(WHAT)
        raise MetricError(
            f'not understood; the provider kubernetes takes one of {known}, as ready{{namespace=~"a|b"}}'
        )
    names = [n for n in dict.fromkeys((match[2] or "").split("|")) if n]
    wrong = [n for n in names if not _NAME.fullmatch(n)]
    if wrong:
        raise MetricError(f"{wrong[0]} is no namespace: the provider kubernetes takes names, joined by |")
    return match[1], names


def ready(pod: Manifest, at: datetime) -> float | None:
    """1 or 0 by the Ready condition at a time; None where the pod does not count, or was not there yet."""
    created = stamp(pod["metadata"].get("creationTimestamp"))
    if not _counts(pod) or pod["metadata"].get("deletionTimestamp") or (created and created > at):
        return None
    conditions = (pod.get("status") or {}).get("conditions") or []
    condition: Manifest = next((c for c in conditions if c.get("type") == "Ready"), {})
    turned, now = stamp(condition.get("lastTransitionTime")), condition.get("status") == "True"
    return float(now if turned is None or turned <= at else not now)


def unready(pod: Manifest, at: datetime) -> float | None:
    """The opposite."""
    found = ready(pod, at)
    return None if found is None else 1.0 - found


def restarts(pod: Manifest, at: datetime) -> float | None:
    """The restart counts at a time; of the restarts since then only the last of each container is known."""
    created = stamp(pod["metadata"].get("creationTimestamp"))
    if not _counts(pod) or (created and created > at):
        return None
    status, total = pod.get("status") or {}, 0.0
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or []:
            count = int(container.get("restartCount", 0))
            last = _last_start(container)
            total += count - int(count > 0 and last is not None and last > at)
    return total


def endpoints(obj: Manifest, at: datetime) -> float | None:
    """Ready endpoints of a slice; one that says nothing is ready (EndpointSlice API, conditions.ready).

    A pod counts once for each Service and address family that it is behind.
    """
    found = obj.get("endpoints") or []
    return float(sum((e.get("conditions") or {}).get("ready") is not False for e in found))


def warnings(event: Manifest, at: datetime) -> float | None:
    """How often a Warning happened until a time; of what happened since then only the last one is known."""
    reporter = (event.get("source") or {}).get("component") or event.get("reportingComponent")
    about = str((event.get("involvedObject") or {}).get("name", ""))
    if event.get("type") != "Warning" or reporter == OWN or about.startswith(f"{OWN}-"):
        return None
    series = event.get("series") or {}
    created = stamp(event["metadata"].get("creationTimestamp"))
    first = stamp(event.get("firstTimestamp")) or stamp(event.get("eventTime")) or created
    last = stamp(series.get("lastObservedTime")) or stamp(event.get("lastTimestamp")) or first
    if first is not None and first > at:
        return None
    count = float(series.get("count") or event.get("count") or 1)
    return count - 1 if last is not None and last > at else count


# By name: where it is seen, how it is counted, and whether an earlier time can be asked about.
WHAT: Mapping[str, tuple[Kind, Count, bool]] = {
    "ready": (POD, ready, True),
    "unready": (POD, unready, True),
    "restarts": (POD, restarts, True),
    "endpoints": (SLICE, endpoints, False),
    "warnings": (EVENT, warnings, True),
}


def _counts(pod: Manifest) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return PROBE_LABEL not in labels and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _last_start(container: Mapping[str, Any]) -> datetime | None:
    """When a container last came up again, or last went down if it has not come up since."""
    running = (container.get("state") or {}).get("running") or {}
    ended = (container.get("lastState") or {}).get("terminated") or {}
    times = [t for t in (stamp(running.get("startedAt")), stamp(ended.get("finishedAt"))) if t is not None]
    return max(times, default=None)
