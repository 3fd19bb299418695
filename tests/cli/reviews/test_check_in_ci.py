"""`check --write --comment`: one run gives every format, and the pull request never keeps an answer that is out of date."""

import json
import re

import pytest
from review_hosts import GITHUB, GitHubReview
from shop_manifests import EXPOSED, POLICIES

from orchestrator.cli.findings.problems import FORMATS
from orchestrator.cli.policies import check as check_module


@pytest.fixture
def host(httpserver, monkeypatch):
    """The Git host of the job in which `check` runs."""
    fake = GitHubReview()
    httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
    for name, value in {**GITHUB, "GITHUB_API_URL": httpserver.url_for("").rstrip("/")}.items():
        monkeypatch.setenv(name, value)
    return fake


def test_each_format_in_its_file_is_what_o_prints(asked, repo, tmp_path):
    names = ("markdown", "json", "yaml", *FORMATS)
    given = [part for n in names for part in ("--write", f"{n}={tmp_path / n}")]
    done = repo.run("check", repo.path, "--base", "main~1", *given)
    assert done.code == 1 and done.out == (tmp_path / "markdown").read_text()
    for name in names[1:]:
        assert (tmp_path / name).read_text() == asked(name).out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sarif", "sarif is no FORMAT=FILE; as markdown=summary.md"),
        ("word=x.doc", "word=x.doc is no FORMAT=FILE"),
        ("json=", "json= is no FORMAT=FILE"),
        ("json=/proc/none/x", "--write /proc/none/x: cannot be written"),
    ],
)
def test_what_cannot_be_written_is_one_line(asked, repo, given, said):
    done = repo.run("check", repo.path, "--base", "main~1", "--write", given)
    assert done.code == 2 and said in done.err.splitlines()[-1] and "Traceback" not in done.err


def test_the_comment_is_the_summary_and_follows_the_change(repo, host):
    repo.change(EXPOSED)
    assert repo.run("check", repo.path, "--base", "main", "--comment").code == 1
    (first,) = host.bodies()
    assert "❌ blocked" in first and first.startswith("<!-- netpol-canary check ")
    repo.change(POLICIES)
    assert repo.run("check", repo.path, "--base", "main", "--comment").code == 0
    assert "✅ fine" in host.bodies()[0] and len(host.bodies()) == 1


def test_a_change_that_cannot_be_read_leaves_no_older_answer(repo, host, tmp_path):
    repo.run("check", repo.path, "--base", "main", "--comment")
    assert "✅" in host.bodies()[0]
    repo.change("kind: [x\n")
    done = repo.run(
        "check",
        repo.path,
        "--base",
        "main",
        "-o",
        "github",
        "--comment",
        "--write",
        f"markdown={tmp_path / 'x'}",
    )
    assert done.code == 2 and "policy.yaml:2" in done.err
    (body,) = host.bodies()
    assert "::error file=policies/policy.yaml,line=2,title=not checked::" in done.out
    assert "❌ could not be checked" in body and "✅" not in body and "policy.yaml:2" in body
    assert "❌ could not be checked" in (tmp_path / "x").read_text()


def test_annotations_stand_within_the_diff(repo):
    """Of a rule that the change did not touch, too: it says where that stands."""
    stranger = "---\nkind: Pod\napiVersion: v1\nmetadata: {name: spy, namespace: shop, labels: {app: web}}\nspec: {}\n"
    repo.change(POLICIES, stranger)
    repo.commit()
    out = repo.run("check", repo.path, "--base", "main~1", "-o", "github").out
    places = re.findall(r"^::\w+ file=([^,]+),line=(\d+),", out, re.M)
    (hunk,) = re.findall(
        r"^@@ -\d+,?\d* \+(\d+),(\d+) @@", repo.git("diff", "main~1", "--", "policies"), re.M
    )
    first, count = map(int, hunk)
    assert places and {file for file, _ in places} == {"policies/all.yaml"}
    assert all(first <= int(line) < first + count for _, line in places)
    assert "(policies/all.yaml:10)" in out
    (run,) = json.loads(repo.run("check", repo.path, "--base", "main~1", "-o", "sarif").out)["runs"]
    lines = {r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"]}
    assert 10 in lines  # code scanning follows a finding by its own place


def test_a_fault_of_ours_leaves_no_older_answer_either(repo, host, monkeypatch):
    repo.run("check", repo.path, "--base", "main", "--comment")
    monkeypatch.setattr(check_module, "compare", lambda *args, **more: 1 / 0)
    assert repo.run("check", repo.path, "--base", "main", "--comment").code == 70
    (body,) = host.bodies()
    assert "could not be checked" in body and "a fault of netpol-canary itself" in body
