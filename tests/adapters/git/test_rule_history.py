"""A commit is named for a rule of a policy that it touched, whatever else it did to the file."""

import pytest
from git_folder import begun, commit, write

from orchestrator.adapters.git import file_versions, rule_history
from orchestrator.adapters.git.rule_history import History
from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import parse_sound

ONE, OTHER = "NetworkPolicy farm/barn", "NetworkPolicy farm/mill"
FILE = "net/farm/all.yaml"


def policy(name, *rules, selector="{}"):
    text = f"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}}}\nspec:\n"
    text += f"  podSelector: {selector}\n  ingress:"
    return text + ("".join(f"\n  - ports: [{{port: {r}}}]" for r in rules) or " []") + "\n"


@pytest.fixture
def repo(tmp_path):
    """`repo(subject, text)` commits the file; `repo.git` asks git."""

    def committed(subject, *policies, file=FILE):
        write(tmp_path, {file: "".join(policies)})
        commit(tmp_path, subject)

    committed.git, committed.net = begun(tmp_path), tmp_path / "net"
    return committed


def named(told):
    return told.partition(": ")[2]


def test_who_touched_the_file_alone_is_not_named(repo):
    repo("begin", policy("barn", 1), policy("mill", 1))
    repo("mill", policy("barn", 1), policy("mill", 1, 2))
    repo("a comment", "# of the farm\n", policy("barn", 1), policy("mill", 1, 2), "# end\n")
    found = History(repo.net, "main~2", "main")
    assert (
        found.made(FILE, ONE, "") == found.changed(FILE, ONE, "") == found.made(FILE, ONE, "ingress[0]") == ""
    )
    assert named(found.made(FILE, OTHER, "")) == named(found.made(FILE, OTHER, "ingress[1]")) == "mill"
    assert found.made(FILE, OTHER, "ingress[0]") == ""  # which stood there before
    assert found.made(FILE, OTHER, "").split()[:2] == [repo.git("rev-parse", "main~1")[:10], "Ann:"]


def test_what_stood_before_was_changed_by_who_took_it_away(repo):
    repo("begin", policy("barn", 1, 2))
    repo("take 2 away", policy("barn", 1))
    repo("add 3", policy("barn", 1, 3))
    found = History(repo.net, "main~2", "main")
    assert named(found.changed(FILE, ONE, "ingress[1]")) == "take 2 away"
    assert named(found.made(FILE, ONE, "ingress[1]")) == "add 3"
    assert found.changed(FILE, ONE, "ingress[0]") == ""


def test_whom_it_selects_is_a_change_of_every_rule(repo):
    repo("begin", policy("barn", 1))
    repo("select", policy("barn", 1, selector="{matchLabels: {a: b}}"))
    assert named(History(repo.net, "main~1", "main").made(FILE, ONE, "ingress[0]")) == "select"


def test_what_another_branch_wrote_before_is_given_to_nobody(repo):
    repo("begin", policy("barn", 1), policy("mill", 1))
    repo.git("checkout", "-qb", "mine")
    repo("mine", policy("barn", 1), policy("mill", 1, 7))
    repo.git("checkout", "-q", "main")
    repo("theirs", policy("barn", 1, 2), policy("mill", 1, 2))
    found = History(repo.net, "main", "mine")
    assert found.changed(FILE, ONE, "ingress[1]") == found.made(FILE, ONE, "") == ""
    assert found.changed(FILE, OTHER, "ingress[1]") == ""
    assert named(found.made(FILE, OTHER, "ingress[1]")) == "mine"


def test_a_policy_that_comes_or_goes_with_its_file(repo):
    repo("begin", policy("barn", 1))
    repo("come", policy("mill", 1), file="net/farm/mill.yaml")
    (repo.net / "farm/all.yaml").unlink()
    repo("go", policy("mill", 1), "# \n", file="net/farm/mill.yaml")
    found = History(repo.net, "main~2", "main")
    assert named(found.made("net/farm/mill.yaml", OTHER, "ingress[0]")) == "come"
    assert named(found.changed(FILE, ONE, "ingress[0]")) == "go"


def test_what_is_not_in_the_file_is_nobodys_and_a_version_that_cannot_be_read_holds_nothing(repo):
    repo("begin", policy("barn", 1))
    repo("broken", "kind: [x\n")
    repo("whole", policy("barn", 1))
    found = History(repo.net, "main~2", "main")
    assert found.made(FILE, "NetworkPolicy farm/other", "") == ""
    assert named(found.made(FILE, ONE, "ingress[0]")) == "whole"
    assert found.made("net/none.yaml", ONE, "") == ""
    with pytest.raises(BadInput):
        History(repo.net, "nosuch", "main")


