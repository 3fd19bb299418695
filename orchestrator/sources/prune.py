"""Let go of what is done: finalizers of deleted records, and rollouts beyond the history limit."""

from collections.abc import Sequence
from contextlib import suppress

import structlog

from orchestrator.context import FINALIZER, NAMESPACE_ROLLOUT, ROLLOUT, Context
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.ports import Manifest
from orchestrator.rollout.outbox import UNSENT
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.sources.rolled_back import refusing


def closed(rollout: Rollout) -> bool:
    """Ended, and its source knows."""
    held = set(rollout.manifest["metadata"].get("finalizers") or []) - {UNSENT}
    return rollout.status.phase in TERMINAL and not held


def let_go(ctx: Context, obj: Manifest, finalizer: str = FINALIZER) -> None:
    """Take our finalizer off an object; whoever changed or removed it meanwhile is right."""
    kept = [f for f in obj["metadata"].get("finalizers") or [] if f != finalizer]
    if kept == (obj["metadata"].get("finalizers") or []):
        return
    with suppress(Conflict, NotFound):
        ctx.cluster.replace({**obj, "metadata": {**obj["metadata"], "finalizers": kept}})


def records_of(ctx: Context, rollout: str) -> list[Manifest]:
    """The NamespaceRollouts of a rollout."""
    return ctx.cluster.list(NAMESPACE_ROLLOUT, ctx.namespace, f"{ROLLOUT_LABEL}={rollout}")


def orphans(ctx: Context, rollouts: Sequence[Rollout]) -> None:
    """Deleted NamespaceRollouts whose rollout ended well, or is gone: nobody needs their `before` any more."""
    found = ctx.cluster.list(NAMESPACE_ROLLOUT, ctx.namespace)
    deleted = [o for o in found if o["metadata"].get("deletionTimestamp")]
    if not deleted:
        return
    ended = {r.name for r in rollouts if closed(r) and r.status.phase != "Failed"}
    standing = {str(o["metadata"]["name"]) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)}
    for obj in deleted:
        if obj["spec"]["rollout"] in ended or obj["spec"]["rollout"] not in standing:
            let_go(ctx, obj)


def history(ctx: Context, source: Source, rollouts: Sequence[Rollout]) -> None:
    """Delete the oldest closed rollouts of a source; never an active, Failed or last verified one, nor one that still refuses."""
    mine = [r for r in rollouts if r.spec.source == source.name and closed(r)]
    keep = {source.status.active_rollout, source.status.current_revision_rollout}
    keep |= {r.name for gone in (False, True) for r in refusing(source, rollouts, gone).values()}
    old = sorted(mine, key=lambda r: r.age)
    for rollout in old[: max(0, len(old) - source.spec.revision_history_limit)]:
        if rollout.name in keep or rollout.status.phase == "Failed" or rollout.status.outbox:
            continue
        for record in records_of(ctx, rollout.name):
            let_go(ctx, record)
        meta = rollout.manifest["metadata"]
        with suppress(Conflict, NotFound):
            ctx.cluster.delete(
                ROLLOUT,
                rollout.name,
                ctx.namespace,
                uid=meta["uid"],
                resource_version=meta["resourceVersion"],
            )


def everything(ctx: Context) -> list[Rollout]:
    """Every rollout in the orchestrator's namespace that can be read: the way back of one waits for no other."""
    found: list[Rollout] = []
    for obj in ctx.cluster.list(ROLLOUT, ctx.namespace):
        try:
            found.append(load(obj))
        except BadInput as error:  # of another version of the resource
            name = obj["metadata"]["name"]
            structlog.get_logger().warning("the rollout cannot be read", rollout=name, error=str(error))
    return found
