"""Policies from a Git repository, through the git program and a private bare clone."""

import fcntl
import hashlib
import posixpath
import re
import shlex
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from orchestrator.adapters.git import program
from orchestrator.adapters.git.kustomize import built, outside
from orchestrator.adapters.git.program import SETTINGS, Credentials
from orchestrator.adapters.git.skipped import passed_over
from orchestrator.adapters.git.tree import Entry, Trees, contents, sizes
from orchestrator.adapters.request_log import Exchange, told
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.policy.files.nearest import MOST_NAMES, did_you_mean
from orchestrator.ports import MOST_COMMITS, Commit, Files

MOST_FILES = 5_000
MOST_FILE_BYTES = 1024 * 1024
MOST_BYTES = 32 * 1024 * 1024
MOST_OUTPUT = 2 * MOST_BYTES
MOST_LOG = 8 * 1024 * 1024
_HEADS_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# The side that serves a local path drops GIT_CONFIG_COUNT, and refuses an owner other than the caller.
_SERVED = (
    "core.bigFileThreshold",
    "pack.deltaCacheSize",
    "pack.threads",
    "pack.windowMemory",
    "safe.directory",
)
_SERVE_ANY_OWNER = (
    f"--upload-pack=git {' '.join(f'-c {k}={shlex.quote(SETTINGS[k])}' for k in _SERVED)} upload-pack"
)
_LOG = "%H%x00%an <%ae>%x00%cn <%ce>%x00%(trailers:key=Co-authored-by,valueonly,unfold)%x00%cI%x00%s"
_FULL, _HEX = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{4,40}")
_NO_REF = re.compile(r"^-|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{")
_PERSON = re.compile(r"[^<>]*<[^<>\s]+>")
_DAMAGED = re.compile(r"fsck|index-pack|pack-objects|unpack|object [0-9a-f]{40}")
_REFUSED = re.compile(r"Authentication failed|could not read (Username|Password)|error: 401")


