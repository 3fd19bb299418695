"""Evidence of a regression after every interval, from counts before and after a change and the controls'
drift.

Arrays end in intervals; everything before that is runs, so that simulations call what rollouts call. An
unknown share of errors is not estimated but tried: evidence stands only where it stands for every share that
the past does not speak against.
"""

import numpy as np

from orchestrator.analysis.sequential.betting import fall, rise
from orchestrator.analysis.sequential.clumps import CLUMP, KEEP, Array, dispersion, rates


def ratio_path(
    errors_before: Array, total_before: Array, errors: Array, total: Array, drift: Array, tolerance: float
) -> Array:
    """Log evidence after each interval that errors are more than (1 + tolerance) * baseline * drift; (...,
    T).

    `drift` is (..., T), an upper bound on how the controls' share of errors has changed.
    """
    shares, against, spread = rates(errors_before, total_before)
    total = np.maximum(total, errors)  # scraped a moment apart, errors may come before their requests
    allowed = (1 + tolerance) * shares[..., None] * (drift * total)[..., None, :]
    clump = np.maximum(spread[..., None], np.clip(total, 1.0, CLUMP))
    path = rise(errors, allowed, clump)
    # Between two shares that are tried, the past's evidence is the lower one's, the later the upper's.
    below = np.concatenate([np.full((*against.shape[:-1], 1), KEEP), against[..., :-1]], axis=-1)
    beyond = against[..., -1:] / (np.arange(errors.shape[-1]) + 2)
    least = np.minimum((below[..., None] * path).min(axis=-2), beyond)
    return np.where(total_before.sum(axis=-1, keepdims=True) > 0, np.log(least), 0.0)


def volume_path(
    before: Array,
    lasted_before: Array,
    counts: Array,
    lasted: Array,
    drift: Array,
    min_ratio: float,
    deviations: float,
) -> Array:
    """Log evidence after each interval that requests are fewer than min_ratio * baseline * drift; (..., T).

    `lasted` is how many intervals a count covers, 0 for none; the baseline is taken `deviations` standard
    errors low.
    """
    return np.log(
        fall(
            counts,
            min_ratio * least_volume(before, lasted_before, deviations)[..., None] * drift * lasted,
            dispersion(before, lasted_before),
        )
    )


def least_volume(before: Array, lasted: Array, deviations: float) -> Array:
    """A lower bound for the requests that an interval usually has; shape (...)."""
    total = before.sum(axis=-1)
    error = np.sqrt(dispersion(before, lasted) / np.maximum(total, 1e-300))
    bound: Array = (
        total / np.maximum(lasted.sum(axis=-1), 1e-300) * np.exp(-np.minimum(deviations * error, 700.0))
    )
    return bound


def regressed_errors(total: Array, share: float | Array, spread: Array) -> Array:
    """Whole errors in each interval that a share of them would bring at least; (..., T).

    Two standard deviations fewer than expected, rounded down: promotion must not hang on luck.
    """
    expected = share * np.cumsum(total, axis=-1)
    sure = np.floor(np.maximum(expected - 2 * np.sqrt(expected * spread[..., None]), 0.0))
    return np.diff(np.maximum.accumulate(sure, axis=-1), axis=-1, prepend=0.0)


def regressed_requests(expected: Array, share: float, spread: Array) -> Array:
    """Requests in each interval that would be left at most, were a share of them lost; (..., T)."""
    left = (1 - share) * np.cumsum(expected, axis=-1)
    return np.diff(left + 2 * np.sqrt(left * spread[..., None]), axis=-1, prepend=0.0)
