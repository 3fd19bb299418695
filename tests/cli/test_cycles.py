"""Only what lasts looks for cycles among its objects: what a command makes goes when it ends."""

import gc
import sys

import pytest

from orchestrator.cli import main
from orchestrator.cli.process import stopping


def test_a_command_that_ends_by_itself_does_not_look(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["netpol-canary", "--version"])
    with pytest.raises(SystemExit):
        main.main()
    assert not gc.isenabled()


def test_one_that_lasts_until_it_is_stopped_does():
    gc.disable()
    with stopping():
        assert gc.isenabled()
