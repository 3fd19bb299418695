"""`kubectl describe` tells the story of a rollout: its Events and conditions are few, short, and one line each."""

from dataclasses import replace

import pytest
from stage import OWN, Stage, work

from orchestrator.adapters.kube.events import EventNotifier
from orchestrator.context import read
from orchestrator.engine.worker import Embedded
from orchestrator.operations.approve import Decision, decide
from orchestrator.operations.declare_emergency import declare
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m

EVENT = Kind("v1", "Event")


def played(good=True, **strategy):
    """A change that waits for its gate, is approved where it was good so far, and called an emergency."""
    stage = Stage(good, gates=[m.Gate(wave=1)], emergency=m.Emergency(skip=["waits"]), **strategy)
    stage.change(identities=[{"email": "ann@example.com", "user": "ann"}])
    ctx = replace(stage.context(), notifier=EventNotifier(stage.cluster, stage.clock))
    name = work(ctx, "first").rollout.name
    if good:
        mia = stage.context(stage.cluster.acting_as("mia", "on-call"))
        declare(mia, read(mia, name), "the shop is down\n" * 30)
        decide(mia, read(mia, name), Decision(comment="a long word of thanks " * 40))
    state = Embedded(ctx, "second").drive(name)
    return state, stage.cluster.list(EVENT, OWN)


@pytest.mark.parametrize(("good", "phase"), [(True, "Succeeded"), (False, "RolledBack")])
def test_events_and_conditions_are_ten_short_lines_at_most(good, phase):
    state, events = played(good)
    assert state.rollout.status.phase == phase
    assert 3 <= len(events) <= 10
    conditions = state.rollout.status.conditions
    assert len(conditions) <= 10
    said = [e["message"] for e in events] + [c.message for c in conditions]
    assert all(len(text) <= 200 and "\n" not in text for text in said)
    assert {e["type"] for e in events if e["reason"] in ("Regression", "Emergency")} == {"Warning"}


@pytest.mark.parametrize("good", [True, False])
def test_what_one_condition_says_no_other_repeats(good):
    told = [c.message for c in played(good)[0].rollout.status.conditions if c.message]
    assert told and len(told) == len(set(told))
