"""What a worker created after somebody else was done with the namespace: it deletes that itself.

Nothing refuses a creation whose sender stood still before it. So its sender looks at the record after it, and whoever is done
with a namespace looks for what is temporary after it has written the record: one of the two sees the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from orchestrator.context import NAMESPACE_ROLLOUT, ROLLOUT, Context
from orchestrator.errors import Conflict, NetpolCanaryError, NotFound
from orchestrator.policy.writes.bridges import bridge_tag
from orchestrator.ports import Kind
from orchestrator.rollout.order.write_turns import stood
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL, Key
from orchestrator.rollout.resources.places import space
from orchestrator.rollout.resources.resource import NamespaceRollout, Rollout, load
from orchestrator.writing.frozen_walk import Record
from orchestrator.writing.stray_bridges import ENDS, FORWARD, OVER


@contextmanager
def undone(ctx: Context, record: Record) -> Iterator[None]:
    """Around a walk and the status that it ends in: where that does not come to its end, what was made too late goes."""
    try:
        yield
    except NetpolCanaryError:
        try:
            for key in _late(ctx, record) if record.made else []:
                _delete(ctx, record, key)
        except NetpolCanaryError as error:
            structlog.get_logger().warning(
                "what was created late is left to the next sweep", error=str(error)
            )
        raise


def _late(ctx: Context, record: Record) -> list[Key]:
    """Of what was made, that which nobody needs since somebody else is done with the namespace."""
    bridges = [key for key, obj in record.made.items() if bridge_tag(obj)]
    begun, phase = _begun(ctx, record.item)
    fresh = next((r for r in begun if r.uid == record.item.uid), None)
    if fresh is None:
        return bridges
    ends = {r.status.phase for r in begun}
    moved = fresh.status.phase != record.item.status.phase
    if moved and ends == {"Restored"}:
        rolled_back = stood(begun)
        return [key for key in record.made if not rolled_back.get(key)]
    # On the way back, what stands may be relied on.
    without_walk = OVER | FORWARD if moved and ends <= ENDS else OVER
    return bridges if phase in without_walk else []


def _begun(ctx: Context, item: NamespaceRollout) -> tuple[list[NamespaceRollout], str]:
    """The namespace's records of the waves that have begun, and the phase of the rollout; none of one that is gone.

    They are listed: pods and the guard may not get one.
    """
    name = item.spec.rollout
    try:
        rollout: Rollout = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
    except NotFound:
        return [], ""
    listed = ctx.cluster.list(NAMESPACE_ROLLOUT, ctx.namespace, f"{ROLLOUT_LABEL}={name}")
    records: list[NamespaceRollout] = [load(o) for o in listed]
    here = (r for r in records if r.spec.namespace == item.spec.namespace)
    begun = [r for r in here if r.spec.wave < rollout.status.waves_started]
    return sorted(begun, key=lambda r: r.spec.wave), rollout.status.phase


def _delete(ctx: Context, record: Record, key: Key) -> None:
    """The very object that was made, and as it was: whoever wrote it since needs it."""
    meta, namespace = record.made.pop(key)["metadata"], record.item.spec.namespace
    uid, version = meta["uid"], meta["resourceVersion"]
    try:
        ctx.cluster.delete(Kind(key[0], key[1]), key[2], space(namespace), uid=uid, resource_version=version)
    except (Conflict, NotFound):
        return
    structlog.get_logger().warning(
        "what was created too late was deleted", namespace=namespace, object=f"{key[1]}/{key[2]}"
    )