def test_no_more_files_are_read_than_is_bounded(repo, monkeypatch):
    monkeypatch.setattr(rule_history, "MOST_FILES", 1)
    repo("begin", policy("barn", 1))
    repo("two", policy("barn", 2))
    repo("three", policy("mill", 1), file="net/farm/mill.yaml")
    found = History(repo.net, "main~2", "main")
    assert named(found.made(FILE, ONE, "")) == "two"
    assert found.made("net/farm/mill.yaml", OTHER, "") == ""
    assert named(found.made(FILE, ONE, "ingress[0]")) == "two"


def test_after_a_merge_the_rule_that_stands_there_is_looked_for(repo):
    repo("begin", policy("barn", 1))
    repo.git("checkout", "-qb", "other")
    repo("add 9", policy("barn", 1, 9))
    repo.git("checkout", "-q", "main")
    repo("add 7", policy("barn", 7, 1))
    repo.git("merge", "-q", "--no-commit", "-X", "ours", "other")
    (repo.net / "farm/all.yaml").write_text(policy("barn", 7, 1, 9))
    repo.git("commit", "-qam", "merge")
    found = History(repo.net, repo.git("rev-list", "--max-parents=0", "main").strip(), "main")
    assert named(found.made(FILE, ONE, "ingress[0]")) == "add 7"
    assert named(found.made(FILE, ONE, "ingress[2]")) == "add 9"


def test_what_is_not_committed_is_no_commit_s(repo):
    repo("begin", policy("barn", 1))
    repo("add 2", policy("barn", 1, 2))
    (repo.net / "farm/all.yaml").write_text(policy("barn", 3, 1, 2))
    assert History(repo.net, "main~1", "HEAD", working=True).made(FILE, ONE, "ingress[1]") == ""
    repo.git("checkout", "-q", ".")
    found = History(repo.net, "main~1", "HEAD", working=True)
    assert named(found.made(FILE, ONE, "ingress[1]")) == "add 2"


def test_in_a_shallow_clone_the_oldest_commit_is_not_blamed_for_what_it_found(repo, tmp_path):
    repo("begin", policy("barn", 1))
    repo.git("checkout", "-qb", "work")
    repo("add 2", policy("barn", 1, 2))
    repo("a comment", "# of the farm\n", policy("barn", 1, 2))
    repo.git("checkout", "-q", "main")
    repo("elsewhere", policy("x", 1), file="net/y.yaml")
    repo.git("merge", "-q", "-m", "merge", "work")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--depth", "2", f"file://{tmp_path}", str(clone))
    found = History(clone / "net", "HEAD^1", "HEAD")
    assert found.made(FILE, ONE, "ingress[1]") == found.changed(FILE, ONE, "") == ""


def test_a_file_with_a_blank_in_its_name_that_came_between_was_made_by_who_brought_it(repo):
    file = "net/a farm/ö.yaml"
    repo("begin", policy("x", 1), file="net/y.yaml")
    repo("bring it", policy("barn", 1), file=file)
    found = History(repo.net, "main~1", "main")
    assert named(found.made(file, ONE, "ingress[0]")) == "bring it"


@pytest.mark.parametrize("to", ["net/farm/new.yaml", "net/farm/deep/all.yaml"])
def test_who_renamed_a_file_is_not_named_for_its_rules_and_who_changed_them_is(repo, to):
    repo("begin", policy("barn", 1), policy("mill", 1))
    repo("add 2", policy("barn", 1, 2), policy("mill", 1))
    (repo.net / "farm/all.yaml").unlink()
    repo("rename, add 3", policy("barn", 1, 2), policy("mill", 1, 3), file=to)
    repo("take 1 away", policy("barn", 2), policy("mill", 1, 3), file=to)
    found = History(repo.net, "main~3", "main")
    assert named(found.made(to, ONE, "ingress[0]")) == "add 2"
    assert named(found.made(to, OTHER, "ingress[1]")) == "rename, add 3"
    assert found.made(to, OTHER, "ingress[0]") == found.changed(FILE, OTHER, "ingress[0]") == ""
    assert named(found.changed(FILE, ONE, "ingress[0]")) == "take 1 away"
    assert named(found.changed(FILE, ONE, "")) == "take 1 away"


def test_a_policy_is_followed_into_a_file_of_its_own_and_through_several(repo):
    repo("begin", policy("barn", 1), policy("mill", 1))
    repo("add 2", policy("barn", 1, 2), policy("mill", 1))
    for number, file in enumerate(("net/farm/barn.yaml", "net/farm/own/barn.yaml", "net/farm/z.yaml")):
        (repo.net.parent / (FILE, "net/farm/barn.yaml", "net/farm/own/barn.yaml")[number]).unlink()
        (repo.net / "farm/mill.yaml").write_text(policy("mill", 1))
        repo("move", policy("barn", 1, 2), file=file)
    found = History(repo.net, "main~4", "main")
    assert named(found.made("net/farm/z.yaml", ONE, "ingress[1]")) == "add 2"
    assert found.changed(FILE, ONE, "ingress[0]") == found.made("net/farm/mill.yaml", OTHER, "") == ""


