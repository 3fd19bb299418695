"""A Cluster that tells how often it is called, and how the calls end."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from orchestrator.errors import ApiError, Unreachable
from orchestrator.ports import Cluster, Event, Kind, Manifest

Tell = Callable[[str, str, str], None]
T = TypeVar("T")


class CountedCluster:
    """Implements `Cluster`; `tell(verb, kind, outcome)`, where the outcome is ok, a status or unreachable."""

    def __init__(self, cluster: Cluster, tell: Tell) -> None:
        self._cluster, self._tell = cluster, tell

    def _told(self, verb: str, kind: str, work: Callable[[], T]) -> T:
        outcome = "ok"
        try:
            return work()
        except ApiError as error:
            outcome = str(error.status)
            raise
        except Unreachable:
            outcome = "unreachable"
            raise
        finally:
            self._tell(verb, kind, outcome)

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest:
        return self._told("get", kind.kind, lambda: self._cluster.get(kind, name, namespace))

    def list(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        return self._told("list", kind.kind, lambda: self._cluster.list(kind, namespace, labels))

    def create(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        verb = "dry-run" if dry_run else "create"
        return self._told(verb, obj["kind"], lambda: self._cluster.create(obj, dry_run=dry_run))

    def replace(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        verb = "dry-run" if dry_run else "replace"
        return self._told(verb, obj["kind"], lambda: self._cluster.replace(obj, dry_run=dry_run))

    def replace_status(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        verb = "dry-run" if dry_run else "status"
        return self._told(verb, obj["kind"], lambda: self._cluster.replace_status(obj, dry_run=dry_run))

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None,
        *,
        uid: str,
        resource_version: str,
        dry_run: bool = False,
    ) -> None:
        exact = partial(self._cluster.delete, uid=uid, resource_version=resource_version, dry_run=dry_run)
        self._told("dry-run" if dry_run else "delete", kind.kind, partial(exact, kind, name, namespace))

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        self._tell("watch", kind.kind, "ok")
        return self._cluster.watch(kind, namespace, labels, since=since, seconds=seconds)

    def log(self, name: str, namespace: str, *, lines: int = 0, limit_bytes: int = 65536) -> str:
        log = partial(self._cluster.log, name, namespace, lines=lines, limit_bytes=limit_bytes)
        return self._told("log", "Pod", log)

    def user(self) -> tuple[str, tuple[str, ...]]:
        return self._cluster.user()
