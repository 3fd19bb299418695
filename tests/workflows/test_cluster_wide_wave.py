"""Pods of Argo write and judge what is for the whole cluster as they do a namespace."""

import pytest
from cluster_wide import CLUSTER, DENIAL, KINDS, OPEN, WIDE, Evaluated, Shut, push, wide
from stage import DENY, SPACES, work
from stand_in import Theatre


def played(theatre, good, prober):
    """The stage and how a change of namespaces and of what is for the whole cluster ends there."""
    stage = theatre.stage
    stage.change(kinds=KINDS)
    for space in SPACES:
        stage.pod(space, "a")
    push(stage, "d", [DENY], [wide("open", OPEN if good else DENIAL)])
    stage.prober = prober(stage.cluster)
    state = work(stage.context(), "engine", **theatre.engine())
    assert state.rollout.status.phase == ("Succeeded" if good else "RolledBack"), state.rollout.status.reason
    return stage, state


@pytest.mark.parametrize("good", [True, False])
def test_the_last_wave_is_written_by_a_pod_and_rolled_back_exactly(good):
    theatre = Theatre(cluster_wide="atOnce", boundaries="proceed")
    stage, state = played(theatre, good, Shut)
    assert state.namespaces[CLUSTER].status.phase == ("Applied" if good else "Restored")
    assert len(stage.cluster.list(WIDE)) == int(good)
    assert good or stage.standing() == theatre.before
    assert any("--wave" in pod.argv and "2" in pod.argv for pod in theatre.pods)


@pytest.mark.parametrize("good", [True, False])
def test_pods_write_it_by_waves_in_turn_with_the_namespaces(good):
    theatre = Theatre(cluster_wide="waves", boundaries="proceed", shard_size=1)
    stage, state = played(theatre, good, Evaluated)
    assert {n for n in state.namespaces if n.startswith(CLUSTER)} == {CLUSTER, f"{CLUSTER}.1", f"{CLUSTER}.2"}
    assert len(stage.cluster.list(WIDE)) == int(good)
    assert good or stage.standing() == theatre.before
