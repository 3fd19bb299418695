"""A pull request on a shop: what hurts is blocked, with a summary worth reading; what is fine passes."""

import json
from pathlib import Path

import pytest
from shop_manifests import DNS, MANIFESTS, POLICIES, POLICY, TESTS
from written import written

OPEN = POLICIES.replace("{podSelector: {matchLabels: {app: web}}}", "{namespaceSelector: {}}")


OTHER = written("Pod", "other/stranger", "{}")


def test_a_medium_change_asks_for_a_person_and_a_limit_decides_without(repo):
    repo.change(POLICIES.replace("{port: 5432}", "{port: 5432}, {port: 5433}"))
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 3 and done.out.splitlines()[0] == (
        "## Network policies against `main`: 👀 a person has to review it, risk medium: 1 connection widened"
    )
    assert "Risk: **medium** (1 connection widened)" in done.out and "Intents: 3 of 3 hold." in done.out
    assert "```mermaid" in done.out
    assert repo.run("check", repo.path, "--base", "main", "--max-risk", "low").code == 1
    allowed = repo.run("check", repo.path, "--base", "main", "--max-risk", "medium")
    assert allowed.code == 0 and "⚠️ allowed by --max-risk medium, risk medium" in allowed.out
    assert "fine" not in allowed.out


def test_a_change_that_narrows_ports_to_those_that_are_declared_passes(repo):
    repo.change(POLICIES.replace("ports: [{port: 5432}]", ""))
    repo.commit()
    repo.change(POLICIES)
    done = repo.run("check", repo.path, "--base", "HEAD")
    assert done.code == 0, done.out
    title = "## Network policies against `HEAD`: ✅ fine, risk low: 1 connection narrowed\n"
    assert done.out.startswith(title)
    assert "➖ narrowed" in done.out and "cut" not in done.out.lower()


def test_a_recorded_connection_on_an_undeclared_port_is_cut_all_the_same(repo, tmp_path):
    repo.change(POLICIES.replace("ports: [{port: 5432}]", ""))
    repo.commit()
    repo.change(POLICIES)
    flows = tmp_path / "flows"
    flows.write_text('{"src": "shop/web", "dst": "shop/db", "port": 9187}\n')
    done = repo.run("check", repo.path, "--base", "HEAD", "--flows", str(flows))
    assert done.code == 1 and "1 connection cut" in done.out


def test_nothing_changed(repo):
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 0 and "No connection changes." in done.out and "Risk: **none**" in done.out
    assert done.out.startswith("## Network policies against `main`: ✅ fine, no connection changes\n")


def test_a_database_open_to_every_namespace_is_blocked(repo):
    repo.change(OPEN, OTHER)
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 1 and "❌ blocked" in done.out
    assert "only web: other/stranger to shop/db on 5432/TCP is allowed" in done.out
    line = 1 + next(n for n, text in enumerate(TESTS.splitlines()) if "only web" in text)
    (said,) = (
        t
        for t in repo.run("check", repo.path, "--base", "main", "-o", "github").out.splitlines()
        if "only web" in t
    )
    assert "::error file=policies/policy.yaml,line=12," in said and f"(policies/tests.yaml:{line})" in said


def test_the_commit_that_opened_it_is_named(repo):
    repo.change(POLICIES, OTHER)
    repo.commit()
    repo.change(OPEN, OTHER)
    repo.commit()
    done = repo.run("check", repo.path, "--base", "main~1")
    assert done.code == 1 and "(policies/policy.yaml:12, " in done.out and " Ann: change)" in done.out
    told = repo.run("diff", "main~1..main", "--path", repo.path).out.splitlines()
    before, after = ([t for t in told if t.strip().startswith(f"{word},")] for word in ("before", "after"))
    assert not any("changed by" in t for t in after) and any(" Ann: change)" in t for t in after)
    assert all("changed by " in t for t in before if "Ann" in t)  # who wrote what stood there is not asked


def test_a_recorded_connection_that_would_be_cut_blocks(repo, tmp_path):
    flows = tmp_path / "flows"
    flows.write_text('{"src": "shop/web", "dst": "shop/db", "port": 5432}\n')
    repo.change(POLICIES)
    assert repo.run("check", repo.path, "--base", "main", "--flows", str(flows)).code == 0
    repo.change(POLICIES.replace("{port: 5432}", "{port: 5433}"))
    done = repo.run("check", repo.path, "--base", "main", "--flows", str(flows))
    assert done.code == 1 and "1 recorded connection would be cut: " in done.out


