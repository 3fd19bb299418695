"""Random requests and errors of many runs at once, by every law that simulations and bench use."""

import numpy as np


def requests(rng, runs, intervals, mean, swell=0.0, lasting=8):
    """Requests, (runs, intervals): Poisson around a mean that swells by so much for so many intervals."""
    if swell:
        noise = rng.normal(size=(runs, intervals + lasting))
        sums = np.cumsum(noise, axis=1)
        smooth = (sums[:, lasting:] - sums[:, :-lasting]) / np.sqrt(lasting)
        mean = mean * np.exp(swell * smooth - swell**2 / 2)
    return rng.poisson(np.broadcast_to(mean, (runs, intervals))).astype(float)


def errors(rng, total, share, clump=1):
    """Errors in each interval: independent ones, or clumps of one size, of the same expected share of
    `total`.

    `clump` may be a mapping of sizes to the share of all errors that come in clumps of that size.
    """
    if isinstance(clump, dict):
        return sum(errors(rng, total, share * part, size) for size, part in clump.items())
    return clump * rng.poisson(total * share / clump).astype(float)
