"""`workflows` and `step` on the command line: what they print, and that what is not asked for is not done."""

from pathlib import Path

import pytest
import yaml
from argo_walk import Argo
from stage import OWN, Stage, work

from orchestrator.cli import logs
from orchestrator.context import ROLLOUT
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from workflows.templates import templates
from workflows.wave_workflow import Waves

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The log stays as the other tests have it."""
    monkeypatch.setattr(logs, "configure", lambda *given, **more: None)


@pytest.fixture
def handed_out():
    """A stage on which the first wave's workflow was submitted, and Argo that has not looked at it yet."""
    stage = Stage(engine="argo")
    for template in templates("netpol-canary:0.1.0", OWN):
        stage.cluster.create(template)
    argo = Argo(stage.cluster, OWN, lambda argv, env, name: Never(), stage.clock.now)
    work(stage.context(), "engine", elsewhere=Waves(), stop=lambda: bool(argo.names()))
    return stage, argo


class Never:
    """A pod that does not end."""

    def poll(self):
        return None

    def kill(self):
        """It does nothing anyway."""


def test_config_argo_holds_what_is_rendered(cli):
    printed = cli(Stage())("workflows", "render", "--image", "netpol-canary")
    assert (ROOT / "config/argo/templates.yaml").read_text() == printed.out, "run `make crds`"
    assert [d["kind"] for d in yaml.safe_load_all(printed.out)] == ["WorkflowTemplate"] * 2


def test_a_wave_without_a_rollout_is_refused(cli):
    found = cli(Stage())("workflows", "render", "--wave", "1")
    assert found.code == 2 and "--rollout" in found.err and not found.out


def test_a_rollout_s_wave_is_rendered_as_it_was_submitted(handed_out, cli):
    stage, argo = handed_out
    name = stage.cluster.list(ROLLOUT, OWN)[0]["metadata"]["name"]
    printed = cli(stage)("workflows", "render", "--rollout", "shop")
    (document,) = yaml.safe_load_all(printed.out)
    assert document["metadata"]["name"] == argo.names()[0] == f"{name}-w0-0"
    assert cli(stage)("workflows", "render", "--rollout", name, "--wave", "7").code == 2


def test_watching_shows_each_step_and_ends_with_the_workflow(handed_out, cli):
    stage, argo = handed_out
    argo.step()
    argo.step()
    stage.clock.subscribe(lambda now: argo.change(argo.names()[0], shutdown="Stop"), 3.0)
    stage.clock.subscribe(lambda now: argo.step(), 1.0)
    found = cli(stage)("workflows", "watch", "shop", "--timeout", "20")
    assert found.code == 1
    assert "Running" in found.out and "Stopped with strategy" in found.out
    assert "  baseline  1 Running" in found.out and "  verdict   not begun" in found.out


def test_watching_an_embedded_rollout_says_so(cli):
    stage = Stage()
    work(stage.context(), "engine")
    found = cli(stage)("workflows", "watch", "shop")
    assert found.code == 3 and "engine: embedded" in found.out


def test_a_step_of_a_wave_that_is_not_open_does_nothing(handed_out, cli):
    stage, _ = handed_out
    name = stage.cluster.list(ROLLOUT, OWN)[0]["metadata"]["name"]
    before = dict(stage.cluster.writes)
    assert cli(stage)("step", "apply", "--rollout", name, "--wave", "1").code == 3
    assert dict(stage.cluster.writes) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("apply", "--wave", "0", "--rollout", "nothing"), "nothing"),
        (("fly", "--wave", "0"), "baseline, apply, settle, analyze, verdict"),
        (("apply", "--wave", "9"), "waves 0 to"),
        (("apply", "--wave", "0", "--shard", "99"), "--shard"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(handed_out, cli, words, said):
    stage, _ = handed_out
    before = dict(stage.cluster.writes)
    name = load(stage.cluster.list(ROLLOUT, OWN)[0]).name
    given = words if "--rollout" in words else (*words, "--rollout", name)
    found = cli(stage)("step", *given)
    assert found.code == 2 and said in found.err and len(found.err.splitlines()) == 1
    assert dict(stage.cluster.writes) == before


def test_the_source_chooses_the_engine():
    assert m.Strategy().engine == "embedded" and m.Strategy(engine="argo").shard_size == 50
