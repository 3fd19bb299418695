"""A rollout followed in a log: a silent API server ends nothing."""

from faulty_port import FaultyPort, just_before
from stage import Stage, work

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.live.watching import watch
from orchestrator.errors import Unreachable


def test_an_api_server_that_does_not_answer_for_a_while_is_said_once(monkeypatch, capsys):
    stage = Stage()
    work(stage.context(), "one")
    silent = just_before(Unreachable("no answer"), "get", kind="PolicyRollout", at=range(2, 5))
    ctx = stage.context(FaultyPort(stage.cluster, silent))
    monkeypatch.setattr(wiring, "connected", lambda target, stop=None: ctx)
    assert watch(Target(), "shop-cccccccccc", 60) == 0
    seen = capsys.readouterr()
    assert len(silent.met) == 3 and seen.err.count("asked again: no answer") == 1
    assert "Succeeded" in seen.out
