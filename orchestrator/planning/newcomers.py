"""Namespaces that a source selects since its rollout of the current revision, and that hold nothing of it yet."""

from collections.abc import Sequence

from orchestrator.context import Context
from orchestrator.ports import Kind
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.places import place
from orchestrator.rollout.resources.resource import Rollout, Source
from orchestrator.rollout.resources.timestamps import stamp
from orchestrator.sources.rolled_back import refused as refused
from orchestrator.sources.rolled_back import refusing, told
from orchestrator.sources.selection import Listed, selected
from orchestrator.sources.verified_state import verified


def newcomers(
    ctx: Context, source: Source, rollouts: Sequence[Rollout], listed: Listed | None = None
) -> frozenset[str]:
    """Empty where nothing was ever verified; a namespace that was rolled back does not start again."""
    return unreached(ctx, source, rollouts, listed) - refused(source, rollouts)


def unreached(
    ctx: Context, source: Source, rollouts: Sequence[Rollout], listed: Listed | None = None
) -> frozenset[str]:
    """Those that were created, or selected, since the rollout of the current revision began and hold nothing of the source."""
    known = verified(
        source, next((r for r in rollouts if r.name == source.status.current_revision_rollout), None)
    )
    if known is None:
        return frozenset()
    made = {
        n: stamp(o["metadata"].get("creationTimestamp")) for n, o in selected(ctx, source, listed).items()
    }
    old = known.namespaces
    fresh = {n for n, at in made.items() if (at is not None and at > known.since) or (old and n not in old)}
    return _empty(ctx, source, frozenset(fresh)) if fresh else frozenset()


def left_out(ctx: Context, source: Source, rollouts: Sequence[Rollout]) -> str:
    """For people: which namespaces stand without the current revision since it was rolled back there, and what helps."""
    back = refusing(source, rollouts)
    names = _empty(ctx, source, frozenset(back) & selected(ctx, source).keys()) if back else frozenset()
    return told(back, names) if names else ""


def _empty(ctx: Context, source: Source, names: frozenset[str]) -> frozenset[str]:
    """Those that hold nothing of the source."""
    for kind in source.spec.kinds:
        held = ctx.cluster.list(Kind(kind.api_version, kind.kind), labels=f"{SOURCE_LABEL}={source.name}")
        names -= {place(o) for o in held}
    return names
