"""Who freezes says why and until when; rollbacks are never stopped."""

from datetime import timedelta

import pytest
import yaml
from stage import OWN, Stage

from orchestrator.context import FREEZE, SOURCE
from orchestrator.rollout.resources import model as m


def test_stop_holds_every_wave_until_start(cli):
    stage = Stage()
    netpol = cli(stage)
    stopped = netpol("stop", "-m", "INC-42")
    assert stopped.code == 0 and "every source: no wave opens until `netpol-canary start`" in stopped.out
    run = netpol("run", "--source", "shop")
    assert run.code == 3 and "frozen by eve (RolloutFreeze stop): INC-42" in run.out
    assert stage.standing()["web"] == []
    again = netpol("stop", "-m", "again")
    assert again.code == 1 and "stands already" in again.err
    resumed = netpol("resume", "shop")
    assert resumed.code == 1 and "goes on by itself" in resumed.err
    assert netpol("start").code == 0
    assert netpol("start").code == 1
    assert netpol("run", "--source", "shop").code == 0


def test_a_rollback_goes_on_while_everything_is_stopped(cli):
    stage = Stage()
    before = stage.standing()
    netpol = cli(stage)
    assert netpol("run", "--source", "shop").code == 0
    netpol("stop", "-m", "INC-42")
    assert netpol("rollback", "shop", "--here").code == 1
    assert stage.standing() == before


def test_one_source_is_frozen_for_a_while_and_let_go(cli):
    netpol = cli(stage := Stage())
    done = netpol("freeze", "shop", "-m", "end of the quarter", "--for", "1d12h")
    assert done.code == 0 and "shop: no wave opens until" in done.out
    (found,) = stage.cluster.list(FREEZE, OWN)
    spec = m.RolloutFreezeSpec.model_validate(found["spec"])
    assert (spec.sources, spec.user, spec.until - stage.clock.now()) == (["shop"], "eve", timedelta(hours=36))
    shown = netpol("get", "freezes").out
    assert "end of the quarter" in shown and found["metadata"]["name"] in shown
    assert netpol("unfreeze", found["metadata"]["name"]).code == 0
    assert "No freezes" in netpol("get", "freezes").out


def test_a_source_that_a_file_names_is_frozen_by_its_own_name(cli, tmp_path):
    stage = Stage()
    file = tmp_path / "source.yaml"
    file.write_text(yaml.safe_dump(stage.cluster.get(SOURCE, "shop", OWN)))
    assert cli(stage)("freeze", str(file), "-m", "end of the quarter", "--for", "2w").code == 0
    (found,) = stage.cluster.list(FREEZE, OWN)
    assert found["spec"]["sources"] == ["shop"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["freeze"], "a freeze needs a reason"),
        (["freeze", "-m", "x", "--for", "soon"], "--for: 'soon' is no length of time"),
        (["freeze", "-m", "x", "--for", "999999w"], "--for: '999999w' is too long"),
        (["freeze", "-m", "x", "--until", "later"], "--until: 'later' is no time"),
        (["freeze", "-m", "x", "--until", "2020-01-01T00:00Z"], "over before it begins"),
        (["freeze", "-m", "x", "--until", "2040-01-01", "--for", "1h"], "both say when it ends"),
        (["freeze", "nobody", "-m", "x"], "there is no PolicySource nobody"),
        (["unfreeze", "nothing"], "there is no RolloutFreeze nothing"),
    ],
)
def test_bad_input_is_one_line(cli, args, said):
    done = cli(Stage())(*args)
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1
