"""`--dry-run=server`: the API server checks what would be written, with every admission policy, and keeps nothing."""

from dataclasses import replace
from typing import Any, cast

from orchestrator.context import Context
from orchestrator.errors import BadInput
from orchestrator.ports import Cluster, Kind, Manifest

SAID = " (server dry run)"


class DryCluster:
    """A cluster whose writes are checked and not kept."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def create(self, obj: Manifest, *, dry_run: bool = True) -> Manifest:
        return self._cluster.create(obj, dry_run=True)

    def replace(self, obj: Manifest, *, dry_run: bool = True) -> Manifest:
        return self._cluster.replace(obj, dry_run=True)

    def replace_status(self, obj: Manifest, *, dry_run: bool = True) -> Manifest:
        return self._cluster.replace_status(obj, dry_run=True)

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None,
        *,
        uid: str,
        resource_version: str,
        dry_run: bool = True,
    ) -> None:
        exact = {"uid": uid, "resource_version": resource_version}
        self._cluster.delete(kind, name, namespace, **exact, dry_run=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)


def rehearsed(ctx: Context, dry_run: str, here: bool = False) -> Context:
    """The context, or one that keeps nothing. Raises BadInput for another word than kubectl's `server` and `none`."""
    if dry_run in ("", "none"):
        return ctx
    if dry_run != "server":
        raise BadInput(
            f"{dry_run} is not known here", "--dry-run", "take server: only the API server can say it"
        )
    if here:
        raise BadInput("--here carries it out, --dry-run does not", hint="give one of them")
    return replace(ctx, cluster=cast(Cluster, DryCluster(ctx.cluster)))


def remark(ctx: Context) -> str:
    """What stands behind the answer where nothing was kept."""
    return SAID if isinstance(ctx.cluster, DryCluster) else ""
