"""Policies from a plain directory, to plan with before anything is committed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git.skipped import Passed, passed_over
from orchestrator.adapters.git.tree import ENDINGS, MOST_ENTRIES, is_manifest
from orchestrator.adapters.given_files import no_directory
from orchestrator.errors import BadInput
from orchestrator.ports import Commit, Files

MOST_FILES = 5_000
MOST_BYTES = 32 * 1024 * 1024
REVISION = "working-directory"


@dataclass(frozen=True)
class Directory:
    """Implements `PolicyRepository` without history; what is read `beside` another directory is told apart from that by its name."""

    root: Path
    beside: Path | None = None

    def resolve(self, ref: str = "") -> str:
        if not self.root.is_dir():
            raise no_directory(self.root)
        return REVISION

    def files(self, revision: str) -> Mapping[str, bytes]:
        """The manifests by path. Symbolic links are not followed: a manifest that is one is refused."""
        found = Files()
        total, passed = 0, Passed()
        for name, entry in sorted(self._entries(passed), key=lambda item: item[0]):
            if entry.is_symlink():
                raise BadInput("symbolic links are not followed", entry.path, "put the file itself there")
            if not entry.is_file() or not name.endswith(ENDINGS):
                continue
            total += entry.stat().st_size
            if len(found) >= MOST_FILES or total > MOST_BYTES:
                raise BadInput("the directory holds too much", _shown(entry.path), "give a smaller one")
            found[name] = Path(entry.path).read_bytes()
        found.passed, found.below = passed.said(), from_root(self.root, self.beside)
        passed_over(str(self.root), found.passed)
        return found

    def _entries(self, passed: Passed) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """What may be a manifest, and a link that may be one."""
        folders, count = [str(self.root)], 0
        while folders:
            for entry in os.scandir(folders.pop()):
                count += 1
                name = _shown(os.path.relpath(entry.path, self.root))
                if count > MOST_ENTRIES:
                    raise BadInput("the directory holds too much", _shown(entry.path), "give a smaller one")
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif is_manifest(name):
                    yield name, entry
                else:
                    passed.add("link" if entry.is_symlink() else "other", name)

    def commits(self, since: str, until: str) -> Sequence[Commit]:
        return []


def from_root(directory: Path, beside: Path | None = None) -> str:
    """The directory from its repository's root, as it was given where it is in none; with a slash, empty for the root.

    One of another repository than that of `beside` is named as it was given, too: paths of both may be the same.
    """
    root = _repository(directory)
    other = beside is not None and _repository(beside) != root
    name = os.path.relpath(directory.resolve(), root) if root and not other else str(directory)
    return "" if name == "." and not other else _shown(f"{name.rstrip('/')}/")


def _repository(directory: Path) -> Path | None:
    full = directory.resolve()
    return next((p for p in (full, *full.parents) if (p / ".git").exists()), None)


def _shown(path: str) -> str:
    """A path that can be printed, whatever bytes the system holds."""
    return os.fsencode(path).decode(errors="backslashreplace")
