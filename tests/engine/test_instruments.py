"""What the controller's gauges say of the rollouts that stand."""

from datetime import UTC, datetime

import pytest

from orchestrator.engine.instruments import Instruments
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

DIGEST = "sha256:" + "0" * 64
ENTRY = m.Outgoing(
    id="u/1", time=datetime(2026, 1, 1, tzinfo=UTC), phase="Paused", reason="Drift", to=["statuses"]
)


def rollout(phase, paused_for="", outbox=()):
    wave = m.Wave(namespaces=[m.WaveNamespace(name="shop", before=DIGEST, after=DIGEST)])
    spec = m.PolicyRolloutSpec(
        source="shop", revision="c" * 40, strategy=m.Strategy(), plan_digest=DIGEST, waves=[wave]
    )
    found = load(new("PolicyRollout", "shop-cccccccccc", "netpol-canary", spec))
    status = m.PolicyRolloutStatus(phase=phase, paused_for=paused_for, outbox=list(outbox))
    return load(found.with_status(status))


@pytest.fixture
def instruments():
    return Instruments()


def value(instruments, name, **labels):
    return instruments.registry.get_sample_value(f"netpol_canary_{name}", labels)


def test_pauses_are_told_apart_by_what_they_wait_for(instruments):
    instruments.standing([rollout("Paused", "drift"), rollout("Paused", "approval"), rollout("Progressing")])
    assert value(instruments, "paused_rollouts", reason="drift") == 1
    assert value(instruments, "paused_rollouts", reason="approval") == 1
    assert value(instruments, "paused_rollouts", reason="inconclusive") == 0


def test_what_is_still_to_be_told_is_counted_over_all_rollouts(instruments):
    instruments.standing([rollout("Paused", "drift", [ENTRY]), rollout("RolledBack", outbox=[ENTRY])])
    assert value(instruments, "outbox_entries") == 2


def test_a_replica_that_does_not_lead_counts_nothing(instruments):
    instruments.standing([rollout("Paused", "drift", [ENTRY])])
    instruments.standing(())
    assert value(instruments, "paused_rollouts", reason="drift") == 0
    assert value(instruments, "outbox_entries") == 0
