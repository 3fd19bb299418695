"""Where evidence is asked for and none can be had, the controller begins nothing, and no wave that is open is promoted."""

import pytest
from stage import OWN, Rounds, Stage, begun

from orchestrator.cli.wiring import PROBE_IMAGE
from orchestrator.context import ROLLOUT
from orchestrator.engine.controller import Controller
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.resources.resource import load

EDGES = {"probes": []}
METRIC = {"name": "a", "kind": "value", "query": "x", "maximum": 1}
OPTIONAL = {"metrics": [METRIC | {"required": False}]}
TRIED = {"metrics": [METRIC | {"dryRun": True}]}


class Silent:
    """A provider that knows of nothing."""

    def query(self, expression, at):
        return []

    def query_range(self, expression, start, end, step):
        return []


def blind(scene):
    """A controller that has no image for probe pods."""
    rounds = Rounds(scene)
    rounds.controller = Controller(scene.context(prober=None), "one", rounds.instruments, poll_seconds=30)
    return rounds


@pytest.mark.parametrize("analysis", [EDGES, EDGES | OPTIONAL, EDGES | TRIED])
def test_no_rollout_begins_and_the_source_says_why_and_what_to_do(analysis):
    scene = Stage(analysis=analysis, metrics=Silent())
    before, rounds = scene.standing(), blind(scene)
    assert rounds.go() == {} and scene.standing() == before
    ready = rounds.condition()
    assert (ready.status, ready.reason) == ("False", "BadInput")
    assert "nothing would judge the waves" in ready.message and PROBE_IMAGE in ready.message


def test_it_begins_as_soon_as_there_is_an_image():
    scene = Stage(analysis=EDGES)
    assert blind(scene).go() == {}
    scene.pod("web")
    scene.pod("cart")
    rounds = Rounds(scene)
    assert list(rounds.go(10).values()) == ["Succeeded"]
    assert rounds.condition().status == "True"


def test_new_namespaces_wait_for_evidence_too():
    scene, rounds = begun(analysis=EDGES)
    assert list(rounds.go(10).values()) == ["Succeeded"]
    scene.namespace("late")
    rounds = blind(scene)
    assert len(rounds.go()) == 1 and "nothing would judge the waves" in rounds.condition().message


@pytest.mark.parametrize("analysis", [EDGES, EDGES | OPTIONAL, EDGES | TRIED])
def test_a_wave_whose_image_went_away_is_not_promoted(analysis):
    scene = Stage(analysis=analysis, metrics=Silent())
    name = start(scene.context(), find_source(scene.context(), "shop")).rollout
    Embedded(scene.context(prober=None), "two").drive(name)
    status = load(scene.cluster.get(ROLLOUT, name, OWN)).status
    assert (status.phase, status.paused_for, status.wave) == ("Paused", "inconclusive", 0)


def test_an_optional_metric_that_is_silent_is_no_evidence_without_probes_either():
    scene = Stage(analysis={**EDGES, **OPTIONAL, "probing": {"edges": False}}, metrics=Silent())
    rounds = Rounds(scene)
    assert rounds.go() == {} and rounds.condition().reason == "BadInput"
