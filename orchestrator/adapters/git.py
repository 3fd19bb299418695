"""Policies from a Git repository, through the git program and a private bare clone."""

from __future__ import annotations

import fcntl
import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.adapters import gitprogram
from orchestrator.adapters.gitprogram import Credentials
from orchestrator.adapters.kustomize import built
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.ports import Commit

MOST_FILES = 5_000
MOST_FILE_BYTES = 1024 * 1024
MOST_BYTES = 32 * 1024 * 1024
MOST_COMMITS = 200
_FULL = re.compile(r"[0-9a-f]{40}")
_SYMLINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class Entry:
    """A line of `git ls-tree -l`."""

    mode: str
    blob: str
    size: int
    path: str


@dataclass(frozen=True)
class GitRepository:
    """Implements `PolicyRepository`. `cache` holds the clones; `timeout` is in seconds, for each git call."""

    url: str
    cache: Path
    branch: str = "main"
    path: str = ""
    credentials: Credentials = field(default_factory=Credentials)
    timeout: float = 60.0
    kustomize: Sequence[str] = ()

    def __post_init__(self) -> None:
        gitprogram.check_url(self.url, self.credentials)
        for what, text in (("branch", self.branch), ("path", self.path)):
            if text.startswith(("-", "/")) or ".." in text.split("/"):
                raise BadInput(f"git.{what} {text!r} is not acceptable", "git")

    @property
    def _clone(self) -> Path:
        return self.cache / (hashlib.sha256(self.url.encode()).hexdigest()[:16] + ".git")

    def _git(self, *args: str, data: bytes = b"", limit: int = MOST_BYTES) -> bytes:
        return gitprogram.run(
            ["--git-dir", str(self._clone), *args], self.url, self.credentials, self.timeout, data, limit
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time in a clone; given up after `timeout`."""
        self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + self.timeout
        with self._clone.with_suffix(".lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise RepositoryError(f"another process keeps the clone of {self._name}") from None
                    time.sleep(0.05)
            yield

    @property
    def _name(self) -> str:
        return gitprogram.scrubbed(self.url, self.credentials)

    def _fetch(self) -> None:
        with self._locked():
            if not self._clone.joinpath("HEAD").exists():
                self._clone.mkdir(mode=0o700, exist_ok=True)
                self._git("init", "--quiet", "--bare")
            heads = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
            self._git("fetch", "--quiet", "--prune", "--no-write-fetch-head", "--", self.url, *heads)

    def resolve(self, ref: str = "") -> str:
        """A full commit id that is in the clone already is not fetched again."""
        if ref.startswith("-"):
            raise BadInput(f"{ref!r} is not a revision")
        if not (_FULL.fullmatch(ref) and self._clone.joinpath("HEAD").exists() and self._has(ref)):
            self._fetch()
        wanted = [ref] if ref else [f"refs/heads/{self.branch}"]
        for name in wanted:
            found = self._parse(name)
            if found:
                return found
        what = f"revision {ref}" if ref else f"branch {self.branch}"
        raise BadInput(f"{what} is not in {self._name}", hint="push it, or name another one")

    def _has(self, commit: str) -> bool:
        return bool(self._parse(commit))

    def _parse(self, ref: str) -> str:
        try:
            text = self._git("rev-parse", "--quiet", "--verify", "--end-of-options", ref + "^{commit}")
        except RepositoryError:
            return ""
        return text.decode().strip()

    def _tree(self, revision: str) -> list[Entry]:
        raw = self._git("ls-tree", "-r", "-z", "-l", "--full-tree", revision)
        found = []
        for line in raw.decode(errors="replace").split("\0"):
            if line:
                meta, path = line.split("\t", 1)
                mode, _, blob, size = meta.split()
                found.append(Entry(mode, blob, int(size) if size.isdigit() else 0, path))
        return found

    def files(self, revision: str) -> Mapping[str, bytes]:
        """Symbolic links, submodules and more than the bounds are refused; kustomizations are built."""
        prefix = f"{self.path.strip('/')}/" if self.path.strip("/") else ""
        tree = self._tree(revision)
        mine = [e for e in tree if e.path.startswith(prefix)]
        if prefix and not mine:
            raise BadInput(f"there is no directory {self.path} in {self._name} at {revision[:10]}")
        self._bounded(mine)
        content = self._read(mine)
        files = {e.path.removeprefix(prefix): content[e.blob] for e in mine}

        def elsewhere(path: str) -> bytes | None:
            entry = next((e for e in tree if e.path == path), None)
            if entry is None:
                return None
            self._bounded([entry])
            return self._read([entry])[entry.blob]

        return built(files, prefix, elsewhere, self.kustomize, self.timeout)

    @staticmethod
    def _bounded(entries: Sequence[Entry]) -> None:
        if len(entries) > MOST_FILES:
            raise BadInput(
                f"there are {len(entries)} files in the source's path, at most {MOST_FILES} are read"
            )
        for entry in entries:
            if entry.mode == _SYMLINK:
                raise BadInput(
                    "symbolic links are not followed", entry.path, "commit the file itself in its place"
                )
            if entry.mode == _SUBMODULE:
                raise BadInput("submodules are not followed", entry.path, "commit the files in their place")
            if entry.size > MOST_FILE_BYTES:
                raise BadInput(
                    f"the file is larger than {MOST_FILE_BYTES // 1024} KiB", entry.path, "split it"
                )
        total = sum(e.size for e in entries)
        if total > MOST_BYTES:
            raise BadInput(
                f"the files are {total >> 20} MiB together, at most {MOST_BYTES >> 20} MiB are read"
            )

    def _read(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        wanted = list(dict.fromkeys(e.blob for e in entries))
        data = "".join(f"{blob}\n" for blob in wanted).encode()
        raw = self._git("cat-file", "--batch", data=data, limit=2 * MOST_BYTES)
        found: dict[str, bytes] = {}
        at = 0
        for blob in wanted:
            end = raw.index(b"\n", at)
            size = int(raw[at:end].split()[2])
            found[blob] = raw[end + 1 : end + 1 + size]
            at = end + 2 + size
        return found

    def commits(self, since: str, until: str) -> Sequence[Commit]:
        """Where `since` is empty or unknown, only the newest commit that touches the path."""
        known = bool(since) and self._has(since)
        span = [f"{since}..{until}"] if known else ["-n1", until]
        form = "%H%x1f%an <%ae>%x1f%cn <%ce>%x1f%(trailers:key=Co-authored-by,valueonly)%x1f%s%x1e"
        raw = self._git("log", f"-n{MOST_COMMITS}", f"--format={form}", *span, "--", self.path or ".")
        found = []
        for record in raw.decode(errors="replace").split("\x1e"):
            if record.strip():
                full, author, committer, others, subject = record.strip().split("\x1f")
                people = [author, committer, *(o.strip() for o in others.splitlines())]
                found.append(Commit(full, tuple(dict.fromkeys(p for p in people if p)), subject))
        return found
