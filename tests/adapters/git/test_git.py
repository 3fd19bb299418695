"""Policies come out of real Git repositories, whoever owns them and whatever else happens to the clone."""

import os
import socket
import stat
import threading

import pytest
import structlog
from git_folder import begun, commit, write

from orchestrator.adapters.git import repository as module
from orchestrator.adapters.git.program import Credentials
from orchestrator.adapters.git.repository import GitRepository
from orchestrator.errors import BadInput, RepositoryError


@pytest.fixture
def repo(tmp_path):
    """A repository with a helper that commits files and gives the commit's id."""
    root = tmp_path / "repo"

    def committed(files, message="change"):
        write(root, files)
        return commit(root, message)

    committed.root, committed.run = root, begun(root)
    return committed


@pytest.fixture
def opened(repo, tmp_path):
    return lambda **more: GitRepository(str(repo.root), cache=tmp_path / "cache", **more)


def test_a_branch_a_tag_and_a_commit_resolve(repo, opened):
    first = repo({"a.yaml": "x"})
    repo.run("tag", "-a", "-m", "one", "v1")
    second = repo({"a.yaml": "y"})
    assert opened().resolve() == opened().resolve("main") == second
    assert opened().resolve("v1") == opened().resolve(first[:10]) == opened().resolve(first) == first
    assert opened().files(first) == {"a.yaml": b"x"}


def test_a_branch_moves_and_goes(repo, opened):
    repo({"a.yaml": "x"})
    repo.run("branch", "side/one")
    assert opened().resolve("side/one") == opened().resolve()
    repo.run("branch", "-D", "side/one")
    repo.run("branch", "side")
    repo.run("commit", "-q", "--amend", "-m", "another")
    assert opened().resolve() == repo.run("rev-parse", "HEAD")
    with pytest.raises(BadInput, match="side/one is not in the repository"):
        opened().resolve("side/one")


def test_a_commit_that_is_there_needs_no_fetch(repo, opened, tmp_path):
    head = repo({"a.yaml": "x"})
    source = opened()
    source.resolve()
    repo.root.rename(tmp_path / "gone")
    assert source.resolve(head) == head and source.files(head) == {"a.yaml": b"x"}
    with pytest.raises(RepositoryError, match="git says"):
        source.resolve()


def test_an_empty_cache_is_filled_again_for_an_old_commit(repo, opened):
    first, second = repo({"a.yaml": "x"}), repo({"a.yaml": "y"})
    assert opened().files(first) == {"a.yaml": b"x"}
    assert [c.id for c in opened().commits(first, second)] == [second]


@pytest.mark.parametrize("ref", ["nowhere", "0" * 40, "HEAD", "abcdef1"])
def test_a_missing_revision_is_said(repo, opened, ref):
    repo({"a.yaml": "x"})
    with pytest.raises(BadInput, match=f"revision {ref} is not in the repository .*; push it"):
        opened().resolve(ref)


@pytest.mark.parametrize("ref", ["--help", "main~1", "main\nHEAD", ":/x", "a..b", "@{1}", "main^{tree}"])
def test_a_revision_is_a_name_and_nothing_else(repo, opened, ref):
    with pytest.raises(BadInput, match="is not a branch, a tag or a commit"):
        opened().resolve(ref)


def test_a_missing_branch_path_and_repository_are_said(repo, opened, tmp_path):
    head = repo({"a.yaml": "x"})
    with pytest.raises(BadInput, match="branch other is not in"):
        opened(branch="other").resolve()
    with pytest.raises(BadInput, match="no directory deep"):
        opened(path="deep").files(head)
    for url in (str(tmp_path / "no"), f"file://{tmp_path}/no"):
        with pytest.raises(BadInput, match="there is no repository at"):
            GitRepository(url, cache=tmp_path / "cache").resolve()
    for bad in ({"path": "/etc"}, {"path": "../x"}, {"branch": "--x"}, {"branch": ""}):
        with pytest.raises(BadInput, match=r"^git: "):
            opened(**bad)


@pytest.mark.parametrize("path", ["in", "in/", "./in", "in//"])
def test_only_the_path_counts_and_the_work_tree_stays(repo, opened, path):
    repo({"in/a.yaml": "x", "in/b/c.yaml": "z", "inside.yaml": "y", "out.yaml": "y"})
    (repo.root / "out.yaml").write_text("edited, not committed")
    before = {p: p.stat().st_mtime_ns for p in repo.root.rglob("*")}
    source = opened(path=path)
    assert source.files(source.resolve()) == {"a.yaml": b"x", "b/c.yaml": b"z"}
    assert source.commits("", "main")
    assert {p: p.stat().st_mtime_ns for p in repo.root.rglob("*")} == before


