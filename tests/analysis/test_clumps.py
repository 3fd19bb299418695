"""What the past says about clumps and rates."""

import numpy as np
import pytest
from random_traffic import errors, requests

from orchestrator.analysis.sequential.clumps import CLUMP, claimed_clump, dispersion, rates


def past(clump, share=0.001, mean=150, runs=400, seed=1):
    rng = np.random.default_rng(seed)
    total = requests(rng, runs, 240, mean)
    return errors(rng, total, share, clump), total


def test_where_nothing_was_seen_clumps_of_ten_are_taken_for_granted():
    total = np.full((1, 240), 150.0)
    assert dispersion(np.zeros((1, 240)), total)[0] >= CLUMP


def test_many_independent_errors_bring_the_dispersion_down():
    assert dispersion(*past(1, share=0.01)).max() < 2.5


@pytest.mark.parametrize("clump", [3, 10])
def test_clumps_that_were_seen_are_hardly_ever_taken_for_smaller_ones(clump):
    assert np.mean(dispersion(*past(clump)) < clump * 0.9) < 0.02


def test_clumps_that_straddle_intervals_are_seen_in_blocks():
    """Four intervals in a row bring one error each, then none do for a while."""
    slots = np.tile(np.repeat([1.0, 0.0], [4, 36]), 6)[None]
    assert dispersion(slots, np.full(slots.shape, 150.0))[0] > 3


def test_an_interval_with_three_requests_brings_no_clump_of_ten():
    assert claimed_clump(np.full((1, 240), 3.0))[0] == 3


@pytest.mark.parametrize("clump", [1, 3, 10])
def test_the_past_speaks_against_the_true_share_no_more_often_than_it_may(clump):
    found, total = past(clump, runs=4000, seed=2)
    shares, against, _ = rates(found, total)
    # evidence grows with the share: take that of the last one not above it
    below = (shares <= 0.001).sum(axis=1)
    at_truth = np.where(below > 0, against[np.arange(len(below)), np.maximum(below - 1, 0)], 0.5)
    assert at_truth.mean() <= 1
    assert np.mean(at_truth >= 20) <= 0.05


def test_shares_far_above_the_past_are_ruled_out():
    shares, against, _ = rates(*past(1))
    assert (against[shares > 0.005] > 20).all()
