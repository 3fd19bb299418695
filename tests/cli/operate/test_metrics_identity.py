"""`metrics try` asks a managed service as a rollout does: by the source's identity, where the environment grants it."""

import json
import sys

import clouds
import pytest
from loopback import serving
from stage import Stage

from orchestrator.cli import main, wiring
from orchestrator.cli.app import Target
from orchestrator.rollout.resources import model as m

UP = m.MetricSpec(name="scrape", kind="scrape", query='sum by (namespace) (up{namespace=~"$namespaces"})')


@pytest.fixture
def server():
    with serving(
        clouds.Prometheus, proven=clouds.bearer("file-1"), refusal=401, asked=[], found=("cart", "pay", "web")
    ) as found:
        yield found


@pytest.fixture
def tried(monkeypatch, capsys, server):
    """`tried()`: exit code and output of the command, on a source that asks for a token of a file."""
    stage = Stage(
        analysis={
            "metrics": [UP],
            "baseline_seconds": 60,
            "prometheus": {"url": server.url, "identity": {"type": "tokenFile", "name": "thanos"}},
        }
    )
    monkeypatch.setattr(wiring, "connected", lambda target, stop=None: wiring.over(stage.cluster, Target()))
    monkeypatch.setattr(sys, "argv", ["netpol-canary", "metrics", "try", "--source", "shop"])

    def run():
        with pytest.raises(SystemExit) as end:
            main.main()
        return end.value.code, "".join(capsys.readouterr())

    return run


def test_with_a_grant_it_answers_and_without_one_it_says_whose_it_is(tried, server, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("file-1\n")
    code, text = tried()
    assert code == 1 and server.asked == []
    assert f"netpol-canary may not send the token thanos to {server.url}" in text
    assert "NETPOL_CANARY_IDENTITY__TOKEN_FILES" in text
    granted = {"thanos": {"file": str(tmp_path / "token"), "addresses": [server.url]}}
    monkeypatch.setenv("NETPOL_CANARY_IDENTITY__TOKEN_FILES", json.dumps(granted))
    code, text = tried()
    assert code == 0 and "a rollout can count on these metrics" in text and "file-1" not in text
    (tmp_path / "token").write_text("hunter2")
    code, text = tried()
    assert code == 1 and "answered 401: check the provider's identity" in text and "hunter2" not in text