def test_the_clone_is_private(repo, opened, tmp_path):
    repo({"a.yaml": "x"})
    opened().resolve()
    (clone,) = (tmp_path / "cache").glob("*.git")
    assert [stat.S_IMODE(p.stat().st_mode) for p in (clone, clone.parent)] == [0o700, 0o700]
    assert not list(clone.glob("hooks/*"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a repository to another user")
def test_a_repository_of_another_owner_is_read(repo, opened):
    head = repo({"a.yaml": "x"})
    for path in (repo.root, *repo.root.rglob("*")):
        os.chown(path, 12345, 12345)
    assert opened().resolve() == head


def test_a_manifest_that_is_a_symbolic_link_is_refused(repo, opened):
    os.symlink("/etc", repo.root / "link.yaml")
    head = repo({"a.yaml": "x"})
    with pytest.raises(BadInput, match=r"link.yaml: symbolic links are not followed"):
        opened().files(head)


def test_what_is_no_manifest_is_passed_over_and_said_once(repo, opened):
    os.symlink("/etc", repo.root / "folder")
    os.symlink("../README.md", repo.root / "README.md")
    (repo.root / "network.png").write_bytes(os.urandom(2 << 20))
    head = repo({"a.yaml": "x", "pay/deep/b.json": "y", ".github/workflows/ci.yaml": "on: push"})
    repo.run("update-index", "--add", "--cacheinfo", f"160000,{head},tools")
    repo.run("commit", "-q", "-m", "tools")
    with structlog.testing.capture_logs() as said:
        for _ in range(2):
            assert opened().files("main") == {"a.yaml": b"x", "pay/deep/b.json": b"y"}
    (line,) = said
    assert line["what"] == (
        "1 file that is no manifest (network.png); 1 hidden file or folder (.github); "
        "2 symbolic links (README.md, folder); 1 submodule (tools)"
    )


def test_large_files_elsewhere_and_many_files_of_other_kinds_do_not_count(repo, opened, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 2)
    monkeypatch.setattr(module, "MOST_FILE_BYTES", 10)
    head = repo({"in/a.yaml": "x", "out/b.yaml": "y" * 99, **{f"in/{n}.txt": "z" * 99 for n in range(9)}})
    assert opened(path="in").files(head) == {"a.yaml": b"x"}


def test_an_empty_commit_holds_no_files(repo, opened):
    repo.run("commit", "-q", "--allow-empty", "-m", "empty")
    assert opened().files("main") == {}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MOST_FILE_BYTES", 50, "a.yaml: the file is larger than"),
        ("MOST_FILES", 1, "there are 2 files, at most 1"),
        ("MOST_BYTES", 60, "there are 101 bytes, at most"),
    ],
)
def test_sizes_are_bounded(repo, opened, monkeypatch, name, value, said):
    head = repo({"a.yaml": "x" * 100, "b.yaml": "y"})
    source = opened()
    source.resolve()
    monkeypatch.setattr(module, name, value)
    with pytest.raises(BadInput, match=said):
        source.files(head)


def test_commits_name_everyone(repo, opened):
    first = repo({"a.yaml": "x"})
    trailers = "Co-authored-by: Bob <bob@example.com>\nco-authored-by: Eve\n  <eve@example.com>"
    odd = f"tighten \x1e and \x1f\n\n{trailers}\nCo-authored-by: nobody"
    second = repo({"a.yaml": "y"}, odd)
    repo.run("commit", "-q", "--allow-empty", "-m", "nothing changes", "--author", "Cy <cy@example.com>")
    third = repo({"a.yaml": "z"})
    found = opened().commits(first, "main")
    assert [c.id for c in found] == [third, second]
    assert found[1].subject == "tighten \x1e and \x1f"
    assert found[1].people == (
        "Ann <ann@example.com>",
        "Bob <bob@example.com>",
        "Eve <eve@example.com>",
    )


def test_a_commit_knows_when_it_was_made(repo, opened):
    repo({"a.yaml": "x"})
    repo.run("commit", "-q", "--allow-empty", "-m", "bump", "--date=2020-01-01T00:00:00Z")
    head = repo({"a.yaml": "y"})
    made = opened().commits("", head)[0].time
    assert made.isoformat() == repo.run("log", "-1", "--date=iso-strict-local", "--format=%cI").replace(
        "Z", "+00:00"
    )


def test_commits_of_the_path_only_and_one_where_nothing_came_before(repo, opened, monkeypatch):
    first = repo({"in/a.yaml": "x", "[i]n/a.yaml": "x"})
    second = repo({"in/a.yaml": "y"})
    repo({"out.yaml": "y"})
    third = repo({"in/a.yaml": "z"})
    repo({"out.yaml": "z"})
    assert [c.id for c in opened(path="in").commits(first, "main")] == [third, second]
    assert [c.id for c in opened(path="in").commits("", "main")] == [third]
    assert [c.id for c in opened(path="in").commits("1" * 40, "main")] == [third]
    assert [c.id for c in opened(path="[i]n").commits("", "main")] == [first]
    monkeypatch.setattr(module, "MOST_COMMITS", 1)
    assert [c.id for c in opened(path="in").commits(first, "main")] == [third]


