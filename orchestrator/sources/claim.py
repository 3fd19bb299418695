"""A source's one place: who claims it, whose rollout takes it, and what becomes of a claim whose maker died.

All of it is decided on one object, the PolicySource, by compare-and-swap of its status. A claim names the rollout that is
to be created; whoever claims for the same revision again uses the same name, so that of two creations one is refused. A
rollout leaves Pending only after its uid was written beside its name: one that was created late, after its place was
given to another, finds that out and ends with nothing written.
"""

import re

from orchestrator.context import ROLLOUT, Context
from orchestrator.errors import Conflict, NotFound, RetryLater
from orchestrator.rollout.resources.objects import MOST_LABEL
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.sources.prune import closed

PATIENCE = (
    15.0  # seconds that a claim for another revision may stand without its rollout, as this process sees it
)
SHORT = 10  # digits of a commit in a rollout's name


def name_of(source: Source, commit: str, taken: frozenset[str]) -> str:
    """SOURCE-COMMIT, and a number where that was rolled out before; the source's name is cut so that all fit.

    A claim for the same commit whose rollout does not stand yet keeps its name; that of the rollout that verified the
    source's revision stays its own, though people may have deleted it.
    """
    taken |= {source.status.current_revision_rollout}
    claimed = source.status.active_rollout
    if claimed not in taken and re.search(rf"-{re.escape(commit[:SHORT])}(-\d+)?$", claimed):
        return claimed
    ends = (f"-{commit[:SHORT]}{f'-{i}' if i > 1 else ''}" for i in range(1, len(taken) + 2))
    names = (f"{source.name[: MOST_LABEL - len(end)].rstrip('-.')}{end}" for end in ends)
    return next(name for name in names if name not in taken)


def claim(ctx: Context, source: Source, planned: Source, name: str) -> Source:
    """The source with its place claimed for `name`; the plan was made of it as `planned`.

    Raises RetryLater where somebody changed it since, or another rollout of it is begun or under way.
    """
    now, then = source.status, planned.status
    if any(
        getattr(now, field) != getattr(then, field)
        for field in ("active_rollout", "current_revision", "blocked_revision")
    ):
        raise RetryLater(f"the source {source.name} changed meanwhile", 0.2)
    if now.active_rollout not in ("", name):
        _free(ctx, source)
    claimed = now.model_copy(update={"active_rollout": name, "active_uid": "", "queued_revision": ""})
    try:
        fresh: Source = load(ctx.cluster.replace_status(source.with_status(claimed)))
    except Conflict:
        raise RetryLater(f"the source {source.name} changed meanwhile", 0.2) from None
    return fresh


def _free(ctx: Context, source: Source) -> None:
    """Raises RetryLater unless the rollout that has the place has ended, or its maker has had time enough."""
    held = source.status.active_rollout
    try:
        rollout: Rollout = load(ctx.cluster.get(ROLLOUT, held, ctx.namespace))
    except NotFound:
        if ctx.claims.stood(ctx.clock, source) < PATIENCE:
            text = f"{held} of the source {source.name} is being begun by somebody"
            raise RetryLater(text, 1.0) from None
        return
    if not closed(rollout):
        raise RetryLater(f"{held} of the source {source.name} is under way", 0.2)


def taken(ctx: Context, source: Source, rollout: Rollout) -> str:
    """Take the source's place for good, before anything else is done; why not, where it is another's.

    Raises RetryLater where somebody changes the source at the same time.
    """
    status = source.status
    if status.active_rollout not in ("", rollout.name) or status.active_uid not in ("", rollout.uid):
        return f"the source {source.name} is {status.active_rollout}'s by now: this one was created too late"
    if (status.active_rollout, status.active_uid) != (rollout.name, rollout.uid):
        mine = status.model_copy(update={"active_rollout": rollout.name, "active_uid": rollout.uid})
        try:
            ctx.cluster.replace_status(source.with_status(mine))
        except Conflict:
            raise RetryLater(f"the source {source.name} changed meanwhile", 0.2) from None
    return ""
