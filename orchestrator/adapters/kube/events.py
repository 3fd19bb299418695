"""Kubernetes Events on the PolicyRollout: what `kubectl describe` shows of what happened, a short line each."""

import uuid

import structlog

from orchestrator.errors import PortError
from orchestrator.harmless import visible
from orchestrator.ports import Clock, Cluster, Manifest
from orchestrator.rollout.resources.bounds import sentence


class EventNotifier:
    """Implements `Notifier`; an Event that cannot be written is logged and forgotten."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster, self._clock = cluster, clock

    def notify(self, rollout: Manifest, reason: str, message: str, warning: bool) -> None:
        meta = rollout["metadata"]
        now = self._clock.now()
        stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        log = structlog.get_logger().bind(rollout=meta["name"])
        log.log(30 if warning else 20, message or reason, reason=reason)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name'][:200]}.{uuid.uuid4().hex[:12]}",
                "namespace": meta["namespace"],
            },
            "involvedObject": {
                "apiVersion": rollout["apiVersion"],
                "kind": rollout["kind"],
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta.get("uid", ""),
            },
            "reason": reason,
            "message": visible(sentence(message)),
            "type": "Warning" if warning else "Normal",
            "source": {"component": "netpol-canary"},
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        }
        try:
            self._cluster.create(event)
        except PortError as error:
            log.warning("an Event could not be written", error=str(error))
