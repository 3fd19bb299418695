"""How long a way back took is what its times say; what is gone was not restored."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import Stage, work

from orchestrator.context import NAMESPACE_ROLLOUT, read
from orchestrator.rollout.resources.resource import load
from orchestrator.steps import finish


@pytest.mark.parametrize("seconds", [0, 40])
def test_seconds_are_the_difference_of_the_times_and_verifying_counts_for_neither(seconds):
    stage = Stage(good=False)
    slow = just_before(lambda call: stage.clock.sleep(seconds), "run")
    status = work(stage.context(prober=FaultyPort(stage.prober, slow)), "w").rollout.status
    assert slow.met and status.phase == "RolledBack"
    assert status.restored_seconds == (status.restored_at - status.detected_at).total_seconds()
    assert status.restored_seconds < 40
    items = [load(o) for o in stage.cluster.list(NAMESPACE_ROLLOUT)]
    assert status.restored_at == max(i.status.restored_at for i in items if i.status.restored_at)


def test_namespaces_that_are_gone_are_named_and_not_counted():
    stage = Stage(good=False)
    state = read(stage.context(), work(stage.context(), "w").rollout.name)
    item = state.namespaces["cart"]
    state.namespaces["cart"] = load(item.with_status(item.status.model_copy(update={"phase": "Deleted"})))
    assert finish._done(state) == "cart was deleted meanwhile"
