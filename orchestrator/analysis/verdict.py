"""What a wave's measurements and probes together say; the worst wins."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.rollout.model import Analysis, MeasurementPhase, MeasurementRecord, ProbeRecord


def probes_failed(probes: Sequence[ProbeRecord]) -> list[str]:
    """Probes that answer otherwise than expected."""
    return [
        f"probe {p.probe}: expected {p.expected}, seen {p.observed}"
        for p in probes
        if p.observed not in (p.expected, "unknown")
    ]


def verdict(
    plan: Analysis, measured: Sequence[MeasurementRecord], probes: Sequence[ProbeRecord], ticks: int
) -> tuple[MeasurementPhase, str]:
    """Failed as soon as the limits are passed; Successful only with everything that was asked for."""
    kinds = {m.name: m.kind for m in plan.metrics}
    failed = [m for m in measured if m.phase == "Failed"]
    failed.sort(key=lambda m: (kinds.get(m.metric) != "scrape", kinds.get(m.metric) != "ratio"))
    wrong = probes_failed(probes)
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
