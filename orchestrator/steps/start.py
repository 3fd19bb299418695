"""Begin a rollout: resolve, plan, take the source's one place, create the PolicyRollout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.errors import BadInput, Conflict, Refused, RetryLater
from orchestrator.policy.fleet import Workload
from orchestrator.rollout.objects import MOST_LABEL, SOURCE_LABEL
from orchestrator.rollout.plan import Plan
from orchestrator.rollout.resource import Rollout, Source, load
from orchestrator.steps import snapshot
from orchestrator.steps.answers import unanswered
from orchestrator.steps.context import ROLLOUT, SOURCE, Context
from orchestrator.steps.forecast import Forecast, forecast, refuse
from orchestrator.steps.planning import plan as make_plan
from orchestrator.steps.prune import closed
from orchestrator.steps.snapshot import Cause


@dataclass(frozen=True)
class Started:
    """`rollout` is empty where there was nothing to do; `resumed` where it was running already."""

    rollout: str
    revision: str
    resumed: bool = False
    plan: Plan | None = None


def active(ctx: Context, source: Source) -> Rollout | None:
    """The source's unfinished rollout; one that ended but was not let go of counts, too."""
    found: list[Rollout] = [
        load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace, f"{SOURCE_LABEL}={source.name}")
    ]
    return next((r for r in found if not closed(r)), None)


def as_it_is(source: Source) -> Source:
    """For a source that stands in the cluster already."""
    return source


def start(
    ctx: Context,
    source: Source,
    revision: str = "",
    keep: Callable[[Source], Source] = as_it_is,
    only: frozenset[str] = frozenset(),
    cause: Cause = "revision",
) -> Started:
    """Raises Refused where another rollout runs, or the revision is held; BadInput for a bad revision.

    `keep` writes a source that came from a file, once the plan is known to be good; `only` names the
    namespaces to plan for, all where it is empty.
    """
    if len(source.name) > MOST_LABEL:
        text = f"its name has {len(source.name)} characters, and is a label of what it owns"
        raise BadInput(text, f"PolicySource {source.name}", f"choose one of {MOST_LABEL} at most")
    repository = ctx.repository(source)
    commit = repository.resolve(revision)
    running = active(ctx, source)
    if running is not None:
        if running.spec.revision == commit:
            return Started(running.name, commit, resumed=True)
        queue(ctx, source, commit)
        raise Refused(f"{running.name} is {running.status.phase}; {commit[:10]} is queued behind it")
    if source.spec.suspend:
        raise Refused(f"the source {source.name} is suspended")
    if source.status.held_revision == commit:
        raise Refused(
            f"{commit[:10]} is held: {source.status.held_reason}; `netpol-canary retry` releases it"
        )
    plan = make_plan(ctx, source, commit, only)
    if plan.empty:
        return Started("", commit, plan=plan)
    expected = forecast(ctx, plan, source.spec.strategy, repository.files(commit))
    refuse(expected, source.spec.strategy)
    _answered(ctx, source, plan, expected)
    source = keep(source)
    name = _name(ctx, source, commit)
    claimed = source.status.model_copy(update={"active_rollout": name, "queued_revision": ""})
    try:
        fresh: Source = load(ctx.cluster.replace_status(source.with_status(claimed)))
    except Conflict:
        raise RetryLater(f"the source {source.name} changed meanwhile", 0.2) from None
    commits = repository.commits(source.status.verified_revision, commit)
    snapshot.create(ctx, fresh, plan, name, commits, expected, cause)
    return Started(name, commit, plan=plan)


def _answered(ctx: Context, source: Source, plan: Plan, expected: Forecast) -> None:
    """Raises Refused where a metric that must decide would never have anything to say."""
    analysis = source.spec.strategy.analysis
    if analysis.on_no_traffic == "probes" and (
        analysis.probes or (expected.chosen and expected.chosen.attempts)
    ):
        return
    ends = {e.pod.namespace for c in expected.changes for e in (c.src, c.dst) if isinstance(e, Workload)}
    names = [*plan.namespaces, *sorted(ends - plan.namespaces.keys())]
    silent = unanswered(ctx.metrics, analysis, names, ctx.clock.now())
    if silent:
        hint = f"`netpol-canary metrics try --source {source.name}` shows them"
        raise Refused(f"nothing could be judged: {'; '.join(silent[:3])[:1500]}; {hint}")


def _name(ctx: Context, source: Source, commit: str) -> str:
    """SOURCE-COMMIT, and a number where that was rolled out before; the source's name is cut so that all fit."""
    taken = {str(o["metadata"]["name"]) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)}
    ends = (f"-{commit[:10]}{f'-{i}' if i > 1 else ''}" for i in range(1, len(taken) + 2))
    names = (f"{source.name[: MOST_LABEL - len(end)].rstrip('-.')}{end}" for end in ends)
    return next(name for name in names if name not in taken)


def queue(ctx: Context, source: Source, commit: str) -> None:
    """Note the newest revision that waits behind a running rollout."""
    if source.status.queued_revision == commit:
        return
    queued = source.status.model_copy(update={"queued_revision": commit})
    ctx.cluster.replace_status(source.with_status(queued))


def find_source(ctx: Context, name: str) -> Source:
    """A PolicySource by name."""
    found: Source = load(ctx.cluster.get(SOURCE, name, ctx.namespace))
    return found
