"""Freeze a plan: the PolicyRollout first, then `before` and `after` of each namespace."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from orchestrator.context import FINALIZER, NAMESPACE_ROLLOUT, ROLLOUT, SOURCE, Context, change
from orchestrator.errors import BadInput, Conflict, NotFound, RetryLater
from orchestrator.planning.forecast import Forecast, frozen
from orchestrator.planning.frozen.frozen_connections import MOST_FROZEN, worst
from orchestrator.planning.frozen.frozen_namespace import namespace_spec
from orchestrator.planning.frozen.frozen_waves import arranged, frozen_place, placed_gates
from orchestrator.planning.orphans import gated, removal
from orchestrator.planning.planner import in_parts
from orchestrator.planning.planner import plan as make_plan
from orchestrator.ports import MOST_COMMITS, Commit
from orchestrator.rollout.gates.approvals import people
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.order.plan import NamespacePlan, Plan
from orchestrator.rollout.outbox import unsent
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.bounds import cut, most, planned
from orchestrator.rollout.resources.places import counted, record_name
from orchestrator.rollout.resources.resource import Resource, Rollout, Source, dump, load, new
from orchestrator.rollout.resources.weight import weight
from orchestrator.sources.claim import taken
from orchestrator.sources.prune import let_go
from orchestrator.sources.verified_state import covered
from orchestrator.wording import many

MOST_BYTES = 1024 * 1024  # of a rollout's spec as it is stored; what happens to it takes the rest
Cause = Literal["revision", "namespaces", "drift", "orphans"]


def rollout_spec(
    source: Source,
    plan: Plan,
    commits: Sequence[Commit],
    expected: Forecast = Forecast(),
    cause: Cause = "revision",
    before: frozenset[str] = frozenset(),
) -> m.PolicyRolloutSpec:
    """What is frozen of a plan. Raises BadInput where a rollout cannot hold it.

    `before` names the namespaces that stand at the current revision.
    """
    for limit in (MOST_FROZEN, MOST_FROZEN // 4, 0):  # what is for people alone stops no rollout
        make = partial(_spec, source, plan, commits, expected, cause, before, limit)
        spec = planned(make)
        if weight(dump(spec)) <= MOST_BYTES:
            break
    else:
        names = sum(len(wave.namespaces) for wave in spec.waves)
        text = f"the rollout could not be kept: over {names} namespaces it is larger than {MOST_BYTES // 1024} KiB"
        raise BadInput(
            text, "", "let several sources select the namespaces, or split the change into several commits"
        )
    return spec


def _spec(
    source: Source,
    plan: Plan,
    commits: Sequence[Commit],
    expected: Forecast,
    cause: Cause,
    before: frozenset[str],
    limit: int,
) -> m.PolicyRolloutSpec:
    edges = worst(expected.changes, expected.impact, source.spec.strategy.risk, expected.waves, limit)
    waves = [
        m.Wave(
            why=wave.why,
            connections=edges.counts.get(number, 0),
            namespaces=[frozen_place(plan, wave, place) for place in wave.namespaces],
        )
        for number, wave in enumerate(plan.waves)
    ]
    most_text = most(m.WaveEdge, "before")
    mails = [person for commit in commits for person in commit.people]
    if len(commits) >= MOST_COMMITS:
        mails.append("whoever made the commits before")
    return m.PolicyRolloutSpec(
        source=source.name,
        source_uid=source.uid,
        cause=cause,
        revision=plan.revision,
        previous_revision=source.status.current_revision,
        selected=covered(plan, before, cause),
        authors=people(mails, [(i.email, i.user) for i in source.spec.identities]),
        committed_at=max((c.time for c in commits if c.time), default=None),
        strategy=frozen(expected, _gated(source.spec.strategy, plan, cause)),
        risk=expected.risk.level,
        risk_reasons=[cut(r, most_text) for r in expected.risk.reasons[:32]],
        risks=list(expected.risk.kinds),
        boundaries=[cut(b.text, most_text) for b in expected.lasting[:50]],
        edges=list(edges.shown),
        subject=cut(next((commit.subject for commit in commits), ""), most_text),
        plan_digest=plan.digest,
        followed=plan.followed,
        waves=waves,
        feedback=source.spec.feedback,
        notifications=source.spec.notifications,
    )


def _gated(strategy: m.Strategy, plan: Plan, cause: Cause) -> m.Strategy:
    """With its gates before the waves that they mean, and those that are asked for whatever the strategy says."""
    if cause == "orphans":
        return gated(strategy)
    strategy = strategy.model_copy(update={"gates": placed_gates(strategy.gates, plan.waves)})
    last = len(plan.waves) - 1
    asked = [g for g in strategy.gates if g.wave == last and g.min_risk == "none" and not g.risks]
    if not plan.at_once or asked:
        return strategy
    gate = m.Gate(wave=last, name="cluster-wide, at once")
    return strategy.model_copy(update={"gates": [*strategy.gates, gate]})


def create(
    ctx: Context,
    source: Source,
    plan: Plan,
    name: str,
    commits: Sequence[Commit],
    expected: Forecast = Forecast(),
    cause: Cause = "revision",
    before: frozenset[str] = frozenset(),
) -> Rollout:
    """The PolicyRollout of a plan, Pending; the one that is there where it was made already."""
    spec = rollout_spec(source, plan, commits, expected, cause, before)
    labels = {objects.SOURCE_LABEL: source.name}
    obj = new("PolicyRollout", name, ctx.namespace, spec, labels=labels, owner=source, finalizer=FINALIZER)
    obj["metadata"]["finalizers"] += unsent(spec)
    try:
        return load(ctx.cluster.create(obj))
    except Conflict:
        return load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))


def run(ctx: Context, state: State, action: Action) -> None:
    """Make what is missing of the NamespaceRollouts; superseded where the plan has changed since."""
    rollout = state.rollout
    _cleared(ctx, state)
    try:
        source: Source = load(ctx.cluster.get(SOURCE, rollout.spec.source, ctx.namespace))
        if late := taken(ctx, source, rollout):
            _supersede(ctx, state, late)
            return
        names = frozenset(rollout.spec.written)
        plan = _as_frozen(rollout, _planned(ctx, source, rollout, names))
    except (BadInput, NotFound) as error:
        _supersede(ctx, state, f"the plan cannot be made any more: {error}")
        return
    if names != plan.namespaces.keys() or plan.digest != rollout.spec.plan_digest:
        _supersede(ctx, state, "the cluster changed while the plan was made; a new plan is needed")
        return
    waves = {place: number for number, wave in enumerate(rollout.spec.waves) for place in wave.places}
    commits = ctx.repository(source).commits(rollout.spec.previous_revision, rollout.spec.revision)
    missing = [plan.written(place) for place in sorted(waves) if place not in state.namespaces]
    ctx.each(
        lambda item: _freeze(ctx, rollout, item, waves[item.place], commits),
        missing,
        rollout.spec.strategy.max_parallel,
    )
    go = Action(
        "snapshot",
        reason="Planned",
        message=f"{counted(names)} in {many(len(rollout.spec.waves), 'wave')}",
    )
    change(ctx, state, go, phase="Progressing", started_at=ctx.clock.now())


def _cleared(ctx: Context, state: State) -> None:
    """Raises RetryLater while records stand of a rollout of the same name, which somebody deleted once it had ended."""
    found: list[Resource[Any, Any]] = [*state.namespaces.values(), *state.analyses.values()]
    left = [record.manifest for record in found if not record.belongs(state.rollout)]
    for obj in left:
        let_go(ctx, obj)
    if left:
        raise RetryLater(f"what an earlier {state.rollout.name} left is not gone yet", 0.5)


def _planned(ctx: Context, source: Source, rollout: Rollout, names: frozenset[str]) -> Plan:
    if rollout.spec.cause == "orphans":
        return removal(ctx, source, rollout.spec.revision, names)
    left = frozenset(rollout.spec.selected) if rollout.spec.cause != "revision" else frozenset()
    return make_plan(ctx, source, rollout.spec.revision, names, left)


def _as_frozen(rollout: Rollout, plan: Plan) -> Plan:
    """What stands and is asked for now, in the waves of the rollout. Raises BadInput."""
    if not plan.namespaces.keys() >= set(rollout.spec.written):
        return plan
    waves = tuple(arranged(wave) for wave in rollout.spec.waves)
    return replace(plan, waves=waves, parts=in_parts(plan.namespaces, waves))


def _supersede(ctx: Context, state: State, why: str) -> None:
    go = Action("snapshot", reason="PlanChanged", message=why)
    change(ctx, state, go, phase="Superseded", reason=why)


def _freeze(
    ctx: Context, rollout: Rollout, item: NamespacePlan, wave: int, commits: Sequence[Commit]
) -> None:
    spec = namespace_spec(rollout.name, wave, item, commits)
    labels = {objects.SOURCE_LABEL: rollout.spec.source, objects.ROLLOUT_LABEL: rollout.name}
    name = record_name(rollout.name, item.place)
    obj = new(
        "NamespaceRollout", name, ctx.namespace, spec, labels=labels, owner=rollout, finalizer=FINALIZER
    )
    try:
        ctx.cluster.create(obj)
    except Conflict:
        ctx.cluster.get(NAMESPACE_ROLLOUT, name, ctx.namespace)
