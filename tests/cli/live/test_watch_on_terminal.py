"""`watch` as a process on a real terminal: one view in place, and the terminal as it was afterwards."""

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading

import pytest
from patience import ENOUGH, eventually
from terminal_screen import TerminalScreen

NAME = "shop-cccccccccc"
# A rollout that waits for approval; a line on standard input lets the cluster refuse, promote or go silent.
PROGRAM = """
import sys, threading
from dataclasses import replace
from stage import Stage, work
from orchestrator.adapters.clock import SystemClock
from orchestrator.cli import main, wiring
from orchestrator.errors import Forbidden, Unreachable
from orchestrator.operations import approve
from orchestrator.context import read
from orchestrator.rollout.resources import model as m
import structlog
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())

stage = Stage(gates=[m.Gate(wave=1, approvals=1)])
stage.change(identities=[{"email": "ann@example.com", "user": "ann"}])
work(stage.context(), "one")
real = stage.cluster

class Broken:
    def __init__(self, error):
        self.error = error
    def __getattr__(self, name):
        def fails(*args, **more):
            raise self.error
        return fails

class Cluster:
    now = real
    def __getattr__(self, name):
        return getattr(Cluster.now, name)

def obey():
    for line in sys.stdin:
        if line.strip() == "refuse":
            Cluster.now = Broken(Forbidden("eve may not list"))
        elif line.strip() == "silent":
            Cluster.now = Broken(Unreachable("no answer"))
        elif line.strip() == "back":
            Cluster.now = real
        elif line.strip() == "approve":
            ctx = stage.context()
            approve.decide(ctx, read(ctx, NAME), approve.Decision("approve", "fine"))
            work(ctx, "one")

NAME = "shop-cccccccccc"
threading.Thread(target=obey, daemon=True).start()
wiring.connected = lambda target, stop=None: replace(
    stage.context(), cluster=Cluster(), clock=SystemClock(stop)
)
sys.argv = ["netpol-canary", "watch", "shop", *sys.argv[1:]]
main.main()
"""


class Watching:
    """The process, and the terminal that it draws on."""

    def __init__(self, columns, lines, environment, *args):
        self.screen = TerminalScreen(columns, lines)
        self._master, slave = pty.openpty()
        self.resize(columns, lines)
        kept = {
            k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *args],
            stdin=subprocess.PIPE,
            stdout=slave,
            stderr=slave,
            text=True,
            env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color", **environment},
        )
        os.close(slave)
        self.error = None
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def resize(self, columns, lines):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def grow(self, columns, lines):
        """A larger terminal; what is drawn from here on may be as large."""
        self.screen.columns, self.screen.lines = columns, lines
        self.resize(columns, lines)

    def tell(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def shows(self, text):
        eventually(lambda: self.error or any(text in line for line in self.screen.shown()))
        assert self.error is None, self.error

    def stopped(self):
        """Whether it has stopped since this was asked last."""
        return os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG)[1])

    def ended(self):
        """The exit code, once everything was read."""
        code = self.process.wait(ENOUGH)
        self._reading.join(ENOUGH)
        assert self.error is None, self.error
        assert not self.screen.other and self.screen.cursor, "the terminal is not as it was"
        return code

    def close(self):
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait(ENOUGH)
        self.process.stdin.close()
        self._reading.join(ENOUGH)
        os.close(self._master)

    def _read(self):
        rest = b""
        try:
            while part := os.read(self._master, 65536):
                rest += part
                cut = rest.rfind(b"\x1b") if b"\x1b" in rest[-12:] else len(rest)
                text, rest = rest[:cut], rest[cut:]
                self.screen.feed(text.decode(errors="ignore"))
        except OSError:  # the process has closed its end
            self.screen.feed(rest.decode(errors="ignore"))
        except AssertionError as error:
            self.error = error


@pytest.fixture
def watching():
    made = []

    def begin(*args, columns=100, lines=30, **environment):
        made.append(Watching(columns, lines, environment, *args))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def test_it_stays_while_it_waits_and_ends_with_the_rollout(watching):
    found = watching()
    found.shows(f"netpol-canary approve {NAME} -m WHY")
    assert found.screen.other and not found.screen.cursor and found.screen.coloured
    assert found.screen.usual == ""
    found.tell("approve")
    assert found.ended() == 0
    assert found.screen.usual.rstrip().endswith(f"{NAME}: Succeeded")


def test_after_ctrl_c_the_terminal_is_as_it_was_and_the_last_view_stays(watching):
    found = watching()
    found.shows("waits for wave 1")
    found.process.send_signal(signal.SIGINT)
    assert found.ended() == 130
    assert f"netpol-canary approve {NAME} -m WHY" in found.screen.usual
    assert "Traceback" not in found.screen.usual


def test_a_terminal_that_changes_its_size_is_filled_and_not_left(watching):
    found = watching(columns=60, lines=14)
    found.shows("waits for wave 1")
    assert not any("Planned" in line for line in found.screen.shown())
    found.grow(120, 40)
    found.shows("Planned")
    found.resize(60, 12)
    found.shows("waits for wave 1")
    found.process.send_signal(signal.SIGTERM)
    assert found.ended() == 130


def test_a_view_that_is_suspended_gives_the_shell_its_screen_and_takes_it_again(watching):
    found = watching()
    found.shows("waits for wave 1")
    found.process.send_signal(signal.SIGTSTP)
    # Where no shell could take it on again, the kernel does not stop it, and it draws on.
    eventually(lambda: found.stopped() or found.screen.entered == 2)
    found.process.send_signal(signal.SIGCONT)
    eventually(lambda: found.screen.entered == 2)
    found.shows("waits for wave 1")
    found.process.send_signal(signal.SIGINT)
    assert found.ended() == 130


def test_an_api_server_that_is_silent_is_said_and_one_that_refuses_ends_it(watching):
    found = watching()
    found.shows("waits for wave 1")
    found.tell("silent")
    found.shows("no answer")
    found.tell("back")
    eventually(lambda: not any("no answer" in line for line in found.screen.shown()))
    found.tell("refuse")
    assert found.ended() == 1
    assert found.screen.usual.rstrip().endswith("netpol-canary: eve may not list")


def test_no_colour_is_drawn_where_none_is_wanted(watching):
    found = watching(columns=60, lines=20, NO_COLOR="1")
    found.shows("‖ 1")
    assert not found.screen.coloured
    found.process.send_signal(signal.SIGINT)
    assert found.ended() == 130


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "latin-1"}, {}])
def test_where_no_cursor_moves_or_each_request_is_said_it_is_a_log(watching, environment):
    found = watching(*([] if environment else ["-v"]), **environment)
    assert found.ended() == 3
    assert "Promoted" in found.screen.usual and f"netpol-canary approve {NAME} -m WHY" in found.screen.usual


def test_a_time_that_is_over_ends_the_view(watching):
    found = watching("--timeout", "1")
    assert found.ended() == 3 and "still running after 1 s" in found.screen.usual
