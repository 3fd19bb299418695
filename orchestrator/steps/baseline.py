"""Before a wave is written: what is watched, what its probes answer now, and connections to keep open."""

from collections.abc import Sequence

from orchestrator.analysis.probe_answers import lacking
from orchestrator.context import ANALYSIS, Context
from orchestrator.errors import Conflict
from orchestrator.measure.probes import attempt, beforehand, record
from orchestrator.measure.watch_set import watch_set
from orchestrator.ports import Prober
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built, most
from orchestrator.rollout.resources.conditions import reasoned
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL
from orchestrator.rollout.resources.resource import WaveAnalysis, load, new
from orchestrator.writing.pod_labels import borne, label

MOST_HELD = 50
MOST_CANARIES = most(m.WaveAnalysisSpec, "canary_pods")


def run(ctx: Context, state: State, action: Action) -> None:
    """Create the WaveAnalysis, then put the baseline into it; Inconclusive where it is none to judge the wave by."""
    rollout = state.rollout
    probing = rollout.spec.strategy.analysis.probing
    prober = ctx.prober(probing, rollout.name, ctx.beat)
    unlabelled = label(ctx, state, action.wave)
    analysis = state.analyses.get(action.wave) or _create(ctx, state, action.wave, prober is not None)
    records: list[m.ProbeRecord] = []
    missing = unlabelled
    if prober is not None and analysis.spec.probes and not unlabelled:
        records = _answers(prober, analysis.spec.probes)
        missing = lacking(analysis.spec.probes, records)
        if probing.long_lived and not missing:
            _hold(prober, analysis, records)
    phase: m.MeasurementPhase = "Inconclusive" if missing else "Running"
    update = {"phase": phase, **reasoned(missing), "probes": records, "progressed_at": ctx.clock.now()}
    status = analysis.status.model_copy(update=update)
    ctx.cluster.replace_status(analysis.with_status(status))


def _answers(prober: Prober, probes: Sequence[m.WaveProbe]) -> list[m.ProbeRecord]:
    """What they answer now. What could not be tried is tried once more: after the writes it is too late for it."""
    wanted = beforehand(probes)
    results = {r.probe.name: r for r in prober.run(wanted)}
    missing = [p for p in wanted if p.name not in results or results[p.name].observed is None]
    again = [p for p in missing if p.protocol != "UDP" or p.check == "dns"]  # datagrams may stay unanswered
    if again:
        results |= {r.probe.name: r for r in prober.run(again)}
    return [record(r, "baseline") for r in results.values()]


def _hold(prober: Prober, analysis: WaveAnalysis, records: Sequence[m.ProbeRecord]) -> None:
    """Open what connects now, and keep it open over the change."""
    open_now = {r.probe for r in records if r.observed == "reach"}
    lasting = [
        attempt(p, "reach") for p in analysis.spec.probes if p.name in open_now and p.protocol == "TCP"
    ]
    prober.hold([p for p in lasting if p.check != "dns"][:MOST_HELD], analysis.name)


def _create(ctx: Context, state: State, wave: int, probes: bool) -> WaveAnalysis:
    rollout = state.rollout
    name = f"{rollout.name}-{wave}"
    found = watch_set(ctx, state, wave, probes)
    spec = built(
        m.WaveAnalysisSpec,
        rollout=rollout.name,
        wave=wave,
        since=ctx.clock.now(),
        watched=list(found.watched),
        control_group=list(found.controls),
        edges=list(found.edges),
        probes=list(found.probes),
        canary_pods=borne(ctx, rollout.spec.waves[wave])[:MOST_CANARIES],
        notes=[n[:1000] for n in found.notes],
    )
    labels = {ROLLOUT_LABEL: rollout.name}
    try:
        made = ctx.cluster.create(
            new("WaveAnalysis", name, ctx.namespace, spec, labels=labels, owner=rollout)
        )
    except Conflict:
        made = ctx.cluster.get(ANALYSIS, name, ctx.namespace)
    return load(made)
