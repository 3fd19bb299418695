"""What is said of a file or a directory that a person named and that cannot be read: what it is, and which one may be meant."""

import os
from contextlib import suppress
from itertools import islice
from pathlib import Path

from orchestrator.errors import BadInput
from orchestrator.policy.files.nearest import MOST_NAMES, nearest


def unreadable(error: OSError, path: Path, otherwise: str = "", where: str = "") -> BadInput:
    """The error to raise; `where` stands before the path, such as the option that named it."""
    place = f"{where} {path}".strip()
    if isinstance(error, FileNotFoundError):
        if not path.parent.is_dir():
            return BadInput(f"cannot be read: there is no directory {path.parent}", place, otherwise)
        return BadInput("cannot be read: there is no such file", place, _meant(path, otherwise))
    if isinstance(error, IsADirectoryError):
        return BadInput("cannot be read: it is a directory, and a file is wanted", place, otherwise)
    if isinstance(error, PermissionError):
        return BadInput("cannot be read: this user may not", place, otherwise)
    return BadInput(f"cannot be read: {error.strerror}", place, otherwise)


def no_directory(path: Path, otherwise: str = "") -> BadInput:
    """The error to raise where a path is no directory."""
    if path.exists():
        parent = str(path.parent)
        return BadInput("this is a file, and a directory is wanted", str(path), f"give {parent}")
    return BadInput("there is no such directory", str(path), _meant(path, otherwise, folders=True))


def _meant(path: Path, otherwise: str, folders: bool = False) -> str:
    """The neighbour that is spelt most alike."""
    names: list[str] = []
    with suppress(OSError), os.scandir(path.parent) as entries:
        names = [e.name for e in islice(entries, MOST_NAMES) if e.is_dir() == folders]
    near = nearest(path.name, sorted(names), 1)
    return f"did you mean {path.parent / near[0]}?" if near else otherwise
