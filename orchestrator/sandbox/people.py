"""The in-memory cluster as different people see it: each with a name, groups and what those may do."""

from collections.abc import Callable, Iterator
from typing import cast

from orchestrator.errors import Forbidden
from orchestrator.ports import Cluster, Event, Kind, Manifest
from orchestrator.rollout.resources.model import GROUP
from orchestrator.sandbox.cluster import MemoryCluster

REVIEW = "SelfSubjectAccessReview"
READS = ("get", "list", "watch")
ENGINEERS = "release-engineers"
# As config/rbac/people.yaml grants it.
GRANTED = {
    ("create", "rolloutapprovals"),
    ("create", "rolloutfreezes"),
    ("update", "rolloutfreezes"),
    ("delete", "rolloutfreezes"),
    ("update", "policyrollouts"),
    ("update", "policysources/status"),
}
Allowed = Callable[[str, tuple[str, ...], str, str], bool]


def shipped(user: str, groups: tuple[str, ...], verb: str, resource: str) -> bool:
    """Everybody reads; release engineers may do what config/rbac lets them."""
    return verb in READS or (ENGINEERS in groups and (verb, resource) in GRANTED)


class People:
    """Who calls the in-memory cluster; `allowed(user, groups, verb, resource)` stands for RBAC.

    `tokens` are those that the cluster accepts, each with the name and groups that it stands for.
    """

    def __init__(
        self,
        cluster: MemoryCluster,
        allowed: Allowed = shipped,
        tokens: dict[str, tuple[str, tuple[str, ...]]] | None = None,
    ) -> None:
        self._cluster, self._allowed, self._tokens = cluster, allowed, tokens or {}

    def with_token(self, token: str) -> Cluster:
        return OnePerson(self._cluster, *self._tokens.get(token, ("", ())), self._allowed)

    def impersonating(self, user: str, groups: tuple[str, ...]) -> Cluster:
        return OnePerson(self._cluster, user, groups, self._allowed)


class OnePerson:
    """Implements `Cluster` for one person; without a name every call is Forbidden with 401."""

    def __init__(self, cluster: MemoryCluster, user: str, groups: tuple[str, ...], allowed: Allowed) -> None:
        self._cluster = cast(Cluster, cluster.acting_as(user, *groups))
        self._user, self._groups, self._allowed = user, groups, allowed

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest:
        self._may("get", kind.kind)
        return self._cluster.get(kind, name, namespace)

    def list(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        self._may("list", kind.kind)
        return self._cluster.list(kind, namespace, labels)

    def create(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        if obj["kind"] == REVIEW:
            return self._reviewed(obj)
        self._may("create", obj["kind"])
        return self._cluster.create(obj, dry_run=dry_run)

    def replace(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        self._may("update", obj["kind"])
        return self._cluster.replace(obj, dry_run=dry_run)

    def replace_status(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        self._may("update", obj["kind"], "/status")
        return self._cluster.replace_status(obj, dry_run=dry_run)

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
        self._may("delete", kind.kind)
        self._cluster.delete(
            kind, name, namespace, uid=uid, resource_version=resource_version, dry_run=dry_run
        )

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        self._may("watch", kind.kind)
        return self._cluster.watch(kind, namespace, labels, since=since, seconds=seconds)

    def log(self, name: str, namespace: str, *, lines: int = 0, limit_bytes: int = 65536) -> str:
        self._may("get", "Pod", "/log")
        return self._cluster.log(name, namespace, lines=lines, limit_bytes=limit_bytes)

    def user(self) -> tuple[str, tuple[str, ...]]:
        self._known()
        return self._user, self._groups

    def _known(self) -> None:
        if not self._user:
            raise Forbidden("Unauthorized", 401)

    def _may(self, verb: str, kind: str, part: str = "") -> None:
        self._known()
        resource = plural(kind) + part
        if not self._allowed(self._user, self._groups, verb, resource):
            raise Forbidden(f'User "{self._user}" cannot {verb} resource "{resource}" in API group "{GROUP}"')

    def _reviewed(self, obj: Manifest) -> Manifest:
        self._known()
        asked = obj["spec"]["resourceAttributes"]
        part = asked.get("subresource", "")
        resource = asked["resource"] + (f"/{part}" if part else "")
        fine = self._allowed(self._user, self._groups, asked["verb"], resource)
        return {**obj, "status": {"allowed": fine}}


def plural(kind: str) -> str:
    """A kind as requests name it, such as `networkpolicies`."""
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name[:-2]}es" if name.endswith("is") else f"{name}s"
