"""What the controls say of changes that everyone shares. Arrays end in intervals.

Drift is only ever taken in favour of the change: controls that grow healthier or busier ask for nothing more.
"""

import numpy as np

from orchestrator.analysis.sequential.clumps import Array, claimed_clump, dispersion

DEVIATIONS = 2.0  # standard errors that the controls' growth is taken high
UNSHOWN = 1.75  # times more errors that all may have before the controls' are enough to show it


def error_drift(
    errors_before: Array, total_before: Array, errors: Array, total: Array
) -> tuple[Array, Array]:
    """By how much everyone's share of errors has grown, and an upper bound for it; both (..., T), at least 1.

    The bound lies DEVIATIONS standard errors above the growth, but no higher than UNSHOWN times it; and at
    least at what the interval itself shows beyond doubt, so that an outage that all share counts from its
    first interval on. It is no confidence sequence: that it holds alpha together with the tolerance is what
    test_false_alarms.py shows.
    """
    spread = dispersion(errors_before, total_before, claimed_clump(total_before))[..., None]
    before = errors_before.sum(axis=-1, keepdims=True) + 1
    share = before / np.maximum(total_before.sum(axis=-1, keepdims=True), 1e-300)
    now = np.cumsum(errors, axis=-1) + 1
    grown = np.maximum(now / (share * np.cumsum(total, axis=-1) + 1), 1.0)
    above = np.exp(np.minimum(DEVIATIONS * np.sqrt(spread * (1 / now + 1 / before)), np.log(UNSHOWN)))
    usual = share * total + 1
    here = (errors - DEVIATIONS * np.sqrt(spread * usual)) / usual
    return grown, np.maximum(grown * above, here)


def volume_drift(counts_before: Array, lasted_before: Array, counts: Array, lasted: Array) -> Array:
    """The share of their past volume that the controls have in each interval; (..., T), at most 1.

    `lasted` is how many intervals each count covers, 0 where nothing was scraped: then the answer is 0, since
    what the controls lose alike proves nothing.
    """
    usual = counts_before.sum(axis=-1, keepdims=True) / np.maximum(
        lasted_before.sum(axis=-1, keepdims=True), 1e-300
    )
    share: Array = np.minimum(counts / np.maximum(usual * lasted, 1e-300), 1.0)
    return share
