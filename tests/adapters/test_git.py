"""Policies come out of real Git repositories, and nothing but the commit decides what they are."""

import os
import subprocess

import pytest

from orchestrator.adapters import git as module
from orchestrator.adapters.git import GitRepository
from orchestrator.adapters.gitprogram import Credentials
from orchestrator.errors import BadInput, RepositoryError


@pytest.fixture
def repo(tmp_path):
    """A repository with a helper that commits files and gives the commit's id."""
    root = tmp_path / "repo"
    root.mkdir()

    def run(*args):
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        command = ["git", "-C", str(root), *identity, *args]
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()

    def commit(files, message="change"):
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run("add", "-A")
        run("commit", "-q", "-m", message)
        return run("rev-parse", "HEAD")

    run("init", "-q", "-b", "main")
    commit.root, commit.run = root, run
    return commit


@pytest.fixture
def opened(repo, tmp_path):
    return lambda **more: GitRepository(str(repo.root), tmp_path / "cache", **more)


def test_a_branch_a_tag_and_a_commit_resolve(repo, opened):
    first = repo({"a.yaml": "x"})
    repo.run("tag", "v1")
    second = repo({"a.yaml": "y"})
    assert opened().resolve() == second
    assert opened().resolve("v1") == opened().resolve(first[:10]) == first
    assert opened().files(first) == {"a.yaml": b"x"}


def test_what_is_missing_is_said(repo, opened):
    head = repo({"a.yaml": "x"})
    with pytest.raises(BadInput, match="revision nowhere is not in"):
        opened().resolve("nowhere")
    with pytest.raises(BadInput, match="branch other is not in"):
        opened(branch="other").resolve()
    path = opened(path="deep")
    path.resolve()
    with pytest.raises(BadInput, match="no directory deep"):
        path.files(head)


def test_only_the_path_counts_and_the_work_tree_stays(repo, opened):
    repo({"in/a.yaml": "x", "out.yaml": "y"})
    (repo.root / "out.yaml").write_text("edited, not committed")
    source = opened(path="in")
    assert source.files(source.resolve()) == {"a.yaml": b"x"}
    assert (repo.root / "out.yaml").read_text() == "edited, not committed"


def test_a_symlink_is_refused(repo, opened):
    os.symlink("/etc/passwd", repo.root / "link.yaml")
    head = repo({"a.yaml": "x"})
    source = opened()
    source.resolve()
    with pytest.raises(BadInput, match=r"link.yaml: symbolic links"):
        source.files(head)


def test_sizes_are_bounded(repo, opened, monkeypatch):
    head = repo({"a.yaml": "x" * 100, "b.yaml": "y"})
    source = opened()
    source.resolve()
    for name, value, said in (
        ("MOST_FILE_BYTES", 50, "a.yaml: the file is larger than"),
        ("MOST_FILES", 1, "there are 2 files"),
        ("MOST_BYTES", 60, "together|gives more"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            with pytest.raises(BadInput, match=said):
                source.files(head)


def test_commits_name_everyone(repo, opened):
    first = repo({"a.yaml": "x"})
    second = repo({"a.yaml": "y"}, "tighten\n\nCo-authored-by: Bob <bob@example.com>")
    source = opened()
    source.resolve()
    (found,) = source.commits(first, second)
    assert (found.id, found.subject) == (second, "tighten")
    assert found.people == ("Ann <ann@example.com>", "Bob <bob@example.com>")
    assert [c.id for c in source.commits("", second)] == [second]


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c id", "--upload-pack=id", "ftp://host/x", "http://h/x", "https://me:hunter2@host/x", ""],
)
def test_urls_that_are_not_acceptable(url, tmp_path):
    with pytest.raises(BadInput) as caught:
        GitRepository(url, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_an_ssh_url_needs_host_keys(tmp_path):
    with pytest.raises(BadInput, match="host keys"):
        GitRepository("git@host:x.git", tmp_path)


def test_an_unreachable_repository_hides_the_credentials(tmp_path):
    credentials = Credentials(token="hunter2")
    source = GitRepository("http://127.0.0.1:9/x.git", tmp_path / "c", credentials=credentials, timeout=10)
    with pytest.raises(RepositoryError) as caught:
        source.resolve()
    assert "127.0.0.1:9" in str(caught.value) and "hunter2" not in str(caught.value) + repr(credentials)


def test_https_credentials_travel_in_a_header(httpserver, tmp_path):
    httpserver.expect_request("/x.git/info/refs").respond_with_data("no", status=401)
    url = httpserver.url_for("/x.git")
    with pytest.raises(RepositoryError):
        GitRepository(url, tmp_path / "c", credentials=Credentials("me", token="hunter2")).resolve()
    request, _ = httpserver.log[0]
    assert request.authorization.password == "hunter2"


REFUSED = {
    "https://github.com/a/b": "remote base",
    "github.com/a/b?ref=main": "remote base",
    "git@github.com:a/b": "remote base",
    "../../out": "leads out of",
    "nothing.yaml": "not in the commit",
}


@pytest.mark.parametrize(("entry", "said"), REFUSED.items())
def test_a_kustomization_is_the_commit_alone(repo, opened, entry, said):
    head = repo({"kustomization.yaml": f"resources:\n- {entry}\n"})
    source = opened()
    source.resolve()
    with pytest.raises(BadInput, match=f"kustomization.yaml:2: .*{said}"):
        source.files(head)


def test_helm_and_plugins_are_refused(repo, opened):
    for name in ("helmCharts", "generators", "transformers"):
        head = repo({"kustomization.yaml": f"{name}: []\n"})
        source = opened()
        source.resolve(head)
        with pytest.raises(BadInput, match="are refused"):
            source.files(head)


def test_a_kustomization_may_reach_beside_its_path_and_is_built(repo, opened, tmp_path):
    program = tmp_path / "build"
    program.write_text('#!/bin/sh\ncat "$1/kustomization.yaml" "$1/../base/p.yaml"\n')
    program.chmod(0o755)
    base = {"base/kustomization.yaml": "resources: [p.yaml]\n", "base/p.yaml": "kind: X\n"}
    head = repo({**base, "shop/cart/kustomization.yaml": "resources: [../../base]\n"})
    source = opened(path="shop", kustomize=(str(program),))
    source.resolve()
    with pytest.raises(BadInput, match="kustomize says"):
        source.files(head)
    head = repo({**base, "over/kustomization.yaml": "resources: [../base]\n"})
    source = opened(path="over", kustomize=(str(program),))
    source.resolve()
    assert source.files(head) == {"kustomization.yaml": b"resources: [../base]\nkind: X\n"}
