"""Policies of other APIs, which docs/clusters.md says are carried and not analysed."""

import pytest
from stage import ALLOW, DENY, SPACES, Stage, files, work

from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Kind

CARRIED = Kind("cilium.io/v2", "CiliumNetworkPolicy")
CUTS = {
    "apiVersion": CARRIED.api_version,
    "kind": CARRIED.kind,
    "metadata": {"name": "cuts"},
    "spec": {"endpointSelector": {}, "ingress": [{}]},
}


def stage_of(good, *policies):
    """A source that may write them, and has these in Git."""
    stage = Stage(good)
    stage.change(
        kinds=[
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"},
            {"apiVersion": CARRIED.api_version, "kind": CARRIED.kind},
        ]
    )
    stage.repository.push("d", files(*policies))
    return stage


def standing(stage):
    return [o["metadata"]["namespace"] for o in stage.cluster.list(CARRIED)]


@pytest.mark.parametrize(("good", "phase"), [(True, "Succeeded"), (False, "RolledBack")])
def test_they_are_written_wave_by_wave_and_rolled_back_with_the_others(good, phase):
    stage = stage_of(good, DENY, ALLOW, CUTS)
    assert work(stage.context(), "engine").rollout.status.phase == phase
    assert sorted(standing(stage)) == (list(SPACES) if good else [])


def test_a_change_of_them_alone_has_no_risk_whatever_it_does():
    stage = stage_of(True, DENY, ALLOW)
    work(stage.context(), "engine")
    stage.repository.push("e", files(DENY, ALLOW, CUTS))
    ctx = stage.context()
    state = Embedded(ctx, "engine").drive(start(ctx, find_source(ctx, "shop")).rollout)
    assert state.rollout.spec.risk == "none" and sorted(standing(stage)) == list(SPACES)
