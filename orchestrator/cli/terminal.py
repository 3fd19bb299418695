"""What standard output is: how wide, and whether colours are wanted there."""

import os
import shutil
import sys
from typing import TextIO

PHASES = {
    "Succeeded": "32",
    "Successful": "32",
    "Promoted": "32",
    "Progressing": "34",
    "Running": "34",
    "Applied": "34",
    "Paused": "1;33",
    "Inconclusive": "33",
    "RollingBack": "33",
    "RolledBack": "33",
    "Restored": "33",
    "Error": "31",
    "Failed": "1;31",
}


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
    code = PHASES.get(word.strip())
    return f"\x1b[{code}m{word}\x1b[0m" if code else word
