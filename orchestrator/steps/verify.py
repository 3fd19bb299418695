"""After the way back: probe again and say whether the baseline's answers are there."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.errors import PortError
from orchestrator.ports import Probe, ProbeResult
from orchestrator.rollout import model as m
from orchestrator.rollout.next import Action, State
from orchestrator.steps.context import Context, change


def probes(strategy: m.Strategy) -> list[Probe]:
    """The strategy's probes, for the port."""
    return [
        Probe(p.name, p.source, p.destination, p.port, p.protocol, p.expect == "reach")
        for p in strategy.analysis.probes
    ]


def record(result: ProbeResult, when: str) -> m.ProbeRecord:
    """A result as it is kept."""
    seen = {True: "reach", False: "blocked", None: "unknown"}[result.observed]
    return m.ProbeRecord.model_validate(
        {
            "probe": result.probe.name,
            "when": when,
            "observed": seen,
            "expected": "reach" if result.probe.reachable else "blocked",
            "message": result.message[:1000],
        }
    )


def run(ctx: Context, state: State, action: Action) -> None:
    """Set the Verified condition: True, False or Unknown."""
    baseline = {
        record.probe: record.observed
        for analysis in state.analyses.values()
        for record in analysis.status.probes
        if record.when == "baseline"
    }
    value: m.ConditionStatus = "True"
    reason, message = "NoProbes", "restored; the source has no probes"
    wanted = [p for p in probes(state.rollout.spec.strategy) if p.name in baseline]
    if wanted:
        value, reason, message = _compare(ctx, state, wanted, baseline)
    now = ctx.clock.now()
    kept = [c for c in state.rollout.status.conditions if c.type != "Verified"]
    kept.append(
        m.Condition(type="Verified", status=value, reason=reason, message=message, last_transition_time=now)
    )
    change(ctx, state, Action("verify"), conditions=kept)


def _compare(
    ctx: Context, state: State, wanted: list[Probe], baseline: Mapping[str, str]
) -> tuple[m.ConditionStatus, str, str]:
    try:
        prober = ctx.prober(state.rollout.spec.strategy.analysis.probing, state.rollout.name)
        results = prober.run(wanted) if prober else []
    except PortError as error:
        return "Unknown", "ProbesDidNotRun", str(error)[:1000]
    if not results or any(r.observed is None for r in results):
        return "Unknown", "ProbesDidNotRun", "not every probe could be run again"
    wrong = [r.probe.name for r in results if record(r, "restored").observed != baseline[r.probe.name]]
    if wrong:
        return "False", "ProbesDiffer", f"these answer otherwise than before the change: {', '.join(wrong)}"
    return "True", "ProbesAgree", f"{len(results)} probes answer as before the change"