def test_a_recorded_connection_that_the_base_cuts_already_is_said_and_blames_nobody(repo, tmp_path):
    flows = tmp_path / "flows"
    lines = '{"src": "other/stranger", "dst": "shop/db", "port": 5432}\n{"src": "shop/web", "dst": "shop/db", "port": 5432}\n'
    flows.write_text(lines)
    repo.change(POLICIES, OTHER)
    repo.commit()
    repo.change(f"# a comment\n{POLICIES}", OTHER)
    args = ["check", repo.path, "--base", "HEAD", "--flows", str(flows)]
    done = repo.run(*args)
    assert done.code == 0 and "1 recorded connection allowed, 0 cut, 1 cut before the change, too" in done.out
    assert "cut before the change, too: other/stranger to shop/db on 5432/TCP, seen once" in done.out
    assert json.loads(repo.run(*args, "-o", "json").out)["recorded"] == {
        "allowed": 1,
        "cut": 0,
        "cutBefore": 1,
    }


def source_of(tmp_path, risk):
    """The file of a source that judges risk so."""
    spec = f"{{git: {{url: x}}, namespaces: {{names: [shop]}}, strategy: {{risk: {{{risk}}}}}}}"
    (tmp_path / "source.yaml").write_text(written("PolicySource", "s", spec))
    return str(tmp_path / "source.yaml")


def test_a_source_says_what_is_risky(repo, tmp_path):
    source = source_of(tmp_path, "opened: low")
    repo.change(POLICIES.replace("{port: 5432}", "{port: 5432}, {port: 5433}"))
    args = ["check", repo.path, "--base", "main", "--max-risk", "low"]
    assert repo.run(*args).code == 1
    assert repo.run(*args, "--source", source).code == 0


def test_workloads_may_stand_elsewhere(repo, tmp_path, cli):
    """A source's own path: one folder a namespace, policies only."""
    other, folder = tmp_path / "apps", tmp_path / "only"
    (folder / "shop").mkdir(parents=True)
    other.mkdir()
    (other / "all.yaml").write_text(MANIFESTS)
    (folder / "shop/db.yaml").write_text(POLICY.replace(", namespace: shop", ""))
    (folder / "tests.yaml").write_text(TESTS)
    assert repo.run("test", str(folder)).code == 2
    assert repo.run("test", str(folder), "--workloads", str(other)).code == 0
    alone = repo.run("lint", str(folder))
    assert alone.code == 0 and "no workload is known" in alone.err and "NPC001" not in alone.out
    assert "NPC004 shop/web" in repo.run("lint", str(folder), "--workloads", str(other)).out
    same = repo.run("diff", str(folder), str(folder), "--workloads", str(other))
    assert same.out == "no connection changes\n"


def test_a_policy_that_is_not_valid_blocks_and_its_mending_passes(repo):
    repo.change(POLICIES.replace("- from:", "- form:"))
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 1 and "NPC012 NetworkPolicy shop/db: spec.ingress[0].form" in done.out
    repo.commit()
    repo.change(POLICIES)
    assert repo.run("check", repo.path, "--base", "main").code == 3


def test_forgotten_dns_is_blocked(repo):
    repo.change(POLICIES.replace(f"{DNS}, ", ""))
    done = repo.run("check", repo.path, "--base", "main", "-o", "json")
    found = json.loads(done.out)
    assert done.code == 1 and not found["passed"]
    assert {f["id"] for f in found["findings"]} == {"NPC005"}


def test_diff_of_revisions(repo):
    repo.change(OPEN, OTHER)
    repo.commit()
    done = repo.run("diff", "main~1..main", "--path", repo.path)
    assert done.code == 0 and "other/stranger[Pod]" in done.out
    assert repo.run("diff", "main..", "--path", repo.path).out == "no connection changes\n"


