"""Before a wave is written: what is watched, and what its probes answer now."""

from __future__ import annotations

from orchestrator.errors import Conflict
from orchestrator.rollout import model as m
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.objects import ROLLOUT_LABEL
from orchestrator.rollout.resource import WaveAnalysis, load, new
from orchestrator.steps.context import ANALYSIS, Context
from orchestrator.steps.verify import probes, record
from orchestrator.steps.watchset import watch_set


def run(ctx: Context, state: State, action: Action) -> None:
    """Create the WaveAnalysis, then put the baseline into it."""
    rollout = state.rollout
    analysis = state.analyses.get(action.wave) or _create(ctx, state, action.wave)
    wanted = probes(rollout.spec.strategy)
    prober = ctx.prober(rollout.spec.strategy.analysis.probing, rollout.name)
    results = prober.run(wanted) if wanted and prober else []
    status = analysis.status.model_copy(
        update={"phase": "Running", "probes": [record(r, "baseline") for r in results]}
    )
    ctx.cluster.replace_status(analysis.with_status(status))


def _create(ctx: Context, state: State, wave: int) -> WaveAnalysis:
    rollout = state.rollout
    name = f"{rollout.name}-{wave}"
    watched, controls = watch_set(ctx, state, wave)
    spec = m.WaveAnalysisSpec(
        rollout=rollout.name, wave=wave, since=ctx.clock.now(), watched=watched, controls=controls
    )
    labels = {ROLLOUT_LABEL: rollout.name}
    try:
        made = ctx.cluster.create(
            new("WaveAnalysis", name, ctx.namespace, spec, labels=labels, owner=rollout)
        )
    except Conflict:
        made = ctx.cluster.get(ANALYSIS, name, ctx.namespace)
    found: WaveAnalysis = load(made)
    return found
