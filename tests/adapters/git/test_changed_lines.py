"""Lines that a Git host shows as changed, of files whatever they are called."""

import pytest
from git_folder import begun, commit, write

from orchestrator.adapters.git.changed_lines import changed_lines

LINES = "".join(f"line {n}\n" for n in range(1, 31))
ODD = 'p/a "b"\né @@ -1 +1 @@.yaml'


@pytest.fixture
def folder(tmp_path):
    begun(tmp_path)
    write(
        tmp_path, {"p/x.yaml": LINES, "p/gone.yaml": "a\n", "p/old.yaml": LINES + "old\n", "q/y.yaml": "a\n"}
    )
    commit(tmp_path)
    return tmp_path


def changed(folder):
    found = changed_lines(folder / "p", "HEAD")
    return {name: [tuple(h) for h in hunks] for name, hunks in found.items()}


def test_each_hunk_is_by_its_lines_afterwards(folder):
    text = (
        LINES.replace("line 3\n", "line 3\nnew\n").replace("line 20\nline 21\n", "").replace("line 30", "x")
    )
    write(folder, {"p/x.yaml": text, "q/y.yaml": "b\n"})
    assert changed(folder) == {"p/x.yaml": [(4, 4), (20, 20), (29, 29)]}


def test_what_went_or_was_renamed_alone_has_none_and_others_keep_their_names(folder):
    (folder / "p/gone.yaml").unlink()
    (folder / "p/old.yaml").rename(folder / "p/new.yaml")
    write(folder, {ODD: "--- a\n+++ b\n@@ -1 +1 @@\ndiff --git a b\n", "p/first.yaml": "b\nc\n"})
    commit(folder)
    found = changed_lines(folder / "p", "HEAD~1")
    assert {n: [tuple(h) for h in hs] for n, hs in found.items()} == {ODD: [(1, 4)], "p/first.yaml": [(1, 2)]}


def test_a_file_that_was_emptied_has_its_beginning(folder):
    write(folder, {"p/x.yaml": ""})
    assert changed(folder) == {"p/x.yaml": [(1, 1)]}


def test_nothing_is_known_outside_of_git_or_of_no_revision(folder, tmp_path_factory):
    assert changed_lines(tmp_path_factory.mktemp("bare"), "HEAD") == {}
    assert changed_lines(folder / "p", "gone") == {}
