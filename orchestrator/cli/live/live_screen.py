"""A terminal on which one view is drawn in place: on its other screen, so that nothing is left behind, whatever happens."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console, Group

from orchestrator.cli.live.fitted_rows import Row, fitted


def possible() -> bool:
    """Whether standard output is a terminal on which a cursor can be moved, and that takes our characters."""
    movable = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return movable and "utf" in (sys.stdout.encoding or "").lower()


class LiveScreen:
    """Rows on the whole of the terminal, however large it is at that moment."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, emoji=False, markup=False)

    @property
    def width(self) -> int:
        return self._console.width

    def draw(self, rows: list[Row]) -> None:
        """In place of what stands there."""
        self._console.update_screen(Group(*fitted(rows, self._console.height)))

    def leave_behind(self, rows: list[Row]) -> None:
        """On the usual screen, where the prompt comes next."""
        self._console.print(Group(*fitted(rows, max(self._console.height - 2, 1))))

    @contextmanager
    def open(self) -> Iterator[None]:
        """The other screen, without a cursor; the usual one is back at the end, after an error, and while it is suspended."""
        with self._suspendable():
            self._enter()
            try:
                yield
            finally:
                self._leave()

    def _enter(self) -> None:
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)

    def _leave(self) -> None:
        self._console.show_cursor(True)
        self._console.set_alt_screen(False)

    @contextmanager
    def _suspendable(self) -> Iterator[None]:
        """Ctrl-Z gives the shell its screen; `fg` takes it again."""

        def suspend(number: int, frame: FrameType | None) -> None:
            self._leave()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            signal.signal(number, suspend)
            self._enter()

        previous: Any = signal.signal(signal.SIGTSTP, suspend)
        try:
            yield
        finally:
            signal.signal(signal.SIGTSTP, previous)
