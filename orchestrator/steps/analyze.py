"""Judge a wave by its probes. Metrics that are asked for and cannot be read yet end Inconclusive."""

from __future__ import annotations

from orchestrator.errors import PortError
from orchestrator.rollout import model as m
from orchestrator.rollout.next import Action, State
from orchestrator.steps.context import Context
from orchestrator.steps.verify import probes, record


def run(ctx: Context, state: State, action: Action) -> None:
    """One look; never a success without what was asked for."""
    analysis = state.analyses[action.wave]
    plan = state.rollout.spec.strategy.analysis
    ticks = analysis.status.ticks + 1
    results: list[m.ProbeRecord] = []
    phase: m.MeasurementPhase
    try:
        wanted = probes(state.rollout.spec.strategy)
        results = [record(r, "after") for r in ctx.prober.run(wanted)] if wanted and ctx.prober else []
        phase, reason = _verdict(plan, results, ticks)
    except PortError as error:
        phase, reason = "Error", f"the probes could not be run: {error}"
    kept = [p for p in analysis.status.probes if p.when == "baseline"]
    status = analysis.status.model_copy(
        update={"phase": phase, "reason": reason, "ticks": ticks, "probes": [*kept, *results]}
    )
    ctx.cluster.replace_status(analysis.with_status(status))


def _verdict(plan: m.Analysis, results: list[m.ProbeRecord], ticks: int) -> tuple[m.MeasurementPhase, str]:
    wrong = [
        f"{r.probe}: expected {r.expected}, seen {r.observed}" for r in results if r.observed != r.expected
    ]
    if any(r.observed == "unknown" for r in results) or len(results) < len(plan.probes):
        return "Inconclusive", "not every probe could be run"
    if wrong:
        return "Failed", "; ".join(wrong)
    if plan.metrics:
        return "Inconclusive", "no metric source is set up for the metrics that were asked for"
    if not plan.probes:
        return "Successful", "no evidence was asked for"
    if ticks < plan.count:
        return "Running", f"{ticks} of {plan.count} looks"
    return "Successful", f"{len(results)} probes answered as expected {ticks} times"
