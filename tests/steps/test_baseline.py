"""Before a wave is written its probes answer; where they do not, nothing is written, and `resume` asks them again."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import Stage, work

from orchestrator.engine.worker import Embedded
from orchestrator.operations import requests
from orchestrator.ports import Kind, ProbeResult
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load


class Silent:
    """Cannot try anything in the runs of `mute`, counted from one; answers as expected in all others."""

    def __init__(self, *mute):
        self.mute, self.runs, self.kept = set(mute), 0, []

    def run(self, probes):
        self.runs += 1
        if self.runs in self.mute:
            return [ProbeResult(p, None, "no pod could start") for p in probes]
        return [ProbeResult(p, p.reachable, "connected") for p in probes]

    def hold(self, probes, key):
        self.kept.append(key)

    def held(self, key):
        return []

    def release(self, key):
        """Nothing stands."""


def analyses(stage):
    return [load(o) for o in stage.cluster.list(Kind(m.API_VERSION, "WaveAnalysis"), "netpol-canary")]


def resumed(ctx, state):
    requests.ask(ctx, state, "resume")
    return Embedded(ctx, "one").drive(state.name).rollout


def test_a_probe_that_could_not_be_tried_is_tried_once_more_before_anything_is_written():
    stage = Stage()
    state = work(stage.context(prober=Silent(1)), "one").rollout
    assert state.status.phase == "Succeeded"
    first = next(r for r in analyses(stage)[0].status.probes if r.when == "baseline")
    assert first.observed == "reach"


@pytest.mark.parametrize("failures", [2, 4, 6])
def test_without_a_baseline_nothing_is_written_and_resume_takes_it_anew(failures):
    stage, before = Stage(), None
    before = stage.standing()
    prober = Silent(*range(1, failures + 1))
    ctx = stage.context(prober=prober)
    state = work(ctx, "one").rollout
    for _ in range(failures // 2):
        assert (state.status.phase, state.status.paused_for) == ("Paused", "inconclusive")
        said = "not every probe could be run: web-pay: no pod could start; nothing is written yet"
        assert state.status.reason == said
        assert stage.standing() == before and not prober.kept
        state = resumed(ctx, state)
    assert state.status.phase == "Succeeded", state.status.reason
    assert all(a.status.phase == "Successful" for a in analyses(stage))


def test_a_later_wave_without_a_baseline_leaves_the_earlier_ones_as_they_are():
    stage = Stage()
    ctx = stage.context(prober=Silent(4, 5))
    state = work(ctx, "one").rollout
    assert (state.status.phase, state.status.wave) == ("Paused", 1)
    assert [len(found) for found in stage.names().values()] == [2, 0, 0]
    state = resumed(ctx, state)
    assert state.status.phase == "Succeeded", state.status.reason


def test_what_is_watched_is_worked_out_anew_when_the_baseline_is():
    stage = Stage()
    ctx = stage.context(prober=Silent(1, 2))
    state = work(ctx, "one").rollout
    (old,) = analyses(stage)
    stage.clock.sleep(3600)
    resumed(ctx, state)
    assert (analyses(stage)[0].spec.since - old.spec.since).total_seconds() >= 3600


def test_a_request_to_resume_that_dies_half_way_is_carried_out_by_the_next():
    stage = Stage()
    ctx = stage.context(prober=Silent(1, 2))
    state = work(ctx, "one").rollout

    dies = FaultyPort(stage.cluster, just_before(KeyboardInterrupt, "replace_status"))
    requests.ask(ctx, state, "resume")
    with pytest.raises(KeyboardInterrupt):
        Embedded(stage.context(dies, prober=Silent()), "one").drive(state.name)
    assert analyses(stage) == []
    assert Embedded(ctx, "two").drive(state.name).rollout.status.phase == "Succeeded"


@pytest.mark.parametrize(
    ("mute", "phase", "said"),
    [
        ((2,), "Succeeded", ""),
        ((2, 4), "Succeeded", ""),  # not twice in succession
        ((2, 3), "RolledBack", "no probe could be run any more: no pod could start"),
    ],
)
def test_probes_that_ran_before_the_change_and_cannot_after_it_are_a_loss_the_second_time_in_succession(
    mute, phase, said
):
    stage = Stage(analysis={"count": 5, "probing": m.Probing(interval_seconds=5)})
    state = work(stage.context(prober=Silent(*mute)), "one").rollout
    assert state.status.phase == phase, state.status.reason
    assert said in state.status.reason
