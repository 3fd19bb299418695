"""A rollout that nothing would judge: the plan says so, and `run` begins none unless that is what the source asks for."""

import pytest
from stage import Stage

from orchestrator.context import ROLLOUT
from orchestrator.measure.strategy_check import unjudged
from orchestrator.rollout.resources import model as m

NO_IMAGE = "there are no metrics, and no connection can be tried, since no image for probe pods is known"
NOTHING = "neither metrics nor probes are asked for"


def stage(**analysis):
    return Stage(analysis={"probes": [], **analysis})


def test_run_begins_nothing_where_its_only_evidence_cannot_be_had(cli):
    scene = stage()
    done = cli(scene, prober=None)("run", "--source", "shop")
    assert done.code == 2 and NO_IMAGE in done.err and "NETPOL_CANARY_PROBE_IMAGE" in done.err
    assert not scene.cluster.list(ROLLOUT)


def test_the_plan_says_it(cli):
    def said(scene, **ports):
        return cli(scene, **ports)("plan", "--source", "shop").out

    assert f"nothing judges the waves: {NO_IMAGE}" in said(stage(), prober=None)
    assert f"nothing judges the waves: {NOTHING}" in said(stage(probing={"edges": False}))
    assert "nothing judges" not in said(stage())


def test_without_evidence_is_for_whoever_asks_for_none(cli):
    done = cli(stage(probing={"edges": False}), prober=None)("run", "--source", "shop")
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("analysis", "able", "said"),
    [
        ({}, True, ""),
        ({}, False, NO_IMAGE),
        ({"metrics": [{"name": "a", "kind": "value", "query": "x", "maximum": 1}]}, False, ""),
        ({"probing": {"edges": False}}, True, NOTHING),
        (
            {
                "probing": {"edges": False},
                "probes": [{"name": "p", "source": "a/b", "destination": "a/c", "port": 1}],
            },
            False,
            NO_IMAGE,
        ),
    ],
)
def test_what_judges(analysis, able, said):
    assert unjudged(m.Analysis(**analysis), able) == said
