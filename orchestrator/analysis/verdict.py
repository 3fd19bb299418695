"""What a wave's measurements and probes together say; the worst wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.rollout.model import Analysis, MeasurementPhase, MeasurementRecord, ProbeRecord


def judged(
    plan: Analysis, probes: Sequence[ProbeRecord], baseline: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """What the probes say against the change, and what keeps them from saying anything.

    `baseline` holds what each probe answered before the change.
    """
    controls = {p.name for p in plan.probes if p.control}
    moved = [
        f"the control probe {p.probe} answers {p.observed}, {baseline[p.probe]} before the change"
        for p in probes
        if p.probe in controls and "unknown" not in (p.observed, baseline.get(p.probe, "unknown"))
        if p.observed != baseline[p.probe]
    ]
    wrong: list[str] = []
    unclear: list[str] = []
    for p in probes:
        if p.probe in controls or p.observed in (p.expected, "unknown"):
            continue
        said = f"probe {p.probe}: expected {p.expected}, seen {p.observed}"
        if baseline.get(p.probe) == p.observed:
            unclear.append(f"{said}, and so it was before the change")
        else:
            wrong.append(said)
    return ([], [*moved, *wrong]) if moved else (wrong, unclear)


def verdict(
    plan: Analysis,
    measured: Sequence[MeasurementRecord],
    probes: Sequence[ProbeRecord],
    ticks: int,
    baseline: Mapping[str, str] | None = None,
) -> tuple[MeasurementPhase, str]:
    """Failed as soon as the limits are passed; Successful only with everything that was asked for.

    `baseline` holds each probe's answer before the change.
    """
    kinds = {m.name: m.kind for m in plan.metrics}
    failed = [m for m in measured if m.phase == "Failed"]
    failed.sort(key=lambda m: (kinds.get(m.metric) != "scrape", kinds.get(m.metric) != "ratio"))
    wrong, unclear = judged(plan, probes, baseline or {})
    looks = {m.time for m in failed}
    if wrong or len(looks) > plan.failure_limit:
        scrape = [m for m in failed if kinds.get(m.metric) == "scrape"]
        said = dict.fromkeys([m.message for m in scrape] or [*(m.message for m in failed), *wrong])
        prefix = "the change cuts off the observer: " if scrape else ""
        return "Failed", prefix + "; ".join(list(said)[:4])
    errors = [m for m in measured if m.phase == "Error"]
    if len({m.time for m in errors}) > plan.error_limit:
        return "Error", errors[-1].message
    if any(p.observed == "unknown" for p in probes) or len(probes) < len(plan.probes):
        return "Inconclusive", "not every probe could be run"
    if unclear:
        return "Inconclusive", "; ".join(unclear[:4])
    if ticks < plan.count:
        return "Running", f"{ticks} of {plan.count} looks"
    return _last(plan, measured, probes)


def _last(
    plan: Analysis, measured: Sequence[MeasurementRecord], probes: Sequence[ProbeRecord]
) -> tuple[MeasurementPhase, str]:
    required = {m.name for m in plan.metrics if m.required}
    latest = {(m.metric, m.namespace): m for m in measured}
    for item in latest.values():
        if item.metric in required and item.phase in ("Inconclusive", "Error"):
            return "Inconclusive", item.message
    for name in sorted(required - {m.metric for m in measured if m.phase == "Successful"}):
        return "Inconclusive", f"{name} has no successful measurement"
    if not plan.metrics and not plan.probes:
        return "Successful", "no evidence was asked for"
    good = sum(m.phase == "Successful" for m in measured)
    return "Successful", f"{good} measurements within their limits, {len(probes)} probes as expected"
