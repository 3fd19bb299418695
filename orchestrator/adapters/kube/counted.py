"""A Cluster that tells how often it is called, and how the calls end."""

from collections.abc import Callable, Iterator

from orchestrator.errors import ApiError, Unreachable
from orchestrator.ports import Cluster, Event, Kind, Manifest

Tell = Callable[[str, str, str], None]


class CountedCluster:
    """Implements `Cluster`; `tell(verb, kind, outcome)`, where the outcome is ok, a status or unreachable."""

    def __init__(self, cluster: Cluster, tell: Tell) -> None:
        self._cluster, self._tell = cluster, tell

    def _told(self, verb: str, kind: str, work: Callable[[], Manifest]) -> Manifest:
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
        found: list[list[Manifest]] = []

        def work() -> Manifest:
            found.append(self._cluster.list(kind, namespace, labels))
            return {}

        self._told("list", kind.kind, work)
        return found[0]

    def create(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        verb = "dry-run" if dry_run else "create"
        return self._told(verb, obj["kind"], lambda: self._cluster.create(obj, dry_run=dry_run))

    def replace(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        verb = "dry-run" if dry_run else "replace"
        return self._told(verb, obj["kind"], lambda: self._cluster.replace(obj, dry_run=dry_run))

    def replace_status(self, obj: Manifest) -> Manifest:
        return self._told("status", obj["kind"], lambda: self._cluster.replace_status(obj))

    def delete(
        self, kind: Kind, name: str, namespace: str | None, *, uid: str, resource_version: str
    ) -> None:
        def work() -> Manifest:
            self._cluster.delete(kind, name, namespace, uid=uid, resource_version=resource_version)
            return {}

        self._told("delete", kind.kind, work)

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        self._tell("watch", kind.kind, "ok")
        return self._cluster.watch(kind, namespace, labels, since=since, seconds=seconds)

    def log(self, name: str, namespace: str, *, lines: int = 0, limit_bytes: int = 65536) -> str:
        found: list[str] = []

        def work() -> Manifest:
            found.append(self._cluster.log(name, namespace, lines=lines, limit_bytes=limit_bytes))
            return {}

        self._told("log", "Pod", work)
        return found[0]

    def user(self) -> tuple[str, tuple[str, ...]]:
        return self._cluster.user()
