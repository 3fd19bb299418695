"""Whether somebody may do something, as the API server says, remembered for some seconds."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from orchestrator.errors import PortError
from orchestrator.ports import Clock, Cluster
from orchestrator.rollout.resources.model import GROUP

FRESH = timedelta(seconds=10)
MOST = 200
REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}


class Permission:
    """`Viewer.may` on a cluster that is called as the viewer; what cannot be asked is no."""

    def __init__(self, cluster: Cluster, namespace: str, clock: Clock) -> None:
        self._cluster, self._namespace, self._clock = cluster, namespace, clock
        self._known: OrderedDict[tuple[str, str], tuple[bool, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, verb: str, resource: str) -> bool:
        now = self._clock.now()
        with self._lock:
            known = self._known.get((verb, resource))
        if known is not None and now - known[1] < FRESH:
            return known[0]
        try:
            answer = self._asked(verb, resource)
        except PortError as error:
            structlog.get_logger().warning("a permission is unknown", verb=verb, error=str(error))
            return False
        with self._lock:
            self._known[verb, resource] = (answer, now)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return answer

    def _asked(self, verb: str, resource: str) -> bool:
        name, _, part = resource.partition("/")
        asked = {
            "group": GROUP,
            "resource": name,
            "subresource": part,
            "verb": verb,
            "namespace": self._namespace,
        }
        found = self._cluster.create({**REVIEW, "spec": {"resourceAttributes": asked}})
        return bool((found.get("status") or {}).get("allowed"))
