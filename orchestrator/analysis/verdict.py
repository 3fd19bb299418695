"""What a wave's measurements and probes together say; the worst wins."""

from collections.abc import Sequence

from orchestrator.analysis.probe_answers import Judgement
from orchestrator.rollout.resources.model import Analysis, MeasurementPhase, MeasurementRecord
from orchestrator.wording import agreeing, many

OBSERVER = "the change cuts off the observer: "
MOST_SAID = 4


def verdict(
    plan: Analysis,
    measured: Sequence[MeasurementRecord],
    answers: Judgement,
    checks: int,
    waited: float = 0.0,
    probes: bool = False,
    lost: Sequence[str] = (),
) -> tuple[MeasurementPhase, str]:
    """Failed as soon as the limits are passed; Successful only with everything that was asked for.

    `waited` is in seconds since the wave was settled, `probes` says whether probes were asked for, `lost` names
    further ways of seeing that went away. Dry-run metrics are recorded and decide nothing.
    """
    specs = {m.name: m for m in plan.metrics}
    measured = [r for r in measured if r.metric not in specs or not specs[r.metric].dry_run]
    failed = _failed(plan, measured, answers, lost)
    if failed:
        return "Failed", failed
    errors = [r for r in measured if r.phase == "Error"]
    if len({r.time for r in errors}) > plan.error_limit:
        return "Error", errors[-1].message
    if answers.unclear:
        return "Inconclusive", "; ".join(answers.unclear[:MOST_SAID])
    if checks < plan.count:
        return "Running", f"{checks} of {many(plan.count, 'check')}"
    return _last(plan, measured, waited, answers.agreed, probes)


def _failed(
    plan: Analysis, measured: Sequence[MeasurementRecord], answers: Judgement, lost: Sequence[str]
) -> str:
    """Why the wave is bad, the observer's own losses first; empty where it is not."""
    specs = {m.name: m for m in plan.metrics}
    failed = [r for r in measured if r.phase == "Failed"]
    # A sequential test has its own bound on false alarms: it is believed at once.
    proven = [r for r in failed if r.metric in specs and specs[r.metric].test == "sequential"]
    looks = {r.time for r in failed if r not in proven}
    if not proven and len(looks) <= plan.failure_limit and not answers.failed and not lost:
        return ""

    def kind(record: MeasurementRecord) -> str:
        return specs[record.metric].kind if record.metric in specs else ""

    failed.sort(key=lambda r: kind(r) != "ratio")
    blind = [*(r.message for r in failed if kind(r) == "scrape"), *answers.lost, *lost]
    said = dict.fromkeys(blind or [*(r.message for r in failed), *answers.wrong])
    return (OBSERVER if blind else "") + "; ".join(list(said)[:MOST_SAID])


def _last(
    plan: Analysis, measured: Sequence[MeasurementRecord], waited: float, agreed: int, probes: bool
) -> tuple[MeasurementPhase, str]:
    required = {m.name for m in plan.metrics if m.required and not m.dry_run}
    latest = {(r.metric, r.namespace): r for r in measured if r.metric in required}
    for item in latest.values():
        if item.phase in ("Inconclusive", "Error"):
            return "Inconclusive", item.message
    waiting = [item for item in latest.values() if item.phase == "Running"]
    if waiting and waited < plan.limit_seconds:
        return "Running", f"not enough was seen yet: {waiting[0].message}"
    if waiting:
        return "Inconclusive", f"not enough was seen in {plan.limit_seconds} s: {waiting[0].message}"
    good = [r for r in measured if r.phase == "Successful"]
    for name in sorted(required - {r.metric for r in good}):
        if not (agreed and plan.on_no_traffic == "probes"):
            return "Inconclusive", f"{name} has no successful measurement"
    if not good and not agreed:
        if plan.metrics or probes:
            return "Inconclusive", "nothing was measured, and no probe was answered as expected"
        return "Successful", "no evidence was asked for"
    return (
        "Successful",
        f"{many(len(good), 'measurement')} within {agreeing(len(good), 'its limits', 'their limits')}, {many(agreed, 'probe')} as expected",
    )
