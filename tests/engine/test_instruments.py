"""What the controller's gauges say of the rollouts that stand."""

from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest

from orchestrator.engine.instruments import Instruments
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

DIGEST = "sha256:" + "0" * 64
ENTRY = m.Outgoing(
    id="u/1", time=datetime(2026, 1, 1, tzinfo=UTC), phase="Paused", reason="Drift", to=["statuses"]
)


def rollout(phase, paused_for="", outbox=(), source="shop"):
    wave = m.Wave(namespaces=[m.WaveNamespace(name="shop", before=DIGEST, after=DIGEST)])
    spec = m.PolicyRolloutSpec(
        source=source, revision="c" * 40, strategy=m.Strategy(), plan_digest=DIGEST, waves=[wave]
    )
    found = load(new("PolicyRollout", f"{source}-cccccccccc", "netpol-canary", spec))
    status = m.PolicyRolloutStatus(phase=phase, paused_for=paused_for, outbox=list(outbox))
    return load(found.with_status(status))


@pytest.fixture
def instruments():
    return Instruments()


def value(instruments, name, **labels):
    return instruments.registry.get_sample_value(f"netpol_canary_{name}", labels)


def test_pauses_are_told_apart_by_what_they_wait_for(instruments):
    instruments.standing([rollout("Paused", "drift"), rollout("Paused", "approval"), rollout("Progressing")])
    assert value(instruments, "paused_rollouts", source="shop", reason="drift") == 1
    assert value(instruments, "paused_rollouts", source="shop", reason="approval") == 1
    assert value(instruments, "paused_rollouts", source="shop", reason="inconclusive") == 0


def test_each_source_is_counted_by_itself(instruments):
    instruments.standing([rollout("Failed"), rollout("Failed", source="bank"), rollout("Failed")])
    assert value(instruments, "rollouts", source="shop", phase="Failed") == 2
    assert value(instruments, "rollouts", source="bank", phase="Failed") == 1


def test_what_is_still_to_be_told_is_counted_over_all_rollouts(instruments):
    instruments.standing([rollout("Paused", "drift", [ENTRY]), rollout("RolledBack", outbox=[ENTRY])])
    assert value(instruments, "outbox_entries", source="shop") == 2


def test_a_source_whose_last_rollout_went_is_served_no_more(instruments):
    instruments.standing([rollout("Succeeded"), rollout("Paused", "drift", [ENTRY], source="bank")])
    instruments.standing([rollout("Succeeded")])
    assert value(instruments, "rollouts", source="shop", phase="Succeeded") == 1
    assert "bank" not in generate_latest(instruments.registry).decode()


def test_a_replica_that_does_not_lead_counts_nothing(instruments):
    instruments.standing([rollout("Paused", "drift", [ENTRY])])
    instruments.standing(())
    assert value(instruments, "paused_rollouts", source="shop", reason="drift") is None
    assert value(instruments, "outbox_entries", source="shop") is None