def test_what_the_base_got_since_is_none_of_the_branch_s_changes(repo):
    repo.git("checkout", "-q", "-b", "topic")
    repo.change(POLICIES + "# a comment\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.change(OPEN, OTHER)
    repo.commit()
    repo.git("checkout", "-q", "topic")
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 0 and "No connection changes." in done.out and "Risk: **none**" in done.out
    assert repo.run("diff", "main...HEAD", "--path", repo.path).out == "no connection changes\n"
    assert "cut" in repo.run("diff", "main..HEAD", "--path", repo.path).out


def test_without_a_common_commit_the_base_is_taken_as_it_is_aloud(repo):
    repo.git("checkout", "-q", "--orphan", "island")
    repo.change(OPEN, OTHER)
    repo.commit()
    done = repo.run("check", repo.path, "--base", "main")
    assert "no common commit of main and HEAD is here" in done.err and "opened" in done.out
    assert "<summary>Not analysed: 2</summary>\n\n- no common commit of main and HEAD" in done.out
    done = repo.run("diff", "main...HEAD", "--path", repo.path)
    assert done.code == 2 and "write A..B" in done.err


def test_a_shallow_clone_without_the_common_commit_is_bad_input_that_says_what_to_fetch(repo, tmp_path, cli):
    """Compared with the base as it is, what main got since would be this branch's change."""
    for branch, policies in (("topic", POLICIES + "# a comment\n"), ("main", OPEN)):
        repo.git("checkout", "-q", *(["-b"] if branch == "topic" else []), branch)
        repo.change(policies)
        repo.commit()
    shallow = tmp_path / "shallow"
    made = ("clone", "-q", "--depth", "1", "--branch", "topic", f"file://{tmp_path / 'repo'}", str(shallow))
    repo.git(*made)
    asked = ("check", str(shallow / "policies"), "--base")
    done = repo.run(*asked, "origin/main")
    assert done.code == 2 and "revision origin/main is not in" in done.err and "fetch-depth: 0" in done.err
    repo.git("-C", str(shallow), "fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main")
    done = repo.run(*asked, "origin/main")
    assert done.code == 2 and "no common commit of origin/main and HEAD is in this shallow clone" in done.err
    repo.git("-C", str(shallow), "fetch", "-q", "--unshallow")
    done = repo.run(*asked, "origin/main")
    assert done.code == 0 and "No connection changes." in done.out


def test_a_policy_that_is_not_valid_opens_nothing(repo):
    """The API server refuses it: what stands there now stays."""
    wrong = OPEN.replace("podSelector: {matchLabels: {app: db}}", "podSelector: {matchLabels: {app: [db]}}")
    repo.change(wrong)
    done = repo.run("check", repo.path, "--base", "HEAD")
    assert done.code == 1 and "opened" not in done.out and "No connection changes among those" in done.out
    assert "a policy there is not valid, so that they are not known" in done.out + done.err


def test_labels_of_the_base_that_cannot_be_read_are_for_a_person_to_look_at(repo):
    """What the mended ones open is not known: fine would be a guess."""
    odd = MANIFESTS.replace("labels: {app: db}", "labels: [db]", 1)
    assert odd != MANIFESTS
    repo.change(POLICIES)
    (Path(repo.path) / "all.yaml").write_text(odd)
    repo.commit()
    repo.change(POLICIES)
    done = repo.run("check", repo.path, "--base", "HEAD")
    assert done.code == 3 and "no connection changes, 1 workload not compared" in done.out, done.out
    assert repo.run("check", repo.path, "--base", "HEAD", "--max-risk", "low").code == 1


def test_the_summary_of_a_wide_change_fits_into_a_comment(repo):
    long = "team-settlement-and-reconciliation-of-payments"
    apps = "".join(
        f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {long}-{n}, namespace: {long}-{n % 7}}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: w{n}}}}}\n"
        f"  template: {{metadata: {{labels: {{app: w{n}}}}}, spec: {{containers: [{{name: c, image: x}}]}}}}\n"
        for n in range(28)
    )
    repo.change(POLICIES, apps)
    repo.commit()
    deny = "".join(
        f"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {long}, namespace: {long}-{n}}}\n"
        "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n"
        for n in range(7)
    )
    repo.change(POLICIES + deny, apps)
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 1 and len(done.out) <= 65_536 and " more\n" in done.out
    assert len(json.loads(repo.run("check", repo.path, "--base", "main", "-o", "json").out)["changes"]) > 200


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "DIR", "--base", "nowhere"], "revision nowhere is not in"),
        (["check", "DIR", "--base", "--output=x"], "is not a revision"),
        (["check", "DIR", "--base", "main", "--max-risk", "x"], "x is not a level of risk"),
        (["check", "DIR", "--base", "main", "-o", "x"], "-o x is not known here"),
        (["check", "/", "--base", "main"], ""),
        (["diff", "DIR"], "against what?"),
    ],
)
def test_bad_input(repo, args, said, tmp_path):
    given = [repo.path if a == "DIR" else str(tmp_path) if a == "/" else a for a in args]
    done = repo.run(*given)
    lines = [line for line in done.err.splitlines() if "not analysed" not in line]
    assert done.code == 2 and len(lines) == 1 and said in lines[0], done


@pytest.mark.parametrize("level", ["high", "medium"])
def test_the_summary_says_once_that_a_workload_is_open_to_the_internet(repo, tmp_path, level):
    source = source_of(tmp_path, f"internet: {level}")
    repo.change(POLICIES.replace("{podSelector: {matchLabels: {app: web}}}", "{ipBlock: {cidr: 0.0.0.0/0}}"))
    done = repo.run("check", repo.path, "--base", "main", "--source", source)
    assert f"risk {level}: 1 workload newly open to the internet" in done.out.splitlines()[0]
    assert done.out.count("newly open to the internet") == 1, done.out
    assert "- **internet to shop/db[StatefulSet] on TCP 5432, new**" in done.out


def test_the_first_line_counts_as_many_problems_as_are_listed(repo):
    repo.change(OPEN.replace("namespaceSelector: {}", "ipBlock: {cidr: 0.0.0.0/0}"), OTHER)
    out = repo.run("check", repo.path, "--base", "main").out
    listed = sum(line.startswith("- **") for line in out.partition("\nRisk: ")[0].splitlines())
    assert listed > 1 and f"❌ blocked, {listed} problems, risk high" in out.splitlines()[0], out
