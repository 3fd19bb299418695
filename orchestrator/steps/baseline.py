"""Before a wave is written: what is watched, what its probes answer now, and connections to keep open."""

from __future__ import annotations

from orchestrator.errors import Conflict
from orchestrator.rollout import model as m
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.objects import ROLLOUT_LABEL
from orchestrator.rollout.resource import WaveAnalysis, load, new
from orchestrator.steps.attempts import attempt, beforehand, record
from orchestrator.steps.context import ANALYSIS, Context
from orchestrator.steps.watchset import watch_set

MOST_HELD = 50


def run(ctx: Context, state: State, action: Action) -> None:
    """Create the WaveAnalysis, then put the baseline into it."""
    rollout = state.rollout
    probing = rollout.spec.strategy.analysis.probing
    prober = ctx.prober(probing, rollout.name, ctx.beat)
    analysis = state.analyses.get(action.wave) or _create(ctx, state, action.wave, prober is not None)
    probes = analysis.spec.probes
    records: list[m.ProbeRecord] = []
    if prober is not None and probes:
        records = [record(r, "baseline") for r in prober.run(beforehand(probes))]
        if probing.long_lived:
            open_now = {r.probe for r in records if r.observed == "reach"}
            lasting = [attempt(p, "reach") for p in probes if p.name in open_now and p.protocol == "TCP"]
            prober.hold([p for p in lasting if p.check != "dns"][:MOST_HELD], analysis.name)
    update = {"phase": "Running", "probes": records, "progressed_at": ctx.clock.now()}
    status = analysis.status.model_copy(update=update)
    ctx.cluster.replace_status(analysis.with_status(status))


def _create(ctx: Context, state: State, wave: int, probes: bool) -> WaveAnalysis:
    rollout = state.rollout
    name = f"{rollout.name}-{wave}"
    found = watch_set(ctx, state, wave, probes)
    spec = m.WaveAnalysisSpec(
        rollout=rollout.name,
        wave=wave,
        since=ctx.clock.now(),
        watched=list(found.watched),
        controls=list(found.controls),
        edges=list(found.edges),
        probes=list(found.probes),
        notes=[n[:1000] for n in found.notes],
    )
    labels = {ROLLOUT_LABEL: rollout.name}
    try:
        made = ctx.cluster.create(
            new("WaveAnalysis", name, ctx.namespace, spec, labels=labels, owner=rollout)
        )
    except Conflict:
        made = ctx.cluster.get(ANALYSIS, name, ctx.namespace)
    analysis: WaveAnalysis = load(made)
    return analysis