def test_commits_to_a_base_beside_the_path_count(repo, opened):
    base = {"base/kustomization.yaml": "resources: [p.yaml]\n", "base/p.yaml": "x"}
    first = repo({**base, "in/kustomization.yaml": "resources: [../base]\n"})
    second = repo({"base/p.yaml": "y"})
    repo({"base/other.yaml": "y"})
    assert [c.id for c in opened(path="in").commits(first, "main")] == [second]


def test_two_at_once_share_a_clone(repo, opened):
    head = repo({"a.yaml": "x"})
    found = []
    threads = [threading.Thread(target=lambda: found.append(opened().resolve())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [head] * 6


def test_a_clone_that_is_kept_is_given_up(repo, opened):
    repo({"a.yaml": "x"})
    opened().resolve()
    with opened()._locked(), pytest.raises(RepositoryError, match="another process keeps the clone"):
        opened(timeout=0.3).resolve()


def test_what_a_killed_fetch_leaves_is_removed(repo, opened, tmp_path):
    repo({"a.yaml": "x"})
    opened().resolve()
    (clone,) = (tmp_path / "cache").glob("*.git")
    left = [clone / "refs/heads/main.lock", clone / "packed-refs.lock", clone / "objects/pack/tmp_pack_x"]
    for path in left:
        path.touch()
    head = repo({"a.yaml": "y"})
    assert opened().resolve() == head
    assert not any(path.exists() for path in left)


def test_the_users_configuration_is_not_used(repo, opened, monkeypatch, tmp_path):
    head = repo({"a.yaml": "x"})
    (tmp_path / ".gitconfig").write_text(f'[url "{tmp_path}/elsewhere"]\n\tinsteadOf = {repo.root}\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert opened().resolve() == head


def test_without_git_it_says_so(repo, opened, monkeypatch):
    repo({"a.yaml": "x"})
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RepositoryError, match="git does not run"):
        opened().resolve()


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c id", "--upload-pack=id", "ftp://host/x", "http://h/x", "https://me:hunter2@host/x", ""],
)
def test_urls_that_are_not_acceptable(url, tmp_path):
    with pytest.raises(BadInput) as caught:
        GitRepository(url, cache=tmp_path)
    assert "hunter2" not in str(caught.value)


def test_an_ssh_url_needs_host_keys(tmp_path):
    for url in ("git@host:x.git", "ssh://git@host/x.git"):
        with pytest.raises(BadInput, match="host keys"):
            GitRepository(url, cache=tmp_path)


def test_an_unreachable_repository_hides_the_credentials(tmp_path):
    credentials = Credentials(token="hunter2")
    source = GitRepository("http://127.0.0.1:9/x.git", tmp_path / "c", credentials=credentials, timeout=10)
    with pytest.raises(RepositoryError) as caught:
        source.resolve()
    assert "127.0.0.1:9" in str(caught.value) and "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(credentials) + repr(source)


def test_a_silent_server_is_given_up(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(RepositoryError, match=r"took longer than 0.5 s"):
            GitRepository(url, tmp_path / "c", timeout=0.5).resolve()


def test_https_credentials_travel_in_a_header(httpserver, tmp_path):
    httpserver.expect_request("/x.git/info/refs").respond_with_data("no hunter2", status=401)
    url = httpserver.url_for("/x.git")
    with pytest.raises(RepositoryError) as caught:
        GitRepository(url, tmp_path / "c", credentials=Credentials("me", token="hunter2")).resolve()
    request, _ = httpserver.log[0]
    assert request.authorization.password == "hunter2"
    assert "hunter2" not in str(caught.value)


def test_without_credentials_none_are_sent_and_with_them_no_redirect_is_followed(httpserver, tmp_path):
    location = {"Location": httpserver.url_for("/other.git/info/refs?service=git-upload-pack")}
    httpserver.expect_request("/x.git/info/refs").respond_with_data("", status=302, headers=location)
    httpserver.expect_request("/other.git/info/refs").respond_with_data("no", status=404)
    for credentials, asked in ((Credentials(), 2), (Credentials(token="hunter2"), 1)):
        httpserver.clear_log()
        with pytest.raises(RepositoryError):
            GitRepository(httpserver.url_for("/x.git"), tmp_path / "c", credentials=credentials).resolve()
        assert len(httpserver.log) == asked
        assert all(bool(r.authorization) == bool(credentials.token) for r, _ in httpserver.log)


def test_a_repository_over_http(repo, httpserver, tmp_path):
    head = repo({"a.yaml": "x"})
    repo.run("update-server-info")
    for path in (repo.root / ".git").rglob("*"):
        if path.is_file():
            name = path.relative_to(repo.root / ".git").as_posix()
            httpserver.expect_request(f"/x.git/{name}").respond_with_data(path.read_bytes())
    source = GitRepository(httpserver.url_for("/x.git"), tmp_path / "c")
    assert source.files(source.resolve()) == {"a.yaml": b"x"}
    assert source.resolve() == head
