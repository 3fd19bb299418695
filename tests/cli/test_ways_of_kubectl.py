"""What else people know from kubectl: the version, a plugin's name, a dry run."""

import tomllib
from pathlib import Path

import pytest
from stage import OWN, Stage

import orchestrator
from orchestrator.context import APPROVAL, FREEZE, ROLLOUT, SOURCE
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"


@pytest.fixture
def waiting(cli):
    """A rollout that waits for approval, and what is written from here on."""
    stage = Stage(gates=[m.Gate(wave=1)])
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    netpol.stage = stage
    return netpol


def test_the_version(netpol):
    done = netpol("--version")
    assert done.code == 0 and done.out == f"netpol-canary {orchestrator.__version__}\n"
    project = tomllib.loads((Path(orchestrator.__file__).parents[1] / "pyproject.toml").read_text())
    assert project["project"]["version"] == orchestrator.__version__


def test_kubectl_finds_the_command_and_its_completion_as_a_plugin():
    project = tomllib.loads((Path(orchestrator.__file__).parents[1] / "pyproject.toml").read_text())
    scripts = project["project"]["scripts"]
    assert scripts["kubectl-netpol_canary"] == scripts["netpol-canary"]
    assert scripts["kubectl_complete-netpol_canary"] == "orchestrator.cli.kubectl_plugin:complete"


@pytest.mark.parametrize(
    "line",
    [
        "approve shop -m checked",
        "reject shop -m no",
        "promote shop -m checked",
        "pause shop",
        "abort shop",
        "freeze shop -m sale --for 2h",
        "stop -m sale",
    ],
)
def test_a_dry_run_is_checked_and_not_kept(waiting, line):
    before = {kind: waiting.stage.cluster.list(kind, OWN) for kind in (ROLLOUT, APPROVAL, FREEZE)}
    done = waiting(*line.split(), "--dry-run=server")
    assert done.code == 0 and "(server dry run)" in done.out, done
    assert "nobody works on it" not in done.out
    assert before == {kind: waiting.stage.cluster.list(kind, OWN) for kind in before}
    assert "(server dry run)" not in waiting(*line.split(), "--dry-run=none").out


@pytest.mark.parametrize("line", ["retry shop", "unfreeze stop", "start", "poll shop"])
def test_what_changes_a_status_or_deletes_has_a_dry_run_too(cli, line):
    stage = Stage(good=False)
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    netpol("stop", "-m", "sale")
    kinds = (SOURCE, FREEZE)
    before = {kind: stage.cluster.list(kind, OWN) for kind in kinds}
    done = netpol(*line.split(), "--dry-run=server")
    assert done.code == 0 and done.out.endswith("(server dry run)\n"), done
    assert "still" not in done.out and "no controller runs" not in done.out
    assert before == {kind: stage.cluster.list(kind, OWN) for kind in kinds}
    assert "(server dry run)" not in netpol(*line.split()).out
    assert before != {kind: stage.cluster.list(kind, OWN) for kind in kinds}


def test_a_dry_run_is_refused_as_the_real_one_would_be(waiting):
    assert waiting("resume", "shop", "--dry-run=server").code == 1
    for args in (["--dry-run=client"], ["--dry-run"], ["--dry-run=server", "--here"]):
        done = waiting("abort", "shop", *args)
        assert done.code == 2 and len(done.err.splitlines()) == 1, done
    assert (
        waiting("start", "--dry-run=server").code == 1
        and waiting("retry", "shop", "--dry-run=server").code == 1
    )