@dataclass(frozen=True, repr=False)
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
        program.check_url(self.url, self.credentials)
        if not self.branch or _NO_REF.search(self.branch):
            raise BadInput(f"git.branch {self.branch!r} is not the name of a branch", "git")
        if self.path.startswith(("-", "/")) or ".." in self.path.split("/") or "\0" in self.path:
            raise BadInput(f"git.path {self.path!r} is not a path within the repository", "git")

    def resolve(self, ref: str = "") -> str:
        """A full commit id that is in the clone already is not fetched again."""
        if _NO_REF.search(ref):
            raise BadInput(f"{ref!r} is not a branch, a tag or a commit")
        if _FULL.fullmatch(ref) and self._commit(ref):
            return ref
        self._fetch()
        names = [f"refs/heads/{ref}", f"refs/tags/{ref}"] if ref else [f"refs/heads/{self.branch}"]
        names += [ref] if _HEX.fullmatch(ref) or ref.startswith("refs/") else []
        for name in names:
            if found := self._commit(name):
                return found
        what = f"revision {ref}" if ref else f"branch {self.branch}"
        refs = self.git("for-each-ref", f"--count={MOST_NAMES}", "--format=%(refname:lstrip=2)")
        known = refs.decode(errors="replace").split()
        fix = did_you_mean(ref or self.branch, known, "push it, or name another one")
        raise BadInput(f"{what} is not in the repository {self._name}", hint=fix)

    def files(self, revision: str) -> Mapping[str, bytes]:
        """The manifests; more than the bounds is refused, other files are passed over; kustomizations are built."""
        trees = self._trees(revision)
        mine, passed = self._mine(trees, revision)
        passed_over(f"{self._name} {self._prefix}".strip(), passed)
        found = Files(built(mine, self._prefix, partial(self._file, trees), self.kustomize, self.timeout))
        found.passed, found.below = passed, self._prefix
        return found

    def commits(self, since: str, until: str) -> Sequence[Commit]:
        """Where `since` is empty or lost, only the newest commit that touches the path.

        What a kustomization reaches outside the path counts too: whoever changes it changes a policy.
        """
        where = self.paths(until)
        span = [f"{since}..{self.resolve(until)}"] if self.knows(since) else ["-n1", self.resolve(until)]
        mark = uuid.uuid4().hex  # a commit's text may hold any other separator
        form = f"--format={mark}%x00{_LOG}%x00"
        asked = ["--no-renames", f"-n{MOST_COMMITS}", form, *span, "--", *where]
        try:
            raw = self.git("log", "-z", "--name-only", *asked, limit=MOST_LOG)
        except BadInput:  # a commit that touches millions of files: who made it counts, not which files
            raw = self.git("log", "-z", "--no-patch", *asked, limit=MOST_LOG)
        found = []
        for record in raw.decode(errors="replace").split(f"{mark}\0")[1:]:
            full, author, committer, others, when, subject, *names = record.split("\0")
            more = [" ".join(p.split()) for p in others.splitlines()]
            people = [author, committer, *(p for p in more if _PERSON.fullmatch(p))]
            files = [n.strip("\n").removeprefix(self._prefix) for n in names]
            touched = tuple(f for f in files if f)
            found.append(Commit(full, tuple(dict.fromkeys(people)), subject, touched, _time(when)))
        return found

    def paths(self, revision: str) -> list[str]:
        """The source's path, and what a kustomization reaches outside it."""
        trees = self._trees(revision)
        beside = outside(self._mine(trees, revision)[0], self._prefix, partial(self._file, trees))
        return [self._prefix.rstrip("/") or ".", *beside]

    def knows(self, revision: str) -> bool:
        """Whether a full commit id is in the clone."""
        return bool(_FULL.fullmatch(revision) and self._commit(revision))

    def git(
        self,
        *args: str,
        data: bytes = b"",
        clone: Path | None = None,
        environment: Mapping[str, str] | None = None,
        limit: int = MOST_OUTPUT,
        credentials: Credentials | None = None,
    ) -> bytes:
        """What git prints in the clone. Raises RepositoryError, BadInput beyond `limit` bytes."""
        given = credentials or self.credentials
        # A redirect must not carry the Authorization header to another host.
        follow = "false" if given.header() else "initial"
        general = ["--literal-pathspecs", "-c", f"http.followRedirects={follow}"]
        command = [*general, "--git-dir", str(clone or self._clone), *args]
        try:
            return program.run(command, self.url, given, self.timeout, data, limit, environment or {})
        except OSError as error:
            raise RepositoryError(f"{self._name}: git does not run: {error.strerror}") from None

    @property
    def _local(self) -> Path | None:
        if self.url.startswith("file:///"):
            return Path(self.url.removeprefix("file://"))
        return None if "://" in self.url or program.is_ssh(self.url) else Path(self.url).absolute()

    @property
    def _remote(self) -> str:
        """The URL; a relative path would mean another repository in another directory."""
        return self.url if "://" in self.url or not self._local else str(self._local)

    @property
    def _clone(self) -> Path:
        return self.cache / (hashlib.sha256(self._remote.encode()).hexdigest()[:16] + ".git")

    @property
    def _name(self) -> str:
        return program.scrubbed(self.url, self.credentials)

    @property
    def _prefix(self) -> str:
        path = posixpath.normpath(self.path)
        return "" if path == "." else f"{path}/"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time in a clone; given up after `timeout`."""
        deadline = time.monotonic() + self.timeout
        with self._clone.with_suffix(".lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise RepositoryError(f"{self._name}: another process keeps the clone") from None
                    time.sleep(0.05)
            yield

    def _fetch(self) -> None:
        if self._local and not self._local.exists() and not self._clone.exists():
            raise BadInput(f"there is no repository at {self._name}", "git.url", "fix git.url")
        try:
            self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked():
                self._ready()
                serve = [_SERVE_ANY_OWNER] if self._local else []
                flags = ["--quiet", "--no-tags", "--prune", "--no-write-fetch-head", *serve]
                try:
                    self._fetched(flags, _HEADS_AND_TAGS)
                except RepositoryError as error:
                    if not _DAMAGED.search(str(error)):
                        raise
                    # What somebody pushed to another branch must not keep this one from going on.
                    mine = f"+refs/heads/{self.branch}:refs/heads/{self.branch}"
                    self._fetched(flags, [mine])
        except OSError as error:
            raise RepositoryError(f"{self._name}: no clone in {self.cache}: {error.strerror}") from None

    def _fetched(self, flags: Sequence[str], refs: Sequence[str]) -> None:
        """With a token of its own time, and once more where that is refused and there is another."""
        words = ["fetch", *flags, "--", self._remote, *refs]
        given = self.credentials.lasting(self._name)
        try:
            self._told(words, given)
        except RepositoryError as error:
            if not (_REFUSED.search(str(error)) and self.credentials.renewed(given)):
                raise
            self._told(words, self.credentials.lasting(self._name))

    def _told(self, words: Sequence[str], credentials: Credentials) -> None:
        with told(Exchange("git fetch", self._name, outcome="failed")) as exchange:
            self.git(*words, credentials=credentials)
            exchange.outcome = "done"

    def _ready(self) -> None:
        """A clone that stands as a whole or not at all, without what a killed fetch left in it."""
        if not self._clone.exists():
            fresh = self._clone.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            self.git("init", "--quiet", "--bare", "--template=", clone=fresh)
            fresh.rename(self._clone)
        for left in (*self._clone.glob("**/*.lock"), *self._clone.glob("objects/pack/tmp_*")):
            left.unlink(missing_ok=True)

    def _commit(self, name: str) -> str:
        return self._object(f"{name}^{{commit}}") if self._clone.exists() else ""

    def _object(self, name: str) -> str:
        """The id of a commit or a tree; empty where it is not in the clone."""
        out = self.git("cat-file", "--batch-check", data=f"{name}\n".encode()).decode().split()
        return out[0] if out[1:2] in (["commit"], ["tree"]) else ""

    def _trees(self, revision: str) -> Trees:
        return Trees(self.git, self._object(f"{self.resolve(revision)}^{{tree}}"), self._name)

    def _mine(self, trees: Trees, revision: str) -> tuple[dict[str, bytes], str]:
        """The manifests below the path, and what was passed over there."""
        found = trees.below(self._prefix.rstrip("/"))
        if found is None:
            raise BadInput(f"there is no directory {self.path} in {self._name} at {revision[:10]}")
        content = self._read([e._replace(path=self._prefix + e.path) for e in found.manifests])
        return {e.path: content[e.blob] for e in found.manifests}, found.passed

    def _file(self, trees: Trees, path: str) -> bytes | None:
        entry = trees.file(path)
        return self._read([entry])[entry.blob] if entry else None

    def _read(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        ids = list(dict.fromkeys(e.blob for e in entries))
        _bounded(entries, sizes(self.git, ids), self._prefix)
        return contents(self.git, ids, "blob", self._name) if ids else {}


def _bounded(entries: Sequence[Entry], size: Mapping[str, int], prefix: str) -> None:
    """Raises BadInput that names the file, or the path, and the limit."""
    for entry in entries:
        if size.get(entry.blob, 0) > MOST_FILE_BYTES:
            raise BadInput(f"the file is larger than {MOST_FILE_BYTES >> 10} KiB", entry.path, "split it")
    where, total = prefix or ".", sum(size.get(e.blob, 0) for e in entries)
    if len(entries) > MOST_FILES:
        raise BadInput(f"there are {len(entries)} files, at most {MOST_FILES} are read", where)
    if total > MOST_BYTES:
        raise BadInput(f"there are {total} bytes, at most {MOST_BYTES >> 20} MiB are read", where)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
