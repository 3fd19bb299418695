"""What leaves the command line: harmless whatever wrote it, in our own colours."""

import io
import json
import sys

import pytest
import structlog
from rich.text import Text

from orchestrator.cli import edge, logs

HOSTILE = "pay\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def begin(monkeypatch):
    """A function that puts a terminal behind the edge of standard output and error, and returns it."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def terminal():
        made = Terminal()
        monkeypatch.setattr(sys, "stdout", made)
        monkeypatch.setattr(sys, "stderr", made)
        edge.guard()
        return made

    return terminal


def test_what_is_printed_steers_no_terminal(begin):
    terminal = begin()
    print(HOSTILE)
    sys.stderr.writelines([HOSTILE])
    assert not set("\x1b\x07\x9b\u202e") & set(terminal.getvalue())


def test_a_guarded_stream_is_guarded_once(begin):
    begin()
    edge.guard()
    assert not isinstance(sys.stdout.rich_proxied_file, edge.Edge)


def test_a_console_shows_our_styles_and_nobody_elses(begin):
    terminal = begin()
    console = edge.console()
    console.print(Text(HOSTILE, style="bold"))
    console.print(HOSTILE, markup=False, style="red")
    said = terminal.getvalue()
    assert "\x1b[1m" in said and "\x1b[31m" in said
    assert "\x1b]" not in said and "\x1b[2J" not in said and not set("\x07\x9b\u202e") & set(said)


def test_no_markup_makes_a_link(begin):
    terminal = begin()
    edge.console().print("[link=https://evil.example.com]approve[/link]")
    assert "\x1b]8" not in terminal.getvalue() and "approve" in terminal.getvalue()


def test_an_annotation_is_the_only_command_to_a_ci(begin):
    terminal = begin()
    edge.annotate("error", "NPC001", "bad%0A\n::set-output name=a::b", "pay/x,y.yaml", "3")
    print("::set-output name=a::b")
    first, second = terminal.getvalue().splitlines()
    assert first == "::error file=pay/x%2Cy.yaml,line=3,title=NPC001::bad%250A%0A::set-output name=a::b"
    assert not second.startswith("::")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_log_holds_what_others_wrote_as_text(begin, form):
    terminal = begin()
    before = structlog.get_config()
    try:
        logs.configure(form)
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            structlog.get_logger().exception(HOSTILE, source=HOSTILE, many=[HOSTILE])
    finally:
        structlog.configure(**before)
    said = terminal.getvalue()
    assert "Traceback" in said
    assert not set("\x07\x9b\u202e") & set(said) and "\x1b]" not in said and "\x1b[2J" not in said
    if form == "json":
        assert "pay" in json.loads(said)["source"] and len(said.splitlines()) == 1
