"""Probe pods run the strategy's image, else the one of the environment; without either nothing is probed."""

import pytest

from orchestrator.cli.wiring import PROBE_IMAGE, prober
from orchestrator.rollout.model import Probing
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster


@pytest.mark.parametrize(
    ("own", "given", "used"), [("", "", None), ("ours:1", "", "ours:1"), ("ours:1", "theirs:2", "theirs:2")]
)
def test_which_image_probes_run(monkeypatch, own, given, used):
    monkeypatch.setenv(PROBE_IMAGE, own)
    found = prober(MemoryCluster(), SimulatedClock(), Probing(image=given), "rollout-1")
    assert (found and found.image) == used
