"""Bets against "no regression": e-processes over intervals, for a change that may come at any of them.

Whoever bets starts with 1 and cannot expect to win while the null holds, so to reach x at any look at all has
a chance of at most 1/x (Ville 1939). Each process is a mixture over sizes and beginnings of a regression,
fixed in advance, so that it is a function of the counts alone: looking more often, later, or again after a
restart changes nothing (Lindon, Sanden, Shirikian, KDD 2022; Lindon, Malek, NeurIPS 2022, for counts).
"""

import numpy as np

from orchestrator.analysis.sequential.clumps import Array

RISES = np.array([2.0, 6.0, 30.0, 200.0])  # how many times more than is allowed
FALLS = np.array([1.1, 1.5, 4.0, 30.0])  # how many times less
MOST_AT_ONCE = 50.0  # of log evidence from one interval: a cap lowers evidence, and nothing overflows
MOST = 1e100


def rise(errors: Array, allowed: Array, clump: Array) -> Array:
    """Evidence that more errors come than are `allowed` in expectation; shape (..., K, T), not logged.

    `errors` is (..., T), `allowed` (..., K, T) for K hypotheses, `clump` (..., T) the largest clump that is
    borne. Half is bet exponentially: sound for clumps of at most `clump`, and quick where much breaks. Half
    is bet linearly, (1 + k*errors) / (1 + k*allowed): sound for every law of that mean in each interval,
    given those before, with no claim about clumps (Waudby-Smith, Ramdas, "Estimating means of bounded random
    variables by betting", JRSS B 2024).
    """
    exponential = np.zeros((*allowed.shape[:-1], len(RISES)))
    linear = np.zeros_like(exponential)
    path = np.empty_like(allowed)
    for t in range(errors.shape[-1]):
        seen, size = errors[..., t, None, None], clump[..., t, None, None]
        mean = allowed[..., t, None]
        power = seen / size * np.log(RISES) - mean / size * (RISES - 1)
        exponential = _step(exponential, t, np.exp(np.minimum(power, MOST_AT_ONCE)))
        linear = _step(linear, t, (1 + (RISES - 1) * seen) / (1 + (RISES - 1) * mean))
        path[..., t] = (exponential.mean(axis=-1) + linear.mean(axis=-1)) / 2 + _later(t)
    return path


def fall(counts: Array, least: Array, spread: Array) -> Array:
    """Evidence that fewer requests come than `least` in expectation; shape (..., T), not logged.

    `counts` and `least` are (..., T), `spread` (...) is the index of dispersion.
    """
    bets = np.zeros((*counts.shape[:-1], len(FALLS)))
    path = np.empty_like(counts)
    for t in range(counts.shape[-1]):
        clumps, expected = counts[..., t, None] / spread[..., None], least[..., t, None] / spread[..., None]
        power = expected * (1 - 1 / FALLS) - clumps * np.log(FALLS)
        bets = _step(bets, t, np.exp(np.minimum(power, MOST_AT_ONCE)))
        path[..., t] = bets.mean(axis=-1) + _later(t)
    return path


def _step(bets: Array, t: int, factor: Array) -> Array:
    """What was bet so far and 1/((t+1)(t+2)), bet from interval t on, times what the interval pays."""
    return np.minimum((bets + 1 / ((t + 1) * (t + 2))) * factor, MOST)


def _later(t: int) -> float:
    """What is held back for changes after interval t."""
    return 1 / (t + 2)
