"""Only what someone of the source's own list has signed is given out."""

import os
import shutil
import subprocess

import pytest
from git_folder import begun, write

from orchestrator.adapters.git import signatures
from orchestrator.adapters.git.repository import GitRepository
from orchestrator.adapters.git.signatures import SignedRepository, Signers
from orchestrator.errors import BadInput, RepositoryError

needs_ssh = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is missing")
needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is missing")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """The SSH keys of ann and eve; the first may sign."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ann", "eve"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """An OpenPGP key of ann: its home, and the public key."""
    home = tmp_path_factory.mktemp("ring")
    home.chmod(0o700)
    env = {"PATH": os.environ["PATH"], "GNUPGHOME": str(home)}

    def gpg(*args):
        return subprocess.run(
            ["gpg", "--batch", "--quiet", *args], env=env, check=True, capture_output=True
        ).stdout

    gpg("--passphrase", "", "--quick-gen-key", "Ann <ann@example.com>", "ed25519", "sign", "0")
    yield home, gpg("--export", "--armor")
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=env, check=False)


class Repo:
    """A repository to commit to, by `key`, or unsigned."""

    def __init__(self, root):
        self.root = root
        self.git = begun(root)

    def commit(self, name, text, key=None, subject="change", **more):
        write(self.root, {name: text})
        self.git("add", "-A")
        self.git(*self._signing(key), "commit", "-q", "-m", subject, *(["-S"] if key else []), **more)
        return self.git("rev-parse", "HEAD")

    def tag(self, name, key=None, **more):
        self.git(*self._signing(key), "tag", "-s" if key else "-a", "-m", "good", name, **more)

    @staticmethod
    def _signing(key):
        if not key:
            return []
        ssh = ["-c", "gpg.format=ssh"] if os.path.exists(str(key)) else []
        return [*ssh, "-c", f"user.signingkey={key}"]


@pytest.fixture
def repo(tmp_path):
    return Repo(tmp_path / "repo")


def opened(repo, signers, since="", mode="commits", path=""):
    inner = GitRepository(str(repo.root), cache=repo.root.parent / "cache", path=path)
    return SignedRepository(inner, mode, signers, since)


@pytest.fixture
def ann(keys):
    public = (keys / "ann.pub").read_text()
    return Signers.from_secret({"allowedSigners": f"ann@example.com {public}".encode()}, "here")


def taken(repo, *args, **more):
    source = opened(repo, *args, **more)
    return source.files(source.resolve())


@needs_ssh
def test_a_signed_commit_is_given_out_and_others_are_named(repo, keys, ann):
    repo.commit("a.yaml", "x", keys / "ann")
    assert taken(repo, ann) == {"a.yaml": b"x"}
    unsigned = repo.commit("a.yaml", "y", subject="open it")
    said = rf"^commit {unsigned[:10]}: is not signed \(Ann <ann@example.com>: open it\)"
    with pytest.raises(BadInput, match=said):
        taken(repo, ann)
    repo.commit("a.yaml", "z", keys / "eve")
    with pytest.raises(BadInput, match="is signed by none of the source's keys"):
        taken(repo, ann)


@needs_ssh
def test_every_commit_since_the_last_verified_revision_counts(repo, keys, ann):
    first = repo.commit("a.yaml", "x")
    hidden = repo.commit("a.yaml", "evil")
    repo.commit("a.yaml", "y", keys / "ann")
    with pytest.raises(BadInput, match=hidden[:10]):
        taken(repo, ann, since=first)
    assert taken(repo, ann, since=hidden) == {"a.yaml": b"y"}
    assert taken(repo, ann) == {"a.yaml": b"y"}


@needs_ssh
def test_what_was_verified_before_needs_no_signature_again(repo, ann):
    first = repo.commit("a.yaml", "x")
    assert taken(repo, ann, since=first) == {"a.yaml": b"x"}


@needs_ssh
def test_commits_beside_the_path_need_no_signature(repo, keys, ann):
    repo.commit("in/a.yaml", "x", keys / "ann")
    repo.commit("out.yaml", "y")
    assert taken(repo, ann, path="in") == {"a.yaml": b"x"}
    repo.commit("in/a.yaml", "y")
    with pytest.raises(BadInput, match="is not signed"):
        taken(repo, ann, path="in")


