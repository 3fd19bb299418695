"""One look at a wave: its metrics on a fixed grid of times, its probes where they are due, who else may be at fault."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from orchestrator.analysis.agreement import agreement
from orchestrator.analysis.probe_answers import Judgement, cannot_start, judged
from orchestrator.analysis.verdict import verdict
from orchestrator.context import Context
from orchestrator.errors import PortError
from orchestrator.measure.flow_evidence import seen
from orchestrator.measure.kept_measurements import kept, tallied
from orchestrator.measure.metrics_look import measured
from orchestrator.measure.observers import unready
from orchestrator.measure.probes import afterwards, record
from orchestrator.measure.suspects import suspects
from orchestrator.measure.vanished import known, nothing_left, remaining, told, unsaid, vanished
from orchestrator.measure.watch_set import UNKNOWN
from orchestrator.ports import Probe, Prober, ProbeResult
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import reasoned
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.rollout.timing import look_time, settled_at
from orchestrator.writing import pod_labels


def run(ctx: Context, state: State, action: Action) -> None:
    """Measure at the time that was due, however late it is now; never a success without evidence."""
    decide(ctx, state, action.wave)


def decide(ctx: Context, state: State, wave: int, found: Sequence[m.MeasurementRecord] | None = None) -> None:
    """The look that is due, and what it says; `found` as for `look`."""
    analysis = state.analyses[wave]
    status = look(ctx, state, analysis, look_time(state, wave), analysis.status.checks + 1, found)
    ctx.cluster.replace_status(analysis.with_status(status))
    if analysis.status.probed_at is None and (status.probed_at or status.phase == "Failed"):
        _release(ctx, state, analysis)


def look(
    ctx: Context,
    state: State,
    analysis: WaveAnalysis,
    at: datetime,
    number: int,
    found: Sequence[m.MeasurementRecord] | None = None,
) -> m.WaveAnalysisStatus:
    """The analysis' status after a look at that time, the `number`th of the grid; nothing is written.

    `found` is what was measured then by others; else it is measured here.
    """
    plan = state.rollout.spec.strategy.analysis
    gone = vanished(ctx, state, analysis)
    whole, analysis = analysis, remaining(analysis, gone)
    found = measured(ctx, state, analysis, at) if found is None else known(found, gone)
    every = [*known(analysis.status.measurements, gone), *found]
    waited = (at - settled_at(state, analysis.spec.wave)).total_seconds()
    written = [*whole.status.measurements, *found]
    left = kept(written)
    counts = tallied(whole.status.truncated, len(written) - len(left))
    status = analysis.status.model_copy(update={"checks": number, "measurements": left, "truncated": counts})
    lost, recovering = unready(ctx, state, analysis, at)
    mute = ""
    if (
        verdict(plan, every, Judgement(), number, lost=lost)[0] != "Failed"
    ):  # else the way back is not kept waiting
        status, mute, twice = _probed(ctx, state, analysis, status)
        lost = [*lost, mute] if twice else lost
    answers = judged(analysis.spec.probes, status.probes)
    status.phase, reason = verdict(plan, every, answers, number, waited, _asked(ctx, state, analysis), lost)
    if mute and status.phase == "Inconclusive":  # once more, before it counts as lost
        status.phase, reason = "Running", mute
    if recovering and status.phase == "Successful":
        status.phase, reason = "Running", recovering
    if fresh := unsaid(state, whole, gone):
        status.deleted_namespaces = [*whole.status.deleted_namespaces, *fresh]
        status.phase, reason = (
            ("Failed", reason) if status.phase == "Failed" else ("Inconclusive", told(fresh))
        )
    elif (
        whole.status.phase == "Running"
        and status.phase == "Inconclusive"
        and nothing_left(state, whole, gone)
    ):
        status.phase, reason = "Successful", "nothing is left of the wave, and a person went on"
    if status.phase == "Successful" and (went := pod_labels.lost(ctx, state, analysis.spec.wave)):
        status.phase, reason = "Inconclusive", went
    status = status.model_copy(update=reasoned(reason))
    flows, problems = seen(ctx, plan, analysis, at, waited)
    status.flows = status.flows if flows is None else flows
    rows = agreement(analysis.spec, status)
    alarms = dict.fromkeys([*answers.alarms, *(r.alarm for r in rows if r.alarm), *problems])
    status.alarms = [a[:1000] for a in alarms]
    if status.phase == "Failed":
        status.suspects = suspects(ctx, state, analysis)
    status.progressed_at = ctx.clock.now()
    return status


def _release(ctx: Context, state: State, analysis: WaveAnalysis) -> None:
    """Once what became of them is written down: who dies before that asks again. Where it fails, they end by themselves."""
    probing = state.rollout.spec.strategy.analysis.probing
    prober = ctx.prober(probing, state.rollout.name, ctx.beat)
    if prober is not None and probing.long_lived:
        with suppress(PortError):
            prober.release(analysis.name)


def due(plan: m.Analysis, status: m.WaveAnalysisStatus, now: datetime) -> bool:
    """Probes are tried at the first look, at the last one that was asked for, and every so often between and after."""
    if status.probed_at is None or status.checks in (1, plan.count):
        return True
    silent = all(r.observed == "unknown" for r in status.probes if r.when == "after")
    return silent or (now - status.probed_at).total_seconds() >= plan.probing.interval_seconds


def _asked(ctx: Context, state: State, analysis: WaveAnalysis) -> bool:
    """Whether probes were asked for: those that were chosen, or would have been, had the connections and an image been known."""
    probing = state.rollout.spec.strategy.analysis.probing
    able = ctx.prober(probing, state.rollout.name, ctx.beat) is not None
    unknown = not able or any(n.startswith(UNKNOWN) for n in analysis.spec.notes)
    return bool(analysis.spec.probes) or (probing.edges and unknown)


def _probed(
    ctx: Context, state: State, analysis: WaveAnalysis, status: m.WaveAnalysisStatus
) -> tuple[m.WaveAnalysisStatus, str, bool]:
    """The status with this look's answers; said where probes that ran before cannot any more, and whether it was twice."""
    plan, probes = state.rollout.spec.strategy.analysis, analysis.spec.probes
    prober = ctx.prober(plan.probing, state.rollout.name, ctx.beat)
    if not probes or prober is None or not due(plan, status, ctx.clock.now()):
        return status, "", False
    before = {r.probe: r.observed for r in status.probes if r.when == "baseline"}
    results = _tried(prober, afterwards(probes), before)
    answers = [record(r, "after") for r in results]
    stay = [r for r in status.probes if r.when in ("baseline", "longLived")]
    if status.probed_at is None and plan.probing.long_lived:
        stay += [record(r, "longLived") for r in prober.held(analysis.name)]
    earlier = cannot_start(probes, status.probes) if status.probed_at else ""
    now = cannot_start(probes, [*stay, *answers])
    update = {"probes": [*stay, *answers], "probed_at": ctx.clock.now()}
    return status.model_copy(update=update), now, bool(earlier and now)


def _tried(prober: Prober, wanted: Sequence[Probe], before: Mapping[str, str]) -> list[ProbeResult]:
    """What broke is tried once more, with the pods of that moment: one that was just replaced proves nothing."""
    try:
        results = {r.probe.name: r for r in prober.run(wanted)}
        broken = [p for p in wanted if p.reachable and before.get(p.name) == "reach"]
        broken = [p for p in broken if p.name in results and results[p.name].observed is False]
        if broken:
            results |= {r.probe.name: r for r in prober.run(broken)}
        return list(results.values())
    except PortError as error:
        return [ProbeResult(p, None, str(error)) for p in wanted]
