"""What else changed in the minutes in which a wave went wrong: workloads that were rolled out themselves."""

from datetime import datetime, timedelta

from orchestrator.context import Context
from orchestrator.errors import PortError
from orchestrator.ports import Kind, Manifest
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.rollout.resources.timestamps import stamp

# A new version of a Deployment is a new ReplicaSet, that of a StatefulSet or DaemonSet a new ControllerRevision.
TRACES = (Kind("apps/v1", "ReplicaSet"), Kind("apps/v1", "ControllerRevision"))
MINUTES = 10


def suspects(ctx: Context, state: State, analysis: WaveAnalysis) -> list[str]:
    """`Deployment namespace/name was rolled out at …`, the newest first; best effort, never an error."""
    since = analysis.spec.since - timedelta(minutes=MINUTES)
    found: list[tuple[datetime, str]] = []
    for kind in TRACES:
        try:
            items = ctx.cluster.list(kind)
        except PortError:
            continue
        for item in items:
            made = stamp(item["metadata"].get("creationTimestamp"))
            if made is not None and made >= since and item["metadata"]["namespace"] in analysis.spec.watched:
                found.append((made, f"{_owner(item)} was rolled out at {made:%H:%M:%S}"))
    return [text[:1000] for _, text in sorted(found, reverse=True)]


def _owner(obj: Manifest) -> str:
    meta = obj["metadata"]
    owner = next((o for o in meta.get("ownerReferences") or [] if o.get("controller")), None)
    kind, name = (owner["kind"], owner["name"]) if owner else (obj["kind"], meta["name"])
    return f"{kind} {meta['namespace']}/{name}"
