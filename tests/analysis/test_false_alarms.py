"""Whole rollouts in which nothing regresses: at most alpha of them raise an alarm, under every law that is
claimed.

Each run is a rollout of several waves; each wave watches several namespaces, errors and requests, looked at
after every scrape, with controls. All sit at the edge of what is allowed: (1 + tolerance) times the errors,
`min_ratio` of the requests. Seeds are fixed.
"""

import numpy as np
import pytest
from random_traffic import errors, requests

from orchestrator.analysis.sequential.alarm import Counts, Evidence, alarm_at, threshold, verdict_of
from orchestrator.analysis.sequential.e_process import ratio_path, volume_path
from orchestrator.analysis.sequential.shared_change import error_drift, volume_drift
from orchestrator.analysis.sequential.streams import ratio_evidence, volume_evidence

pytestmark = pytest.mark.exhaustive

RUNS, WAVES, NAMES, BEFORE, AFTER = 2000, 2, 3, 160, 30
ALPHA, TOLERANCE, MIN_RATIO, SHARE = 0.05, 0.5, 0.6, 0.001
SINGLE = alarm_at(2 * NAMES, WAVES, ALPHA)


def false_alarms(seed, mean, clump, controls=3, drift=1.0):
    """The share of rollouts that alarm; `mean` requests an interval, `controls` times that in controls."""
    rng = np.random.default_rng(seed)
    alarmed = np.zeros(RUNS, dtype=bool)
    for _ in range(WAVES):
        alarmed |= wave(rng, mean, clump, controls, drift) >= threshold(ALPHA, WAVES)
    return alarmed.mean()


def wave(rng, mean, clump, controls, drift):
    """The largest joint log evidence of each run."""
    bound = share = np.ones((RUNS, AFTER))
    lasted_before, lasted = np.ones((RUNS, BEFORE)), np.ones((RUNS, AFTER))
    if controls:
        before, after = (
            requests(rng, RUNS, BEFORE, mean * controls),
            requests(rng, RUNS, AFTER, mean * controls),
        )
        failed = errors(rng, before, SHARE, clump), errors(rng, after, SHARE * drift, clump)
        bound = error_drift(failed[0], before, failed[1], after)[1]
        share = volume_drift(before, lasted_before, after, lasted)
    total = np.zeros((RUNS, AFTER))
    for _ in range(NAMES):
        before, after = requests(rng, RUNS, BEFORE, mean), requests(rng, RUNS, AFTER, mean * MIN_RATIO)
        failed = errors(rng, before, SHARE, clump)
        now = errors(rng, after, SHARE * drift * (1 + TOLERANCE), clump)
        total += np.exp(ratio_path(failed, before, now, after, bound, TOLERANCE))
        total += np.exp(
            volume_path(before, lasted_before, after, lasted, share, MIN_RATIO, np.sqrt(2 * SINGLE))
        )
    return np.log(total / (2 * NAMES)).max(axis=1)


@pytest.mark.parametrize(
    ("seed", "mean", "clump", "controls", "drift"),
    [
        (1, 150, 1, 3, 1.0),
        (2, 150, 3, 3, 1.0),
        (3, 150, 10, 3, 1.0),
        (4, 150, 10, 0, 1.0),
        (5, 150, {1: 0.5, 10: 0.5}, 0, 1.0),
        (6, 15, 10, 0, 1.0),
        (7, 150, 10, 3, 2.0),
    ],
    ids=[
        "independent errors",
        "clumps of 3",
        "clumps of 10",
        "clumps of 10 without controls",
        "half of the errors in clumps of 10",
        "clumps of 10 that most pasts have not shown",
        "errors that double everywhere",
    ],
)
def test_at_most_alpha_of_all_rollouts_alarm_falsely(seed, mean, clump, controls, drift):
    assert false_alarms(seed, mean, clump, controls, drift) <= ALPHA


def test_the_simulation_raises_alarms_where_something_regresses():
    """So that the rates above mean something."""
    rng = np.random.default_rng(8)
    before, after = requests(rng, 200, BEFORE, 150), requests(rng, 200, AFTER, 150)
    now = errors(rng, after, 20 * SHARE)
    path = ratio_path(errors(rng, before, SHARE), before, now, after, np.ones_like(after), TOLERANCE)
    assert (path.max(axis=1) >= SINGLE).mean() > 0.95


def test_what_is_simulated_is_what_a_rollout_calls():
    rng = np.random.default_rng(9)
    one = {}
    arrays = {}
    for part, scale, length in (
        ("own", 1, BEFORE),
        ("own after", 1, AFTER),
        ("c", 3, BEFORE),
        ("c after", 3, AFTER),
    ):
        total = requests(rng, 1, length, 30 * scale)
        arrays[part] = (errors(rng, total, 0.05), total)
        one[part] = Counts(*(tuple(map(float, a[0])) for a in arrays[part]))
    bound = error_drift(*arrays["c"], *arrays["c after"])[1]
    expected = ratio_path(*arrays["own"], *arrays["own after"], bound, TOLERANCE)[0]
    found = ratio_evidence(*one.values(), tolerance=TOLERANCE, alarm_at=SINGLE)
    assert found.path == pytest.approx(tuple(expected))

    totals = [pair[1] for pair in arrays.values()]
    own, after, controls, controls_after = totals
    ones = [np.ones_like(t) for t in totals]
    share = volume_drift(controls, ones[2], controls_after, ones[3])
    lost = volume_path(own, ones[0], after, ones[1], share, MIN_RATIO, np.sqrt(2 * SINGLE))[0]
    counted = volume_evidence(*(c.total for c in one.values()), min_ratio=MIN_RATIO, alarm_at=SINGLE)
    assert counted.path == pytest.approx(tuple(lost))

    both: dict[str, Evidence] = {"errors": found, "requests": counted}
    joint = np.log((np.exp(expected) + np.exp(lost)) / 2).max()
    assert verdict_of(both, ALPHA, WAVES).log_e == pytest.approx(max(joint, 0.0))
