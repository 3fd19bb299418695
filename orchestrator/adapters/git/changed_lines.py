"""The lines of a directory's files that a Git host shows as a change since a revision."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from orchestrator.adapters.git.worktree import git, root_of
from orchestrator.errors import BadInput

CONTEXT = 3  # lines above and below what changed, which hosts show with it
_HUNK = re.compile(rb"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_REMOVED = "D"


class Hunk(NamedTuple):
    """The first and last line, as they are afterwards, that were written; of lines that only went the one before them."""

    first: int
    last: int

    def shows(self, line: int) -> bool:
        """Whether it is among the lines that are shown."""
        return self.first - CONTEXT <= line <= self.last + CONTEXT

    def nearest(self, line: int) -> int:
        """The line itself where it was written, else the end of what was that is closer."""
        return min(max(line, self.first), self.last)


def changed_lines(directory: Path, before: str) -> dict[str, list[Hunk]]:
    """By path from the repository's root, in its order; what the working tree holds counts.

    A file that went, or changed its name alone, has none; of a diff that is too large, or of an unfinished merge, nothing is known.
    """
    form = ("--raw", "--patch", "-z", "--unified=0", "--inter-hunk-context=0", "--find-renames")
    plain = ("--no-color", "--no-ext-diff", "--no-textconv")
    try:
        root = root_of(directory)
        inside = os.path.relpath(directory.resolve(), root.resolve())
        place = ("--", f":(top,literal){'' if inside == '.' else inside}")
        out = git(root, "diff", *form, *plain, "--end-of-options", before, *place)
    except BadInput:
        return {}
    heads, _, patches = out.partition(b"\0\0")
    names, parts = _names(heads), _FILE.split(patches)[1:]
    if len(names) != len(parts):
        return {}
    hunks = {name: [_hunk(h) for h in _HUNK.finditer(part)] for name, part in zip(names, parts, strict=True)}
    return {name: found for name, found in hunks.items() if name and found}


def _names(heads: bytes) -> list[str]:
    """Of each file its path afterwards, empty where it went; git's "RAW OUTPUT FORMAT" with -z."""
    words = iter(heads.split(b"\0") if heads else ())
    found = []
    for word in words:
        status = word.rpartition(b" ")[2].decode()
        name = next(words)
        if status[:1] in "RC":
            name = next(words)
        found.append("" if status == _REMOVED else os.fsencode(name).decode(errors="backslashreplace"))
    return found


def _hunk(found: re.Match[bytes]) -> Hunk:
    first, count = int(found[1]), int(found[2] or 1)
    return Hunk(max(first, 1), max(first + count - 1, first, 1))
