"""A rollout that nothing would judge: the plan says so, and `run` begins none unless that is what the source asks for."""

import pytest
from stage import Stage

from orchestrator.cli.wiring import PROBE_IMAGE
from orchestrator.context import ROLLOUT
from orchestrator.measure.strategy_check import unjudged
from orchestrator.rollout.resources import model as m

NO_IMAGE = "there are no metrics, and no connection can be tried, since no image for probe pods is known"
NOTHING = "there are no metrics, and no probes are asked for"
IDLE = "no metric decides: each is optional or a dryRun"
NO_PROBES = {"probing": {"edges": False}}
DECLARED = {"probes": [{"name": "p", "source": "a/b", "destination": "a/c", "port": 1}]}


def metric(**fields):
    return {"metrics": [{"name": "a", "kind": "value", "query": "x", "maximum": 1, **fields}]}


def stage(**analysis):
    return Stage(analysis={"probes": [], **analysis})


def test_run_begins_nothing_where_its_only_evidence_cannot_be_had(cli):
    scene = stage()
    done = cli(scene, prober=None)("run", "--source", "shop")
    assert done.code == 2 and NO_IMAGE in done.err and PROBE_IMAGE in done.err
    assert not scene.cluster.list(ROLLOUT)


def test_the_plan_says_it(cli):
    def said(scene, **ports):
        return cli(scene, **ports)("plan", "--source", "shop").out

    installed = "; a controller of an installation has one\n"
    assert f"nothing judges the waves: {NO_IMAGE}{installed}" in said(stage(), prober=None)
    assert f"nothing judges the waves: {NOTHING}\n" in said(stage(probing={"edges": False}))
    assert "nothing judges" not in said(stage())


def test_without_evidence_is_for_whoever_asks_for_none(cli):
    done = cli(stage(probing={"edges": False}), prober=None)("run", "--source", "shop")
    assert done.code == 0, done.err


def test_what_has_nothing_to_do_needs_no_evidence(cli):
    scene = stage()
    assert cli(scene)("run", "--source", "shop").code == 0
    done = cli(scene, prober=None)("run", "--source", "shop")
    assert done.code == 0 and "nothing to do" in done.out, done.err


@pytest.mark.parametrize("idle", [{"required": False}, {"dryRun": True}])
@pytest.mark.parametrize("probing", [{}, NO_PROBES])
def test_a_metric_that_decides_nothing_is_no_evidence(cli, idle, probing):
    scene = stage(**metric(**idle), **probing)
    done = cli(scene, prober=None)("run", "--source", "shop")
    assert done.code == 2 and IDLE in done.err and not scene.cluster.list(ROLLOUT)
    assert f"nothing judges the waves: {IDLE}" in cli(scene, prober=None)("plan", "--source", "shop").out


@pytest.mark.parametrize(
    ("analysis", "able", "said"),
    [
        ({}, True, ""),
        ({}, False, NO_IMAGE),
        (metric(), False, ""),
        (metric(required=False), True, ""),
        (metric(dryRun=True) | NO_PROBES, True, f"{IDLE}, and no probes are asked for"),
        (NO_PROBES, True, NOTHING),
        (NO_PROBES | DECLARED, False, NO_IMAGE),
        (NO_PROBES | {"probeIntents": True}, False, NO_IMAGE),
        (NO_PROBES | {"probeIntents": True}, True, ""),
    ],
)
def test_what_judges(analysis, able, said):
    assert unjudged(m.Analysis(**analysis), able) == said
