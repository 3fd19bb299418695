"""Begin a rollout: resolve, plan, take the source's one place, create the PolicyRollout."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from orchestrator.context import ROLLOUT, SOURCE, Context
from orchestrator.errors import BadInput, Refused
from orchestrator.measure.strategy_check import asks, unanswered, unjudged
from orchestrator.planning.forecast import Forecast, forecast, refuse
from orchestrator.planning.orphans import feared, removal
from orchestrator.planning.planner import plan as make_plan
from orchestrator.policy.workloads.fleet import Workload
from orchestrator.rollout.order.plan import Plan
from orchestrator.rollout.resources.objects import MOST_LABEL
from orchestrator.rollout.resources.places import spaces
from orchestrator.rollout.resources.resource import Source, load
from orchestrator.sources.claim import claim, name_of
from orchestrator.sources.lookup import active, rollouts
from orchestrator.sources.rolled_back import refusing, told
from orchestrator.sources.verified_state import reached
from orchestrator.steps import snapshot
from orchestrator.steps.snapshot import Cause

UNJUDGED_HINT = (  # its end stands in the condition
    "without metrics and probes, probing.edges: false goes on without evidence; else require a metric, or give probe pods "
    "an image: analysis.probing.image or NETPOL_CANARY_PROBE_IMAGE"
)


@dataclass(frozen=True)
class Started:
    """`rollout` is empty where there was nothing to do."""

    rollout: str
    revision: str


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
    """Raises Refused where another rollout runs, or the revision is blocked; BadInput for a bad revision, and where the
    evidence that is asked for cannot be had.

    `keep` writes a source that came from a file, once the plan is known to be good; `only` names the
    namespaces to plan for, all where it is empty.
    """
    if len(source.name) > MOST_LABEL:
        text = f"its name has {len(source.name)} characters, and is a label of what it owns"
        raise BadInput(text, f"PolicySource {source.name}", f"choose one of {MOST_LABEL} at most")
    repository = ctx.repository(source)
    commit = repository.resolve(revision)
    if running := _running(ctx, source, commit):
        return running
    if why := obstacle(source, commit):
        raise Refused(why)
    gone, newly = cause == "orphans", cause == "revision"
    again = newly and commit == source.status.current_revision
    before = reached(ctx, source) if again or not newly else frozenset()
    left = frozenset() if newly else before
    plan = removal(ctx, source, commit, only) if gone else make_plan(ctx, source, commit, only, left)
    plan = _not_tried_again(ctx, source, plan) if again else plan
    for text in plan.notes:
        structlog.get_logger().info("left out", source=source.name, revision=commit, what=text)
    if plan.empty:
        return Started("", commit)
    _judged(ctx, source)
    # Intents are about namespaces that are selected: a removal has none.
    expected = forecast(ctx, plan, source.spec.strategy, {} if gone else repository.files(commit))
    expected = feared(expected, plan) if gone else expected
    refuse(expected, source.spec.strategy)
    _answered(ctx, source, plan, expected)
    commits = [] if gone else repository.commits(source.status.current_revision, commit)
    snapshot.rollout_spec(source, plan, commits, expected, cause, before)  # refused here, not when written
    kept = keep(source)
    if running := _running(ctx, kept, commit):  # planning takes its time
        return running
    standing = frozenset(str(o["metadata"]["name"]) for o in ctx.cluster.list(ROLLOUT, ctx.namespace))
    name = name_of(kept, commit, standing)
    snapshot.create(ctx, claim(ctx, kept, source, name), plan, name, commits, expected, cause, before)
    return Started(name, commit)


def obstacle(source: Source, commit: str) -> str:
    """Why no rollout of a commit begins, in words; empty where one may."""
    if source.spec.suspend:
        return f"the source {source.name} is suspended"
    if source.status.blocked_revision == commit:
        return f"{commit[:10]} is blocked: {source.status.blocked_reason}; `netpol-canary retry` releases it"
    return ""


def tried_before(ctx: Context, source: Source, plan: Plan) -> tuple[frozenset[str], str]:
    """The namespaces of a plan in which its revision, the verified one, was rolled back; and that in words."""
    if plan.revision != source.status.current_revision:
        return frozenset(), ""
    back = refusing(source, rollouts(ctx, source))
    names = frozenset(back.keys() & plan.namespaces.keys())
    return names, f"{plan.revision[:10]} is in force, {told(back, names)}" if names else ""


def _not_tried_again(ctx: Context, source: Source, plan: Plan) -> Plan:
    """What is left of a plan of the current revision. Raises Refused where that is nothing."""
    names, text = tried_before(ctx, source, plan)
    rest = frozenset(plan.namespaces) - names
    if not names:
        return plan
    if not rest:
        raise Refused(text)
    structlog.get_logger().info("left out", source=source.name, revision=plan.revision, what=text)
    return make_plan(ctx, source, plan.revision, rest)


def _running(ctx: Context, source: Source, commit: str) -> Started | None:
    """The rollout of this commit that runs already. Raises Refused where one of another commit does."""
    running = active(ctx, source)
    if running is None:
        return None
    if running.spec.revision == commit:
        return Started(running.name, commit)
    queue(ctx, source, commit)
    raise Refused(f"{running.name} is {running.status.phase}; {commit[:10]} is queued behind it")


def _judged(ctx: Context, source: Source) -> None:
    """Raises BadInput where evidence is asked for, and nothing could give any."""
    analysis = source.spec.strategy.analysis
    able = ctx.prober(analysis.probing, source.name, ctx.beat) is not None
    if asks(analysis) and (why := unjudged(analysis, able)):
        raise BadInput(f"nothing would judge the waves: {why}", "spec.strategy.analysis", UNJUDGED_HINT)


def _answered(ctx: Context, source: Source, plan: Plan, expected: Forecast) -> None:
    """Raises Refused where a metric that must decide would never have anything to say."""
    analysis = source.spec.strategy.analysis
    if analysis.on_no_traffic == "probes" and (
        analysis.probes or (expected.chosen and expected.chosen.attempts)
    ):
        return
    ends = {e.pod.namespace for c in expected.changes for e in (c.src, c.dst) if isinstance(e, Workload)}
    mine = spaces(plan.namespaces)
    # Where nothing is known to change, what is for the whole cluster is judged by all namespaces of the source.
    names = [*mine, *sorted(ends - set(mine))] or list(plan.selected)
    silent = unanswered(ctx.metrics, analysis, names, ctx.clock.now())
    if silent:
        hint = f"`netpol-canary metrics try --source {source.name}` shows them"
        raise Refused(f"nothing could be judged: {'; '.join(silent[:3])[:1500]}; {hint}")


def queue(ctx: Context, source: Source, commit: str) -> None:
    """Note the newest revision that waits behind a running rollout."""
    if source.status.queued_revision == commit:
        return
    queued = source.status.model_copy(update={"queued_revision": commit})
    ctx.cluster.replace_status(source.with_status(queued))


def find_source(ctx: Context, name: str) -> Source:
    """A PolicySource by name."""
    return load(ctx.cluster.get(SOURCE, name, ctx.namespace))
