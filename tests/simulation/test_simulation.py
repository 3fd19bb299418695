"""Whole rollouts under seeded faults, kills, people and strangers: no seed breaks a promise, and each repeats exactly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from simulation.hunt import first_find
from simulation.run import simulate

ROOT = Path(__file__).parents[2]
SEEDS = 10
# Known faults of the product that these seeds show; see the issue. The list only shrinks.
KNOWN = frozenset()
PLAY = "import sys; from simulation.run import simulate; print(*(simulate(int(s)).log for s in sys.argv[1:]))"


@pytest.mark.parametrize("seed", [s for s in range(SEEDS) if s not in KNOWN])
def test_no_promise_is_broken(seed):
    found = simulate(seed)
    assert not found.violations, (found.settings, found.violations)
    assert found.rollouts or found.faults


def test_a_seed_repeats_exactly_whatever_the_hash_seed():
    def played(hashing):
        path = os.pathsep.join(str(ROOT / p) for p in ("", "tests", "tests/engine"))
        env = {**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": path}
        argv = [sys.executable, "-c", PLAY, "3", "7"]
        return subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert played("1") == played("4711") != ""


CALM = {
    "kills": 0.0,
    "argo": False,
    "guard": False,
    "runner": False,
    "sources": ("shop",),
    "clock_every": 0.0,
}
SHARP = {"bridges-forgotten": {}, "no-bridges": {}}


@pytest.mark.parametrize("name", SHARP)
def test_a_planted_bug_is_found(name):
    """With settings that bring it to light soon; HUNT=1 looks for all of them as the seeds come."""
    assert first_find(range(40, 60), name, **CALM, **SHARP[name]) is not None
