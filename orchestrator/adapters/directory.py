"""Policies from a plain directory, to plan with before anything is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import BadInput
from orchestrator.ports import Commit

MOST_FILES = 5_000
MOST_BYTES = 32 * 1024 * 1024
ENDINGS = (".yaml", ".yml", ".json")
REVISION = "working-directory"


@dataclass(frozen=True)
class Directory:
    """Implements `PolicyRepository` without history."""

    root: Path

    def resolve(self, ref: str = "") -> str:
        if not self.root.is_dir():
            raise BadInput("there is no such directory", str(self.root))
        return REVISION

    def files(self, revision: str) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        total = 0
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(".") or "/." in name:
                continue
            if path.is_symlink():
                raise BadInput("symbolic links are not followed", str(path), "put the file itself there")
            if path.suffix in ENDINGS and path.is_file():
                total += path.stat().st_size
                if len(found) >= MOST_FILES or total > MOST_BYTES:
                    raise BadInput("the directory holds too much", str(path), "give a smaller one")
                found[name] = path.read_bytes()
        return found

    def commits(self, since: str, until: str) -> Sequence[Commit]:
        return []
