"""The command line on an API server in memory."""

import sys
from types import SimpleNamespace

import pytest

from orchestrator.cli import main, wiring


@pytest.fixture
def cli(monkeypatch, capsys):
    """`cli(stage)` gives a function that runs a command line there: code, out, err."""

    def on(stage, **ports):
        monkeypatch.setattr(wiring, "connected", lambda target, stop=None: stage.context(**ports))

        def run(*args):
            monkeypatch.setattr(sys, "argv", ["netpol-canary", *args])
            capsys.readouterr()
            try:
                main.main()
                code = 0
            except SystemExit as end:
                code = end.code
            out, err = capsys.readouterr()
            return SimpleNamespace(code=code, out=out, err=err)

        return run

    return on
