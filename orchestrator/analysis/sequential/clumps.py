"""How errors and requests clump, and what the past says about their rate. Arrays end in intervals.

Counts are taken as compound Poisson: clumps arrive independently, each of one or more. Two facts are used:
for an upper tail a clump of at most `s` is no worse than all clumps being `s` (exp is convex); for a lower
tail the index of dispersion, which is the size of a clump as its members see it, suffices (Jensen's
inequality).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLUMP = 10.0  # the errors of one clump that are borne whether or not the past has shown them
BLOCK = 4  # intervals that are also looked at as one, for clumps that straddle intervals
GRID = 24  # points at which an unknown rate is tried
KEEP = 0.5  # what is left of evidence where the past says nothing against a rate
BELOW = np.log(np.array([1.2, 2.0, 6.0, 20.0]))  # bets that a rate is this many times below a claimed one


def claimed_clump(total: Array) -> Array:
    """The largest clump that must be borne: of CLUMP, but of no more errors than an interval has requests."""
    seen = np.maximum((total > 0).sum(axis=-1), 1)
    size: Array = np.clip(total.sum(axis=-1) / seen, 1.0, CLUMP)
    return size


def dispersion(counts: Array, exposure: Array, clump: Array | float = CLUMP) -> Array:
    """The index of dispersion (variance by mean; 1 where all is independent), leaning upward.

    It is taken as though one more had been counted, in a clump of size `clump`: where little was seen, that
    decides. Two standard errors are added, and the larger of single intervals and blocks of BLOCK counts.
    """
    rate = counts.sum(axis=-1, keepdims=True) / np.maximum(exposure.sum(axis=-1, keepdims=True), 1e-300)
    found = np.ones(counts.shape[:-1])
    for width in (1, BLOCK):
        whole = counts.shape[-1] // width * width
        if width > 1 and whole < 2 * width:
            continue
        seen, lasted = (
            a[..., :whole].reshape(*a.shape[:-1], -1, width).sum(axis=-1) for a in (counts, exposure)
        )
        squares = ((seen - rate * lasted) ** 2).sum(axis=-1) + clump
        size = np.maximum((lasted > 0).sum(axis=-1), 1)
        found = np.maximum(found, squares / (seen.sum(axis=-1) + 1) * (1 + 2 * np.sqrt(2 / size)))
    return found


def rates(errors: Array, total: Array) -> tuple[Array, Array, Array]:
    """Shares of errors to try, the evidence of the past against each being too low a bound, and the
    dispersion.

    Shapes (..., GRID), (..., GRID) and (...). The evidence is an e-value: the true share, whatever it is, is
    spoken against by more than x with a chance of at most 1/x. The shares start at what was seen, one error
    added.
    """
    clump = claimed_clump(total)
    spread = dispersion(errors, total, clump)
    seen = (errors.sum(axis=-1) + 1) / spread
    steps = np.linspace(0.0, 1.0, GRID)
    clumps = seen[..., None] * ((2 * seen + 40) / seen)[..., None] ** steps
    powers = clumps[..., None] * -np.expm1(-BELOW) - seen[..., None, None] * BELOW
    against = KEEP + (1 - KEEP) * np.exp(np.minimum(powers, 200.0)).mean(axis=-1)
    shares = clumps * spread[..., None] / np.maximum(total.sum(axis=-1), 1e-300)[..., None]
    return shares, against, spread