def test_what_goes_from_one_namespace_s_folder_to_another_s_is_another_policy(repo):
    repo("begin", policy("barn", 1))
    (repo.net / "farm").rename(repo.net / "town")
    repo("move to town", policy("x", 1), file="net/y.yaml")
    found = History(repo.net, "main~1", "main")
    assert named(found.made("net/town/all.yaml", "NetworkPolicy town/barn", "ingress[0]")) == "move to town"
    assert named(found.changed(FILE, ONE, "ingress[0]")) == "move to town"


def test_who_wrote_a_policy_s_namespace_before_it_left_its_folder_is_not_named(repo):
    written = policy("barn", 1, 2).replace("name: barn", "name: barn, namespace: farm")
    repo("begin", policy("barn", 1))
    repo("add 2", policy("barn", 1, 2))
    repo("write the namespace", written)
    (repo.net / "farm/all.yaml").unlink()
    repo("move", written, file="net/other/all.yaml")
    found = History(repo.net, "main~3", "main")
    assert named(found.made("net/other/all.yaml", ONE, "ingress[1]")) == "add 2"
    assert found.made("net/other/all.yaml", ONE, "ingress[0]") == found.changed(FILE, ONE, "ingress[0]") == ""


def test_no_policy_is_followed_among_more_files_than_is_bounded(repo, monkeypatch):
    monkeypatch.setattr(rule_history, "MOST_MOVED", 1)
    repo("begin", policy("barn", 1))
    (repo.net / "farm/all.yaml").unlink()
    repo("rename", policy("barn", 1), file="net/farm/new.yaml")
    found = History(repo.net, "main~1", "main")
    assert named(found.made("net/farm/new.yaml", ONE, "")) == "rename"


def test_a_document_that_many_versions_share_is_read_once_and_nobody_is_named_beyond_the_bound(
    repo, monkeypatch
):
    read = []
    monkeypatch.setattr(
        file_versions, "parse_sound", lambda text, file: read.append(text) or parse_sound(text, file)
    )
    repo("begin", policy("barn", 1), *(policy(f"p{n}", 1) for n in range(9)))
    for rule in range(5):
        repo(f"add {rule}", policy("barn", 1, rule + 2), *(policy(f"p{n}", 1) for n in range(9)))
    found = History(repo.net, "main~5", "main")
    assert named(found.made(FILE, ONE, "ingress[1]")) == "add 4"
    assert {found.made(FILE, f"NetworkPolicy farm/p{n}", "") for n in range(9)} == {""}
    assert len(read) == 9 + 6 + 1  # and what is before the first ---
    monkeypatch.setattr(file_versions, "MOST_READ", 10)
    assert History(repo.net, "main~5", "main").made(FILE, ONE, "ingress[1]") == ""


@pytest.mark.parametrize(
    "odd",
    ["spec: text", "spec: {ingress: 5}", "spec: [1]", "spec: {podSelector: &a {}, egress: [*a]}", "\0"],
)
def test_a_version_of_an_odd_shape_is_none_and_ends_nothing(repo, odd):
    repo("begin", policy("barn", 1))
    head = policy("barn").partition("spec:")[0]
    repo("odd", head + odd + "\n")
    repo("whole", policy("barn", 1))
    assert named(History(repo.net, "main~2", "main").made(FILE, ONE, "ingress[0]")) == "whole"


def test_what_anchors_write_out_counts_and_a_mark_in_a_comment_does_not(repo, monkeypatch):
    wide = policy("barn", 1).replace("{port: 1}", "&p {port: 1}, " + ", ".join(["*p"] * 500))
    monkeypatch.setattr(file_versions, "MOST_READ", 8000)
    repo("begin", policy("barn", 2))
    repo("salt & pepper", "# salt & pepper, *.example.org\n", policy("barn", 2, 1), policy("mill", 1))
    assert named(History(repo.net, "main~1", "main").made(FILE, ONE, "ingress[1]")) == "salt & pepper"
    repo("wide", wide, policy("mill", 1))
    repo("wider", wide.replace("*p]", "*p, *p]"), policy("mill", 1))
    assert History(repo.net, "main~1", "main").made(FILE, ONE, "") == ""
    monkeypatch.setattr(file_versions, "MOST_READ", 80_000)
    assert named(History(repo.net, "main~1", "main").made(FILE, ONE, "")) == "wider"
