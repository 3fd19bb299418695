"""Bridges that nobody needs any more: found by their names, whatever their labels have become, and removed.

A bridge opens connections for the moments of a walk. One that outlives its walk (its creation landed late, its rollout is
gone) opens them for good. Bridges are listed before rollouts: what is seen without an open rollout then has none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from orchestrator.context import NAMESPACE_ROLLOUT, POLICY, ROLLOUT, Context
from orchestrator.errors import Conflict, NotFound
from orchestrator.policy.writes.bridges import BRIDGE_LABEL, bridge_tag
from orchestrator.policy.writes.write_order import INERT
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.writing.walk import tag

REASON = "StrayBridge"
FORWARD = frozenset({"Progressing", "Paused"})  # a namespace that is Applied has no walk in these
ENDS = frozenset({"Applied", "Deleted"})  # of a namespace on the way forward
OVER = TERMINAL - {"Failed"}  # no namespace has a walk in these


@dataclass(frozen=True)
class Stray:
    """A bridge, why nobody needs it, and its rollout where that still stands."""

    bridge: Manifest
    why: str
    rollout: Manifest | None = None

    @property
    def label(self) -> str:
        meta = self.bridge["metadata"]
        return f"{meta['namespace']}/{meta['name']}"

    @property
    def text(self) -> str:
        return f"the temporary policy {self.label}: {self.why}"


def tags(rollout: Manifest) -> set[str]:
    """What the names of its bridges carry."""
    name = str(rollout["metadata"]["name"])
    return {tag(name), tag(f"{name}-back")}


def strays(ctx: Context, labels: str = "") -> list[Stray]:
    """Every bridge in the cluster that belongs to no walk, or those with these labels; nothing is written.

    Rollouts are listed in all namespaces: names say nothing of the installation, so a bridge that a rollout of another
    one may have made is left to that one. Bridges of a Failed rollout are part of what a person has to decide on.
    """
    bridges = [o for o in ctx.cluster.list(POLICY, labels=labels) if bridge_tag(o)]
    if not bridges:
        return []
    rollouts = ctx.cluster.list(ROLLOUT)
    records = ctx.cluster.list(NAMESPACE_ROLLOUT, ctx.namespace)
    found = (_judged(ctx, obj, rollouts, records) for obj in bridges)
    return [stray for stray in found if stray is not None]


def _judged(
    ctx: Context, bridge: Manifest, rollouts: Sequence[Manifest], records: Sequence[Manifest]
) -> Stray | None:
    owners = [r for r in rollouts if bridge_tag(bridge) in tags(r)]
    if not owners:
        return Stray(bridge, "its rollout is gone")
    mine = [r for r in owners if r["metadata"]["namespace"] == ctx.namespace]
    if len(mine) != len(owners):  # of the same name in another installation, or that one's alone
        return None
    phase = _phase(mine[0])
    if phase in OVER:
        return Stray(bridge, f"its rollout {mine[0]['metadata']['name']} is {phase}", mine[0])
    if phase in FORWARD and _applied(bridge, mine[0], records):
        return Stray(bridge, f"the namespace is Applied by {mine[0]['metadata']['name']}", mine[0])
    return None


def abandoned(ctx: Context, bridges: Sequence[Manifest], rollout: str) -> list[Manifest]:
    """Those of earlier rollouts of this one's source that have ended, Failed ones included: nobody takes them back now.

    What another source's rollout left half-way is that source's.
    """
    if not bridges:
        return []
    rollouts = [r for r in ctx.cluster.list(ROLLOUT) if r["metadata"]["namespace"] == ctx.namespace]
    mine = next((r["spec"].get("source") for r in rollouts if r["metadata"]["name"] == rollout), None)
    ended = [r for r in rollouts if r["spec"].get("source") == mine and _phase(r) in TERMINAL]
    known = {one for r in ended for one in tags(r)} - {
        one for r in rollouts if r not in ended for one in tags(r)
    }
    return [b for b in bridges if bridge_tag(b) in known]


def _phase(rollout: Manifest) -> str:
    return str((rollout.get("status") or {}).get("phase", "Pending"))


def _applied(bridge: Manifest, rollout: Manifest, records: Sequence[Manifest]) -> bool:
    """Whether each walk in its namespace that has begun is at its end, so that the bridge landed after it."""
    begun = (rollout.get("status") or {}).get("wavesStarted", 0)
    phases = {
        (r.get("status") or {}).get("phase")
        for r in records
        if r["spec"]["rollout"] == rollout["metadata"]["name"]
        and r["spec"]["namespace"] == bridge["metadata"]["namespace"]
        and r["spec"]["wave"] < begun
    }
    return bool(phases) and phases <= ENDS


def none_left(ctx: Context, rollout: Manifest) -> bool:
    """Whether no bridge of a rollout that goes forwards opens anything; those that are of no walk are removed.

    One call where there are none. Raises what a sweep raises.
    """
    labels = f"{BRIDGE_LABEL} in ({','.join(sorted(tags(rollout)))})"
    if not strays(ctx, labels):
        return True
    for _ in sweep(ctx, labels):
        pass
    return all(s.bridge["spec"] == INERT for s in strays(ctx, labels))


def sweep(ctx: Context, labels: str = "") -> Iterator[Stray]:
    """Remove them, or those with these labels; gives those that were deleted by that, each one told of.

    Only the very object that was seen: one that was written since belongs to a walk, and that walk removes it. One that
    somebody's finalizer keeps is made to select no pod, and asked for no more.
    """
    for stray in strays(ctx, labels):
        meta = stray.bridge["metadata"]
        ctx.fence()
        try:
            if meta.get("deletionTimestamp"):
                _disarmed(ctx, stray)
                continue
            version = meta["resourceVersion"]
            ctx.cluster.delete(
                POLICY, meta["name"], meta["namespace"], uid=meta["uid"], resource_version=version
            )
        except (Conflict, NotFound):
            continue
        structlog.get_logger().warning("a bridge was deleted", bridge=stray.label, why=stray.why)
        if stray.rollout is not None and ctx.notifier is not None:
            ctx.notifier.notify(stray.rollout, REASON, f"deleted {stray.text}", True)
        yield stray


def _disarmed(ctx: Context, stray: Stray) -> None:
    """As if it were gone; said at every sweep until whoever keeps it lets go."""
    bridge = stray.bridge
    by = ", ".join(str(f) for f in bridge["metadata"].get("finalizers") or []) or "nobody who says so"
    structlog.get_logger().warning("a bridge does not go", bridge=stray.label, finalizer=by)
    if bridge["spec"] != INERT:
        ctx.cluster.replace({**bridge, "spec": INERT})
