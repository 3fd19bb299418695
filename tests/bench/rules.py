"""The rules that `make bench-analysis` compares: the interval in which each raises the alarm, for many runs
at once.

A scene holds counts of shape (runs, namespaces, intervals of 15 s) before and after a change, and the
controls' pooled (runs, intervals). A rule answers (runs,): the number of intervals after which it alarms, or
NEVER. Only ours knows its baseline and the controls by itself; so that vanished traffic is a fair race, every
other rule is given a check that it does not have by default: fewer than 60 % of the requests of the hour
before.
"""

from dataclasses import dataclass

import numpy as np

from orchestrator.analysis.sequential.alarm import alarm_at, threshold
from orchestrator.analysis.sequential.e_process import ratio_path, volume_path
from orchestrator.analysis.sequential.shared_change import error_drift, volume_drift

NEVER = np.inf
MINUTE = 4
ALPHA, WAVES, TOLERANCE, MIN_RATIO, LIMIT = 0.05, 3, 0.5, 0.6, 0.01


@dataclass(frozen=True)
class Scene:
    """Counts of errors and requests, before and after, of the watched namespaces and of the controls."""

    errors_before: np.ndarray
    total_before: np.ndarray
    errors: np.ndarray
    total: np.ndarray
    controls: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def ours(scene):
    """Both sequential tests of every namespace, sharing alpha with those of two more waves."""
    names = scene.total.shape[1]
    deviations = np.sqrt(2 * alarm_at(2 * names, WAVES, ALPHA))
    errors_before, total_before, errors, total = scene.controls
    bound = error_drift(errors_before, total_before, errors, total)[1][:, None]
    ones_before, ones = np.ones_like(scene.total_before), np.ones_like(scene.total)
    share = volume_drift(total_before, np.ones_like(total_before), total, np.ones_like(total))[:, None]
    ratio = ratio_path(
        scene.errors_before, scene.total_before, scene.errors, scene.total, bound * ones, TOLERANCE
    )
    volume = volume_path(
        scene.total_before, ones_before, scene.total, ones, share * ones, MIN_RATIO, deviations
    )
    joint = np.log((np.exp(ratio) + np.exp(volume)).sum(axis=1) / (2 * names))
    return _first(joint >= threshold(ALPHA, WAVES))


def flagger(scene):
    """Every minute over the last minute; rolls back at the tenth failed check. No values count as failed."""
    failed = _failed(scene, MINUTE)
    return _first(np.cumsum(failed, axis=2) >= 10, MINUTE)


def argo(scene):
    """Every 5 minutes over the last 5, failureLimit 3: the fourth failure."""
    failed = _failed(scene, 5 * MINUTE)
    return _first(np.cumsum(failed, axis=2) > 3, 5 * MINUTE)


def argo_tightest(scene):
    """Every scrape, failureLimit 0."""
    return _first(_failed(scene, 1))


def kayenta(scene):
    """Mann-Whitney at the end of an hour on minutes: error ratios against the controls', requests against the
    past.

    0.98 confidence; the difference must pass a quarter of the Hodges-Lehmann estimate, as Kayenta's judge has
    it.
    """
    mine = _ratio(*(_windows(a, MINUTE) for a in (scene.errors, scene.total)))
    theirs = _ratio(*(_windows(a, MINUTE) for a in scene.controls[2:]))[:, None]
    high = _shifted(mine, np.broadcast_to(theirs, mine.shape))
    low = _shifted(_windows(scene.total_before, MINUTE), _windows(scene.total, MINUTE))
    return np.where((high | low).any(axis=1), scene.total.shape[-1], NEVER)


RULES = {"ours": ours, "Flagger": flagger, "Argo": argo, "Argo tightest": argo_tightest, "Kayenta": kayenta}


def _windows(counts, width):
    return counts.reshape(*counts.shape[:-1], -1, width).sum(axis=-1)


def _ratio(errors, total):
    return np.where(total > 0, errors / np.maximum(total, 1), 0.0)


def _failed(scene, width):
    """Checks over disjoint windows: more than 1 % errors, or too few requests."""
    errors, total = _windows(scene.errors, width), _windows(scene.total, width)
    usual = scene.total_before.mean(axis=-1, keepdims=True) * width
    return (_ratio(errors, total) > LIMIT) | (total < MIN_RATIO * usual)


def _first(alarms, width=1):
    """Intervals until the first alarm of any namespace; `alarms` is (runs, [namespaces,] windows)."""
    if alarms.ndim == 3:
        alarms = alarms.any(axis=1)
    return np.where(alarms.any(axis=1), (alarms.argmax(axis=1) + 1.0) * width, NEVER)


def _shifted(high, low):
    """Whether the 98 % confidence interval of high - low lies above a quarter of the estimated shift."""
    size = high.shape[-1]
    found = np.zeros(high.shape[:-1], dtype=bool)
    margin = 2.326 * np.sqrt(size * size * (2 * size + 1) / 12)
    place = max(int(size * size / 2 - margin), 0)
    for run in np.ndindex(found.shape):
        gaps = (high[run][:, None] - low[run]).ravel()
        lower, middle = np.partition(gaps, (place, gaps.size // 2))[[place, gaps.size // 2]]
        found[run] = lower > 0.25 * abs(middle)
    return found
