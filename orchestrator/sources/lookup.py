"""The rollouts of a source: the one that runs, and whether one is the latest."""

from orchestrator.context import ROLLOUT, SOURCE, Context
from orchestrator.errors import Refused
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.sources.prune import closed


def active(ctx: Context, source: Source) -> Rollout | None:
    """The source's unfinished rollout; one that ended but was not let go of counts, too."""
    return next((r for r in rollouts(ctx, source) if not closed(r)), None)


def rollouts(ctx: Context, source: Source) -> list[Rollout]:
    """Every rollout of a source that stands in the cluster."""
    return [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace, f"{SOURCE_LABEL}={source.name}")]


def latest(ctx: Context, rollout: Rollout) -> None:
    """Raises Refused where it is not the source's rollout of the current revision, or one that failed since, or another runs."""
    source: Source = load(ctx.cluster.get(SOURCE, rollout.spec.source, ctx.namespace))
    running = active(ctx, source)
    if running is not None and running.name != rollout.name:
        raise Refused(f"{running.name} is {running.status.phase}; abort it first")
    over = source.status.current_revision_rollout != rollout.name
    if rollout.status.phase == "Failed":  # and nothing newer is in force
        over = over and source.status.current_revision != rollout.spec.previous_revision
    if over:
        raise Refused(f"{rollout.name} is not the source's latest; older states are a Git revert")
