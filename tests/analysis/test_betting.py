"""No bet can be expected to win while nothing regresses: exact expectations over whole laws."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.sequential.betting import fall, rise

MOST = 10  # errors that one interval may bring, all in one clump


@st.composite
def laws(draw):
    """The chance of 0, 1, ... MOST in an interval."""
    weights = np.array(draw(st.lists(st.integers(0, 20), min_size=MOST, max_size=MOST)), dtype=float)
    calm = draw(st.integers(1, 2000))
    return np.append(calm, weights) / (calm + weights.sum())


def expected(law, process):
    """The expectation of a process after each of two independent intervals."""
    pairs = np.array(list(itertools.product(range(MOST + 1), repeat=2)), dtype=float)
    chances = np.array([law[int(a)] * law[int(b)] for a, b in pairs])
    return chances @ process(pairs)


@given(laws())
def test_nobody_can_expect_to_win_by_betting_on_more_errors(law):
    mean = law @ np.arange(MOST + 1)

    def process(counts):
        allowed = np.full((len(counts), 1, 2), mean)
        return rise(counts, allowed, np.full(counts.shape, float(MOST)))[:, 0]

    assert (expected(law, process) <= 1 + 1e-9).all()


@given(laws())
def test_nobody_can_expect_to_win_by_betting_on_fewer_requests(law):
    mean = law @ np.arange(MOST + 1)

    def process(counts):
        return fall(counts, np.full(counts.shape, mean), np.full(len(counts), float(MOST)))

    assert (expected(law, process) <= 1 + 1e-9).all()


def test_more_errors_than_allowed_win_and_fewer_lose():
    clump = np.full((1, 4), 10.0)
    allowed = np.full((1, 1, 4), 1.0)
    assert rise(np.full((1, 4), 40.0), allowed, clump)[0, 0, -1] > 100
    assert rise(np.zeros((1, 4)), allowed, clump)[0, 0, -1] < 1


def test_a_thousand_intervals_that_break_overflow_nothing():
    counts = np.full((1, 1000), 1e6)
    assert np.isfinite(rise(counts, np.full((1, 1, 1000), 1e-3), np.full((1, 1000), 10.0))).all()
    assert np.isfinite(fall(np.zeros((1, 1000)), counts, np.ones(1))).all()
