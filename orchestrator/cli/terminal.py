"""What standard output is: how wide, and whether colours are wanted there."""

import os
import shutil
import sys
from typing import TextIO

# Styles as rich names them; a table is written without rich.
PHASES = {
    "Succeeded": "green",
    "Successful": "green",
    "Promoted": "green",
    "Progressing": "blue",
    "Running": "blue",
    "Applied": "blue",
    "Paused": "bold yellow",
    "Inconclusive": "yellow",
    "RollingBack": "yellow",
    "RolledBack": "yellow",
    "Restored": "yellow",
    "Error": "red",
    "Failed": "bold red",
}
_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "blue": "34"}


def width() -> int:
    """Columns of the terminal that standard output is; 0 where it is none, and nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def coloured(stream: TextIO) -> bool:
    """NO_COLOR says no (no-color.org), then FORCE_COLOR yes, where they are not empty; else a terminal has colours."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painted(word: str) -> str:
    """A phase in its colour; what is no phase as it is."""
    code = ";".join(_CODES[name] for name in PHASES.get(word.strip(), "").split())
    return f"\x1b[{code}m{word}\x1b[0m" if code else word
