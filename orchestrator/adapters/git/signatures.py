"""A repository whose files are given out only at signed revisions; git verifies, by the source's own keys alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.adapters.git.repository import GitRepository
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.ports import Commit

MOST_COMMITS, MOST_TAGS = 200, 32
GPG_SECONDS = 30
# Every imported key may sign, no agent or network is asked.
GPG = "trust-model always\nno-autostart\nno-auto-key-retrieve\ndisable-dirmngr\n"
_SAID = {  # git log, %G?
    "N": "is not signed",
    "B": "carries a bad signature",
    "X": "carries an expired signature",
    "Y": "is signed by an expired key",
    "R": "is signed by a revoked key",
}


@dataclass(frozen=True, repr=False)
class Signers:
    """SSH's allowed signers (ssh-keygen(1), ALLOWED SIGNERS) and OpenPGP public keys, as text."""

    allowed: str
    keys: bytes

    @staticmethod
    def from_secret(data: Mapping[str, bytes], where: str) -> Signers:
        """Raises BadInput where nobody could sign."""
        allowed, keys = data.get("allowedSigners", b""), data.get("gpgKeys", b"")
        if not allowed.strip() and not keys.strip():
            hint = "put allowedSigners or gpgKeys into the Secret"
            raise BadInput("there is nobody whose signature would count", where, hint)
        return Signers(allowed.decode(errors="replace"), keys)


@dataclass(frozen=True)
class SignedRepository:
    """Implements `PolicyRepository`. `since` is the current revision; empty before the first."""

    inner: GitRepository
    mode: Literal["commits", "tag"]
    signers: Signers
    since: str = ""

    def resolve(self, ref: str = "") -> str:
        return self.inner.resolve(ref)

    def commits(self, since: str, until: str) -> Sequence[Commit]:
        return self.inner.commits(since, until)

    def files(self, revision: str) -> Mapping[str, bytes]:
        """Raises BadInput for what is not signed, before anything is read of it."""
        revision = self.inner.resolve(revision)
        if revision != self.since:
            with _trusting(self.signers) as (settings, environment):
                check = _Check(self.inner, settings, environment)
                check.tags(revision) if self.mode == "tag" else check.commits(self._unverified(revision))
        return self.inner.files(revision)

    def _unverified(self, revision: str) -> list[str]:
        """The newest commit that touches the path, whose tree it is, and all since the current revision."""
        where = ["--", *self.inner.paths(revision)]
        found = self.inner.git("rev-list", "--max-count=1", revision, *where).decode().split()
        if self.inner.knows(self.since):
            span = [f"--max-count={MOST_COMMITS + 1}", f"{self.since}..{revision}"]
            found += self.inner.git("rev-list", *span, *where).decode().split()
        if len(found) > MOST_COMMITS + 1:
            text = f"more than {MOST_COMMITS} commits touch the path since {self.since[:10]}"
            raise BadInput(text, revision[:10], "roll out an earlier one of them first")
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Check:
    """Asks git whether signatures hold. Raises BadInput that names what is wrong, and whose it is."""

    repository: GitRepository
    settings: Sequence[str]
    environment: Mapping[str, str]

    def commits(self, ids: Sequence[str]) -> None:
        if not ids or self._holds("verify-commit", *ids):
            return
        for commit in reversed(ids):
            if not self._holds("verify-commit", commit):
                self._refuse(commit)
        raise RepositoryError(f"git could not verify the signatures of {len(ids)} commits")

    def tags(self, commit: str) -> None:
        """One signed tag on the commit is enough."""
        form = "--format=%(objecttype) %(refname)"
        found = self.repository.git(
            "for-each-ref", f"--points-at={commit}", f"--count={MOST_TAGS}", form, "refs/tags"
        )
        names = [line.split(" ", 1)[1] for line in found.decode().splitlines() if line.startswith("tag ")]
        if any(self._holds("verify-tag", name) for name in names):
            return
        tried = ", ".join(name.removeprefix("refs/tags/") for name in names[:5])
        said = f"of its tags ({tried}) none is" if names else "it has no tag that is"
        raise BadInput(
            f"{said} signed by one of the source's keys", f"commit {commit[:10]}", "push a signed tag on it"
        )

    def _holds(self, *args: str) -> bool:
        try:
            self.repository.git(*self.settings, *args, environment=self.environment)
        except RepositoryError:
            return False
        return True

    def _refuse(self, commit: str) -> None:
        raw = self.repository.git(
            *self.settings,
            "log",
            "--no-walk",
            "--format=%G?%x00%an <%ae>%x00%s",
            commit,
            environment=self.environment,
        )
        state, author, subject = raw.decode(errors="replace").rstrip("\n").split("\0")
        said = _SAID.get(state, "is signed by none of the source's keys")
        text = f"{said} ({author}: {subject[:100]})"
        raise BadInput(text, f"commit {commit[:10]}", "have it signed by someone of git.verify.secretRef")


@contextmanager
def _trusting(signers: Signers) -> Iterator[tuple[list[str], dict[str, str]]]:
    """git's options and environment under which the signers count, and nobody else."""
    with tempfile.TemporaryDirectory(prefix="netpol-canary-keys-") as name:
        folder = Path(name)
        (folder / "allowed").write_text(signers.allowed)
        home = folder / "gnupg"
        home.mkdir(mode=0o700)
        (home / "gpg.conf").write_text(GPG)
        if signers.keys.strip():
            _import(signers.keys, home)
        pairs = {
            "gpg.minTrustLevel": "fully",
            "gpg.ssh.allowedSignersFile": str(folder / "allowed"),
            "gpg.x509.program": "false",
        }
        options = [part for key, value in pairs.items() for part in ("-c", f"{key}={value}")]
        yield options, {"GNUPGHOME": str(home)}


def _import(keys: bytes, home: Path) -> None:
    """Raises BadInput where these are no keys."""
    command = ["gpg", "--batch", "--quiet", "--import"]
    env = {"PATH": os.environ.get("PATH", os.defpath), "GNUPGHOME": str(home), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, input=keys, env=env, capture_output=True, timeout=GPG_SECONDS, check=False
        )
    except OSError as error:
        raise RepositoryError(f"gpg does not run, and gpgKeys needs it: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise RepositoryError(f"gpg took longer than {GPG_SECONDS} s to read gpgKeys") from None
    if done.returncode:
        raise BadInput("gpgKeys holds no OpenPGP keys that gpg takes", "git.verify.secretRef")
