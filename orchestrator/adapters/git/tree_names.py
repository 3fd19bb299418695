"""Which names of files and folders no commit may bring along, and the place in a folder that a path leads to."""

import re
from pathlib import Path

from orchestrator.errors import BadInput

MOST_PATH = 1_024
_MOST_NAME = 255
# What HFS+ leaves out of a name (git's utf8.c, next_hfs_char).
_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
# What NTFS takes for .git (git's path.c, is_ntfs_dotgit): the short name, trailing spaces and dots, streams.
_DOTGIT = re.compile(r"(\.git|git~1)[ .]*([\\/:].*)?", re.IGNORECASE | re.DOTALL)


def odd(name: str) -> str:
    """Why no entry of a tree may have this name; empty where it may."""
    if not name:
        return "an entry has no name"
    if name in (".", ".."):
        return f"an entry is called {name}"
    if "/" in name or "\0" in name:
        return f"the name {name!r} holds a separator"
    if _DOTGIT.fullmatch(name.translate(_IGNORED)):
        return f"the name {name!r} stands for git's own folder"
    if len(name.encode(errors="surrogateescape")) > _MOST_NAME:
        return f"the name {name[:20]!r}… is longer than {_MOST_NAME} bytes"
    return ""


def within(root: Path, path: str) -> Path:
    """Where a relative path leads below the root. Raises BadInput for one that might lead out of it."""
    if len(path) > MOST_PATH:
        raise BadInput(f"the path is longer than {MOST_PATH} characters", f"{path[:40]}…", "shorten it")
    for name in path.split("/"):
        if why := odd(name):
            raise BadInput(f"{why}: it is not written", repr(path), "rename it")
    found = root / path
    if not found.parent.resolve().is_relative_to(root.resolve()):
        raise BadInput("it leads out of the folder that it belongs to: it is not written", repr(path))
    return found
