"""After the way back: probe again and say whether the baseline's answers are there."""

from orchestrator.context import Context, change
from orchestrator.errors import PortError
from orchestrator.measure.probes import attempt
from orchestrator.ports import Probe
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import put
from orchestrator.wording import agreeing, many

MOST_NAMED = 5


def run(ctx: Context, state: State, action: Action) -> None:
    """Set the Verified condition: True, False or Unknown."""
    wanted = _baseline(state)
    value: m.ConditionStatus = "True"
    reason, message = "NoProbes", "restored; no probe was answered before the change"
    if wanted:
        value, reason, message = _compare(ctx, state, wanted)
    known = state.rollout.status.conditions
    found = put(known, "RollbackVerified", value, reason, message, ctx.clock.now())
    change(ctx, state, Action("verify"), conditions=found)


def _baseline(state: State) -> list[Probe]:
    """Every probe that was answered before the change, expected to answer so again.

    The first wave's answer counts, since later waves began with earlier ones applied.
    """
    found: dict[str, Probe] = {}
    for _, analysis in sorted(state.analyses.items()):
        answered = {r.probe: r.observed for r in analysis.status.probes if r.when == "baseline"}
        for probe in analysis.spec.probes:
            answer = answered.get(probe.name, "unknown")
            if answer != "unknown":
                found.setdefault(probe.name, attempt(probe, answer))
    return list(found.values())


def _compare(ctx: Context, state: State, wanted: list[Probe]) -> tuple[m.ConditionStatus, str, str]:
    try:
        probing = state.rollout.spec.strategy.analysis.probing
        prober = ctx.prober(probing, state.rollout.name, ctx.beat)
        results = prober.run(wanted) if prober else []
    except PortError as error:
        return "Unknown", "ProbesDidNotRun", str(error)[:1000]
    wrong = [r.probe.name for r in results if r.observed is not None and r.observed != r.probe.reachable]
    if not wrong and (not results or any(r.observed is None for r in results)):
        return "Unknown", "ProbesDidNotRun", "not every probe could be run again"
    if wrong:
        named = ", ".join(wrong[:MOST_NAMED]) + (", …" if len(wrong) > MOST_NAMED else "")
        return "False", "ProbesDiffer", f"these answer otherwise than before the change: {named}"
    return (
        "True",
        "ProbesMatch",
        f"{many(len(results), 'probe')} {agreeing(len(results), 'answers', 'answer')} as before the change",
    )
