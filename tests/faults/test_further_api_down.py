"""Calico's own API server is gone: what was begun comes back all the same, and nothing new begins on half of what is known."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import SPACES, Stage

from orchestrator.context import ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Busy
from orchestrator.operations.start import find_source, start


def down(since_first_write):
    """503 for a kind that it serves: at once, or from the first write of a policy on."""
    gone = [not since_first_write]
    writes = just_before(
        lambda call: gone.__setitem__(0, True), "create", "replace", kind="NetworkPolicy", dry_run=False
    )
    lists = just_before(
        Busy("calico-apiserver"), "list", kind="GlobalNetworkPolicy", where=lambda call: gone[0]
    )
    return writes, lists


def staged(good):
    stage = Stage(good)
    for space in SPACES:
        stage.pod(space, "a")
        stage.pod(space, "b")
    return stage


@pytest.mark.parametrize("good", [True, False])
def test_what_was_begun_is_rolled_back_in_bounded_time(good):
    """A good change too, once it cannot be told what its next wave does."""
    stage = staged(good)
    before = stage.names()
    ctx = stage.context(FaultyPort(stage.cluster, *down(since_first_write=True)))
    status = Embedded(ctx, "engine").drive(start(ctx, find_source(ctx, "shop")).rollout).rollout.status
    assert status.phase == "RolledBack" and stage.names() == before
    assert not good or "calico-apiserver" in status.reason


def test_nothing_new_begins():
    stage = staged(True)
    ctx = stage.context(FaultyPort(stage.cluster, *down(since_first_write=False)))
    with pytest.raises(Busy, match="calico-apiserver"):
        start(ctx, find_source(ctx, "shop"))
    assert stage.cluster.list(ROLLOUT) == []
