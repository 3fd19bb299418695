"""The evidence of one namespace and metric, from its counts and the controls' before and after a change.

Loads numpy: import it where it is used, not when the program starts.
"""

import math

import numpy as np

from orchestrator.analysis.sequential.alarm import Counts, Evidence
from orchestrator.analysis.sequential.clumps import Array, dispersion, rates
from orchestrator.analysis.sequential.counters import Increments
from orchestrator.analysis.sequential.e_process import (
    ratio_path,
    regressed_errors,
    regressed_requests,
    volume_path,
)
from orchestrator.analysis.sequential.shared_change import error_drift, volume_drift
from orchestrator.wording import many

LOST = 0.9  # share of requests: what cuts clients off loses nearly all of theirs
ALONE = "no control group: the baseline decides"


def ratio_evidence(
    before: Counts,
    after: Counts,
    controls_before: Counts | None,
    controls_after: Counts | None,
    *,
    tolerance: float,
    alarm_at: float,
    regression: float | None = None,
) -> Evidence:
    """Whether errors are more than (1 + tolerance) times what baseline and controls let expect.

    `alarm_at` is log evidence (see sequential.py). `regression` is the share of errors that must have been
    findable before this counts as enough; None: five times what is expected, and at least 0.05. No errors
    where there are requests are zero errors; no requests are no data.
    """
    errors_before, total_before = _ratio(before)
    errors, total = _ratio(after)
    past, requests, seen = float(total_before.sum()), float(total.sum()), float(errors.sum())
    if not past:
        return _nothing("before", np.zeros(len(total)), seen)
    point, bound, note = _error_drift(controls_before, controls_after, len(total))

    def path(found: Array) -> Array:
        return ratio_path(errors_before, total_before, found, total, bound, tolerance)

    if not requests:
        return _nothing("after", path(errors), seen)
    own = float(errors_before.sum()) / past
    expected = min((1 + tolerance) * own * float(point[-1]), 1.0)
    size = regression if regression is not None else min(max(5 * expected, 0.05), 1.0)
    would = regressed_errors(total, size, rates(errors_before, total_before)[2])
    said = (
        f"{many(round(seen), 'error')} in {many(round(requests), 'request')} ({_percent(seen / requests)}), at most "
        f"{_percent(expected)} expected (baseline {errors_before.sum():.0f} in {past:.0f}, "
        f"{note or f'control group x{point[-1]:.2g}'}, tolerance {_percent(tolerance)})"
    )
    enough = bool(path(would).max() >= alarm_at)
    found = path(errors)
    return _evidence(found, (seen, expected * requests, requests), enough, _said(said, found, alarm_at), note)


def volume_evidence(
    before: Increments,
    after: Increments,
    controls_before: Increments | None,
    controls_after: Increments | None,
    *,
    min_ratio: float,
    alarm_at: float,
    regression: float | None = None,
) -> Evidence:
    """Whether requests are fewer than min_ratio times what baseline and controls let expect.

    `alarm_at` is log evidence (see sequential.py). `regression` is the share of requests lost that must have
    been findable before this counts as enough; None: 0.9. An interval in which nothing was scraped says
    nothing: a series that is gone is for the caller to judge.
    """
    counts_before, lasted_before = _covering(before, leading=0)
    counts, lasted = _covering(after, leading=1)
    seen, covered = float(counts.sum()), float(lasted.sum())
    if not counts_before.sum():
        return _nothing("before", np.zeros(len(counts)), seen)
    drift, note = _volume_drift(controls_before, controls_after, len(counts))
    deviations = math.sqrt(2 * alarm_at)

    def path(found: Array) -> Array:
        return volume_path(counts_before, lasted_before, found, lasted, drift, min_ratio, deviations)

    if not covered:
        return _nothing("after", path(counts), seen)
    usual = float(counts_before.sum() / lasted_before.sum())
    expected = usual * drift * lasted
    lost = LOST if regression is None else regression
    would = regressed_requests(expected, lost, dispersion(counts_before, lasted_before))
    share = f"control group x{float(expected.sum()) / (usual * covered):.2g}"
    said = (
        f"{many(round(seen), 'request')}, {float(expected.sum()):.0f} expected (baseline {usual:.3g} an interval, "
        f"{note or share}), at least {_percent(min_ratio)} of them asked for"
    )
    enough = bool(path(would).max() >= alarm_at)
    found = path(counts)
    sums = (seen, float(expected.sum()), covered)
    return _evidence(found, sums, enough, _said(said, found, alarm_at), note)


def _ratio(counts: Counts) -> tuple[Array, Array]:
    """Errors and requests; errors whose requests were not scraped go with the next requests."""
    errors, requests = np.zeros(len(counts.total)), np.zeros(len(counts.total))
    waiting = 0.0
    for slot, (error, total) in enumerate(zip(counts.errors, counts.total, strict=True)):
        waiting += error or 0.0
        if total is not None:
            errors[slot], requests[slot], waiting = waiting, total, 0.0
    return errors, requests


def _covering(values: Increments, leading: int) -> tuple[Array, Array]:
    """Counts, and how many intervals each covers: what was lost before it lands in it; 0 where nothing was
    scraped.

    Whether gaps before the first count are covered by it, too, says `leading`, 1 or 0.
    """
    counts, lasted = np.zeros(len(values)), np.zeros(len(values))
    gap, counted = 0, leading
    for slot, value in enumerate(values):
        if value is None:
            gap += counted
            continue
        counts[slot], lasted[slot], gap, counted = value, 1 + gap, 0, 1
    return counts, lasted


def _error_drift(before: Counts | None, after: Counts | None, length: int) -> tuple[Array, Array, str]:
    if before is not None and after is not None:
        (errors_before, total_before), (errors, total) = _ratio(before), _ratio(after)
        if total_before.sum():
            point, bound = error_drift(errors_before, total_before, errors, total)
            return point, bound, ""
    return np.ones(length), np.ones(length), ALONE


def _volume_drift(before: Increments | None, after: Increments | None, length: int) -> tuple[Array, str]:
    if before is not None and after is not None:
        past = _covering(before, leading=0)
        if past[0].sum():
            return volume_drift(*past, *_covering(after, leading=1)), ""
    return np.ones(length), ALONE


def _nothing(when: str, path: Array, seen: float) -> Evidence:
    text = f"no data: no requests were counted {when} the change"
    return _evidence(path, (seen, 0.0, 0.0), False, text, text)


def _evidence(
    path: Array, sums: tuple[float, float, float], enough: bool, message: str, note: str
) -> Evidence:
    values = tuple(path.tolist()) or (0.0,)
    return Evidence(values[-1], max(values), values, *sums, enough, message, note)


def _said(what: str, path: Array, alarm_at: float) -> str:
    return f"{what}; evidence 1:{_odds(float(path.max()))}, alarm at 1:{_odds(alarm_at)}"


def _odds(log_e: float) -> str:
    odds = math.exp(min(max(log_e, 0.0), 20.0))
    return f"{odds:,.0f}" if odds < 1e6 else "1,000,000 or more"


def _percent(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 0.995 else f"{share * 100:.0f} %"
