"""Trees are read as they are, and refused where their names would lead anywhere else."""

import pytest
from raw_repository import RawRepository

from orchestrator.adapters.git import tree as gittree
from orchestrator.adapters.git.repository import GitRepository
from orchestrator.adapters.git.tree import Trees
from orchestrator.adapters.git.tree_names import odd, within
from orchestrator.errors import BadInput, RepositoryError

HFS = "\u200d"
ODD = [
    "",
    ".",
    "..",
    "a/b",
    ".git",
    ".GIT",
    ".Git ",
    ".git.",
    ".git. .",
    "git~1",
    "GIT~1",
    ".git::$INDEX_ALLOCATION",
]
ODD += [f".g{HFS}it", f"{HFS}.git", ".gi\u200ct\ufeff", ".git\\config", "n" * 256]
PLAIN = [".gitignore", ".github", "git", "a.git", "..a", "...", "git~2", ".gitx", "a b", "ö.yaml", "n" * 255]


@pytest.fixture
def raw(tmp_path):
    return RawRepository(tmp_path / "origin.git")


def trees(raw, tree):
    source = GitRepository(str(raw.root), raw.root.parent / "cache")
    return Trees(lambda *args, data=b"": source.git(*args, data=data, clone=raw.root), tree, "the repository")


@pytest.mark.parametrize("name", ODD)
def test_names_that_lead_elsewhere_are_refused_wherever_they_stand(raw, name, tmp_path):
    assert odd(name)
    evil = raw.tree(("100644", name, raw.blob("x")))
    for tree in (evil, raw.tree(("40000", "pay", evil))):
        with pytest.raises(BadInput, match="hostile or damaged"):
            trees(raw, tree).below("")
    with pytest.raises(BadInput):
        within(tmp_path, f"a/{name}/b" if name != "a/b" else "a//b")


@pytest.mark.parametrize("name", PLAIN)
def test_plain_names_are_taken(name, tmp_path):
    assert not odd(name)
    assert within(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ["..", ".git", ".GiT", "", "a/b"])
def test_a_fetch_refuses_them_anywhere_in_the_history(raw, name):
    first = raw.commit(raw.tree(("40000", "deep", raw.tree(("100644", name, raw.blob("x"))))))
    raw.commit(raw.folder({"a.yaml": "x"}), first)
    with pytest.raises(RepositoryError, match="git says: error: "):
        GitRepository(str(raw.root), raw.root.parent / "cache").resolve()


def test_a_link_in_the_folder_leads_nowhere_else(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root/out").symlink_to(tmp_path)
    with pytest.raises(BadInput, match="leads out of the folder"):
        within(tmp_path / "root", "out/file")


def test_findings_of_old_histories_are_no_obstacle(raw):
    tree = raw.tree(("0100644", "a.yaml", raw.blob("x")))
    first = raw.commit(tree, people=("Ann <ann@example.com> 1 +051800", "Ann <ann@example.com> 1 +0000"))
    head = raw.commit(tree, first, people=("Ann <ann@example.com> 01 +0000", "Ann ann@example.com> 1 +0000"))
    source = GitRepository(str(raw.root), raw.root.parent / "cache")
    assert source.resolve() == head
    assert source.files(head) == {"a.yaml": b"x"}
    assert [c.id for c in source.commits("", head)] == [first]


def test_what_is_wrong_on_another_branch_stops_only_that_branch(raw):
    head = raw.files({"a.yaml": "x"})
    raw.commit(raw.tree(("100644", "..", raw.blob("x"))), branch="evil")
    source = GitRepository(str(raw.root), raw.root.parent / "cache")
    assert source.resolve() == head
    with pytest.raises((BadInput, RepositoryError)):
        source.files(source.resolve("evil"))


def test_a_tree_of_two_kilobytes_with_a_thousand_million_files_is_refused(raw):
    tree = raw.tree(*(("100644", f"{n}.yaml", raw.blob("x")) for n in range(10)))
    for _ in range(9):
        tree = raw.tree(*(("40000", str(n), tree) for n in range(10)))
    head = raw.commit(tree)
    source = GitRepository(str(raw.root), raw.root.parent / "cache")
    assert source.resolve() == head
    for call in (source.files, source.paths):
        with pytest.raises(BadInput, match="more than 200000 files and folders"):
            call(head)


def test_deep_folders_and_long_paths_are_refused(raw, monkeypatch):
    tree = raw.folder({"/".join(["d"] * 70) + "/a.yaml": "x"})
    with pytest.raises(BadInput, match="nested deeper than 64"):
        trees(raw, tree).below("")
    tree = raw.folder({"/".join(["d" * 200] * 6) + "/a.yaml": "x"})
    with pytest.raises(BadInput, match="longer than 1024 characters"):
        trees(raw, tree).below("")


def test_damaged_trees_and_two_entries_of_one_name_are_refused(raw):
    twice = raw.tree(("100644", "a.yaml", raw.blob("x")), ("100644", "a.yaml", raw.blob("y")))
    with pytest.raises(BadInput, match="two entries are called"):
        trees(raw, twice).below("")
    for content in (b"100644 a", b"100644 a\0short", b"no", b"\0" * 30):
        with pytest.raises(BadInput, match="damaged"):
            trees(raw, raw.object("tree", content)).below("")


def test_an_object_that_is_missing_or_of_another_kind_is_said(raw):
    for one in (raw.blob("x"), "1" * 40):
        with pytest.raises(RepositoryError, match="not a tree"):
            trees(raw, raw.tree(("40000", "pay", one))).below("")


def test_one_file_is_found_by_its_path(raw):
    found = trees(raw, raw.folder({"a/b/c.txt": "x", "a/d.yaml": "y"}))
    assert found.file("a/b/c.txt").blob == raw.blob("x")
    assert [found.file(p) for p in ("a/b", "a/b/c.txt/d", "no", "a/no", "a/../a/d.yaml")] == [None] * 5


def test_many_trees_are_asked_for_in_parts(raw, monkeypatch):
    monkeypatch.setattr(gittree, "MOST_OBJECTS_AT_ONCE", 2)
    files = {f"{n}/a.yaml": str(n) for n in range(7)}
    assert len(trees(raw, raw.folder(files)).below("").manifests) == 7
