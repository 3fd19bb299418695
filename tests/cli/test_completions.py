"""The shell completes names as they stand, in two seconds, and says nothing where it cannot."""

import threading

import pytest
from stage import OWN, SPACES, Stage

from orchestrator.cli import completions, kubectl_plugin, wiring
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"
KUBECONFIG = (
    "apiVersion: v1\nkind: Config\ncontexts:\n- {name: kind-one, context: {}}\n- {name: two, context: {}}\n"
)


@pytest.fixture
def complete(cli, monkeypatch, capsys, tmp_path):
    """`complete(*words)`: what may stand in place of the last one."""
    stage = Stage(gates=[m.Gate(wave=1)])
    cli(stage)("run", "--source", "shop")
    (tmp_path / "config").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    for name in ("_NETPOL_CANARY_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        monkeypatch.setenv(name, "")

    def words(*given):
        monkeypatch.setattr("sys.argv", ["kubectl_complete-netpol_canary", *given])
        capsys.readouterr()
        kubectl_plugin.complete()
        out, err = capsys.readouterr()
        *found, end = out.splitlines()
        assert end == ":4" and err == ""
        return found

    return words


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["appr"], ["approve"]),
        (["describe", ""], [NAME, "shop"]),
        (["describe", "shop-"], [NAME]),
        (["approve", NAME, "--wave", ""], ["0", "1"]),
        (["get", "ro"], ["rollouts"]),
        (["get", "psrc", ""], ["shop"]),
        (["get", "prol", NAME, ""], [NAME]),
        (["get", "nothing", ""], []),
        (["drift", ""], ["shop"]),
        (["plan", "--source", ""], ["shop"]),
        (["get", "-n", ""], sorted([OWN, *SPACES])),
        (["get", "--context", "k"], ["kind-one"]),
    ],
)
def test_what_may_stand_there(complete, typed, found):
    assert sorted(complete(*typed)) == sorted(found)


def test_a_cluster_that_fails_or_is_late_completes_nothing(complete, monkeypatch):
    never = threading.Event()

    def broken(target, stop=None):
        raise RuntimeError("no cluster")

    monkeypatch.setattr(wiring, "connected", broken)
    assert complete("describe", "") == []
    monkeypatch.setattr(wiring, "connected", lambda target, stop=None: never.wait())
    monkeypatch.setattr(completions, "SECONDS", 0.01)
    assert complete("describe", "") == []
    never.set()


def test_a_kubeconfig_that_cannot_be_read_completes_nothing(complete, monkeypatch, tmp_path):
    for text in ("[", "a: 1", "contexts: 7"):
        (tmp_path / "config").write_text(text)
        assert complete("get", "--context", "") == []
