"""What is shown to everybody, where the operator says so: the service account's view, less what is nobody's business."""

from collections.abc import Iterator
from typing import Any, NoReturn

from orchestrator.errors import Forbidden
from orchestrator.ports import Cluster, Event, Kind, Manifest
from orchestrator.rollout.resources.model import GROUP
from orchestrator.server.parts import Viewer

SHOWN = (GROUP, "networking.k8s.io", "policy.networking.k8s.io")
READS = ("get", "list", "watch")


class ReadOnly:
    """Implements `Cluster`: reads rollouts, policies and namespaces; no Secrets, no logs, no writes."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest:
        self._shown(kind)
        return self._cluster.get(kind, name, namespace)

    def list(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        self._shown(kind)
        return self._cluster.list(kind, namespace, labels)

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        self._shown(kind)
        return self._cluster.watch(kind, namespace, labels, since=since, seconds=seconds)

    def _denied(self, *_: Any, **__: Any) -> NoReturn:
        raise Forbidden("sign in first", 403)

    create = replace = replace_status = delete = log = _denied

    def _shown(self, kind: Kind) -> None:
        group = kind.api_version.partition("/")[0]
        if group not in SHOWN and kind != Kind("v1", "Namespace"):
            self._denied()

    def user(self) -> tuple[str, tuple[str, ...]]:
        return "", ()


def anybody(cluster: Cluster) -> Viewer:
    """Whoever comes; nobody by name."""
    return Viewer("", (), ReadOnly(cluster), lambda verb, resource: verb in READS, "")
