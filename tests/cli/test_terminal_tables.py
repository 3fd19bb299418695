"""On a terminal nothing is wider than it, and phases have their colours; elsewhere nothing is cut or coloured."""

import io

import pytest
from stage import OWN, Stage

from orchestrator.cli import terminal
from orchestrator.cli.printing import aligned, fitted
from orchestrator.context import ROLLOUT

REVISION = "c" * 40


@pytest.fixture
def done(cli):
    """A stage whose rollout is over."""
    stage = Stage()
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    netpol.stage = stage
    return netpol


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_a_table_is_no_wider_than_the_terminal(done, monkeypatch, columns):
    monkeypatch.setattr(terminal, "width", lambda: columns)
    for what in ("rollouts", "sources", "namespaces", "analyses"):
        lines = done("get", what, "-o", "wide").out.splitlines()
        assert len(lines) > 1 and max(map(len, lines)) <= columns, lines
    table, _, _ = done("history", "-o", "wide").out.partition("\n\n")
    assert max(map(len, table.splitlines())) <= columns


def test_elsewhere_all_of_it_is_printed(done):
    assert REVISION in done("get", "-o", "wide").out
    assert aligned([["A", "B"], ["x" * 200, "y"]])[1] == "x" * 200 + "   y"


def test_the_widest_column_gives_first_and_the_first_last():
    assert fitted((20, 100, 10), 76) == (20, 40, 10)
    assert fitted((60, 20, 10), 46) == (24, 8, 8)
    assert fitted((20, 3), 11) == (8,)
    assert fitted((20, 100), 0) == (20, 100)


class Tty(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "stream", "colours"),
    [
        ({}, Tty, True),
        ({}, io.StringIO, False),
        ({"NO_COLOR": "1"}, Tty, False),
        ({"NO_COLOR": ""}, Tty, True),
        ({"TERM": "dumb"}, Tty, False),
        ({"FORCE_COLOR": "1"}, io.StringIO, True),
        ({"FORCE_COLOR": ""}, io.StringIO, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, Tty, False),
    ],
)
def test_colours_are_for_terminals_unless_somebody_says_otherwise(monkeypatch, environment, stream, colours):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal.coloured(stream()) is colours


def test_a_phase_has_its_colour_and_others_bring_none(done, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = done.stage.cluster.list(ROLLOUT, OWN)[0]
    evil = {**found["status"], "reason": "\x1b[2Jgone"}
    done.stage.cluster.replace_status({**found, "status": evil})
    out = done("get", "-o", "wide").out
    assert "\x1b[32mSucceeded" in out and "\x1b[2J" not in out and "gone" in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in done("get", "-o", "wide").out