@needs_ssh
def test_a_base_outside_the_path_needs_one(repo, keys, ann):
    repo.commit("base/a.yaml", "kind: X\n", keys / "ann")
    first = repo.commit("in/kustomization.yaml", "resources: [../base/a.yaml]\n", keys / "ann")
    repo.commit("base/a.yaml", "kind: Y\n", subject="beside")
    with pytest.raises(BadInput, match=r"is not signed .*beside"):
        taken(repo, ann, since=first, path="in")


@needs_ssh
def test_a_branch_that_was_set_back_or_rewritten_is_still_checked(repo, keys, ann):
    repo.commit("a.yaml", "old")
    newer = repo.commit("a.yaml", "x", keys / "ann")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    with pytest.raises(BadInput, match="is not signed"):
        taken(repo, ann, since=newer)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("a.yaml", "evil")
    repo.git("branch", "-f", "main")
    with pytest.raises(BadInput, match="is not signed"):
        taken(repo, ann, since=newer)


@needs_ssh
def test_an_unsigned_side_of_a_merge_is_found(repo, keys, ann):
    first = repo.commit("a.yaml", "x", keys / "ann")
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("b.yaml", "evil")
    repo.git("checkout", "-q", "main")
    repo.commit("a.yaml", "y", keys / "ann")
    signing = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={keys / 'ann'}")
    repo.git(*signing, "merge", "-q", "--no-ff", "-S", "-m", "merge", "side")
    with pytest.raises(BadInput, match=side[:10]):
        taken(repo, ann, since=first)


@needs_ssh
def test_too_many_commits_are_not_half_checked(repo, keys, ann, monkeypatch):
    monkeypatch.setattr(signatures, "MOST_COMMITS", 3)
    first = repo.commit("a.yaml", "0", keys / "ann")
    for number in "1234":
        repo.commit("a.yaml", number, keys / "ann")
    with pytest.raises(BadInput, match="more than 3 commits"):
        taken(repo, ann, since=first)


@needs_ssh
def test_a_signed_tag_is_enough_where_the_source_asks_for_tags(repo, keys, ann):
    head = repo.commit("a.yaml", "x")
    with pytest.raises(BadInput, match=rf"commit {head[:10]}: it has no tag that is signed"):
        taken(repo, ann, mode="tag")
    repo.git("tag", "light")
    repo.tag("plain")
    repo.tag("theirs", keys / "eve")
    with pytest.raises(BadInput, match=r"of its tags \(plain, theirs\) none is signed"):
        taken(repo, ann, mode="tag")
    repo.tag("good", keys / "ann")
    assert taken(repo, ann, mode="tag") == {"a.yaml": b"x"}


@needs_ssh
def test_a_key_counts_only_in_its_time(repo, keys):
    repo.commit("a.yaml", "x", keys / "ann")
    public = (keys / "ann.pub").read_text()
    line = f'ann@example.com valid-before="20200101" {public}'
    with pytest.raises(BadInput, match=r"is signed by none|carries"):
        taken(repo, Signers.from_secret({"allowedSigners": line.encode()}, "here"))


@needs_gpg
def test_openpgp_keys_of_the_secret_count_and_no_other(repo, ring, monkeypatch):
    home, public = ring
    repo.commit("a.yaml", "x", "ann@example.com", GNUPGHOME=str(home))
    assert taken(repo, Signers.from_secret({"gpgKeys": public}, "here")) == {"a.yaml": b"x"}
    monkeypatch.setenv("GNUPGHOME", str(home))  # the user's own keyring does not count
    with pytest.raises(BadInput, match="is signed by none of the source's keys"):
        taken(repo, Signers.from_secret({"allowedSigners": b"x ssh-ed25519 AAAA"}, "here"))


@needs_gpg
def test_what_is_no_key_is_said(repo):
    repo.commit("a.yaml", "x")
    with pytest.raises(BadInput, match="holds no OpenPGP keys"):
        taken(repo, Signers.from_secret({"gpgKeys": b"not a key"}, "here"))


def test_a_missing_gpg_is_said(repo, monkeypatch):
    repo.commit("a.yaml", "x")
    source = opened(repo, Signers("", b"keys"))
    head = source.resolve()

    def missing(command, **more):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(signatures.subprocess, "run", missing)
    with pytest.raises(RepositoryError, match="gpg does not run"):
        source.files(head)


def test_a_secret_without_signers_is_refused():
    with pytest.raises(BadInput, match="nobody whose signature would count"):
        Signers.from_secret({"allowedSigners": b"\n"}, "PolicySource shop")
