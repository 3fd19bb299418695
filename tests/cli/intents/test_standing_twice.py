"""What stands twice below a directory is said once, with both places; a rule of either is named where it stands."""

import json
from pathlib import Path

import pytest
from git_folder import begun, commit, write

PODS = "".join(
    f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: dairy, labels: {{app: {name}}}}}\n"
    "spec: {containers: [{name: c}]}\n"
    for name in ("churn", "cow", "goat")
)
POLICY = """\
{comment}apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: churn, namespace: dairy}}
spec:
  podSelector: {{matchLabels: {{app: churn}}}}
  ingress:
  - from: [{{podSelector: {{matchLabels: {{app: {who}}}}}}}]
    ports: [{{port: 80}}]
"""
COW = "{from: [{podSelector: {matchLabels: {app: cow}}}], ports: [{port: 80}]}"
BASE, PROD = POLICY.format(comment="", who="cow"), POLICY.format(comment="# Of prod.\n\n", who="goat")
TEAM = BASE.replace("podSelector: {matchLabels: {app: cow}}", "namespaceSelector: {matchLabels: {team: a}}")
LOOSE = BASE.replace("from: [{podSelector: {matchLabels: {app: cow}}}]", "from: []")
SAID = (
    "not analysed: which NetworkPolicy dairy/churn is meant, since it stands twice (net/base/churn.yaml:1,"
    " net/overlays/prod/churn.yaml:3): the rules of both count here"
)


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """`repo(files)` commits what stands below net."""
    monkeypatch.chdir(tmp_path)
    begun(tmp_path)

    def committed(files, subject="begin"):
        write(Path("net"), files)
        commit(tmp_path, subject)

    return committed


@pytest.fixture
def dairy(repo):
    repo({"pods.yaml": PODS, "base/churn.yaml": BASE, "overlays/prod/churn.yaml": PROD})
    return repo


def test_every_command_says_it_once_with_both_places(netpol, dairy):
    asked = ("--from", "dairy/cow", "--to", "dairy/churn", "--port", "80")
    for command in (
        ("reach", "net"),
        ("why", "net", *asked),
        ("diff", "net", "net"),
        ("lint", "net"),
        ("check", "net", "--base", "main"),
    ):
        assert netpol(*command).err.count(SAID) == 1, command
    for command in (
        ("reach", "net"),
        ("diff", "net", "net"),
        ("check", "net", "--base", "main"),
        ("lint", "net"),
    ):
        told = json.loads(netpol(*command, "-o", "json").out)["notRead"]
        assert [t for t in told if "stands twice" in t] == [SAID.partition(": ")[2]], command
    assert "net/overlays/prod/churn.yaml:3" in netpol("generate", "net", "--check").err


@pytest.mark.parametrize(
    ("who", "place"), [("cow", "net/base/churn.yaml:7"), ("goat", "net/overlays/prod/churn.yaml:9")]
)
def test_a_rule_of_either_is_named_where_it_stands(netpol, dairy, who, place):
    asked = ("--from", f"dairy/{who}", "--to", "dairy/churn", "--port")
    said = netpol("why", "net", *asked, "80").out
    assert f"    NetworkPolicy dairy/churn ingress[0] ({place})\n" in said and said.count(".yaml") == 1
    said = netpol("why", "net", *asked, "81").out
    for first in ("net/base/churn.yaml:1", "net/overlays/prod/churn.yaml:3"):
        assert f"NetworkPolicy dairy/churn: no rule allows it ({first})" in said


def test_lint_and_idle_policies_are_each_in_their_own_file(netpol, dairy):
    dairy(
        {
            "base/churn.yaml": BASE.replace("app: churn", "app: x"),
            "overlays/prod/churn.yaml": PROD.replace("app: churn", "app: y"),
        }
    )
    found = json.loads(netpol("lint", "net", "-o", "json").out)["findings"]
    idle = {f["where"] for f in found if f["id"] == "NPC001" and f["subject"] == "NetworkPolicy dairy/churn"}
    assert idle == {"net/base/churn.yaml:5", "net/overlays/prod/churn.yaml:7"}
    err = netpol("reach", "net").err
    for place in ("net/base/churn.yaml:1", "net/overlays/prod/churn.yaml:3"):
        assert f"NetworkPolicy dairy/churn ({place}) selects no workload" in err


@pytest.mark.parametrize("late", ["base/churn.yaml", "overlays/prod/churn.yaml", "a/churn.yaml"])
def test_check_and_diff_name_the_copy_that_opens_and_no_rule_that_stood_there(netpol, repo, late):
    first = "base/churn.yaml" if late != "base/churn.yaml" else "overlays/prod/churn.yaml"
    repo({"pods.yaml": PODS, first: BASE})
    repo({late: PROD}, "a copy")
    said = netpol("diff", "HEAD~1..HEAD", "--path", "net").out
    assert f"after, Ingress: NetworkPolicy dairy/churn ingress[0] (net/{late}:9, " in said
    assert "Ann: a copy)" in said
    assert said.count("ingress[0]") == 1
    (row,) = [
        line
        for line in netpol("check", "net", "--base", "HEAD~1", "-o", "github").out.splitlines()
        if "opened" in line
    ]
    assert f"file=net/{late},line=9," in row


def test_a_finding_about_the_copy_is_new_and_one_about_what_moved_is_not(netpol, repo):
    repo({"pods.yaml": PODS, "overlays/prod/churn.yaml": LOOSE})
    repo({"base/churn.yaml": LOOSE}, "a copy")
    for command in ("lint", "check"):
        told = json.loads(netpol(command, "net", "--base", "HEAD~1", "-o", "gitlab").out)
        assert [f["location"]["path"] for f in told if f["check_name"] == "NPC003"] == ["net/base/churn.yaml"]
    Path("net/base/churn.yaml").unlink()
    Path("net/overlays/prod/churn.yaml").rename("net/base/moved.yaml")
    told = json.loads(netpol("lint", "net", "--base", "HEAD~1", "-o", "json").out)["findings"]
    assert "NPC003" not in {f["id"] for f in told}


def test_a_finding_about_a_copy_in_the_same_file_is_new(netpol, repo):
    repo({"pods.yaml": PODS, "churn.yaml": LOOSE})
    repo({"churn.yaml": f"{LOOSE}---\n{LOOSE}"}, "a copy")
    for command in ("lint", "check"):
        told = json.loads(netpol(command, "net", "--base", "HEAD~1", "-o", "gitlab").out)
        begun = [f["location"]["lines"]["begin"] for f in told if f["check_name"] == "NPC003"]
        assert begun == [16], command


def test_many_copies_of_which_one_changed_are_counted(netpol, repo):
    many = "".join("---\n" + BASE.replace("name: churn", f"name: p{n}") for n in range(25))
    repo({"pods.yaml": PODS, "a.yaml": many, "b.yaml": many})
    Path("net/b.yaml").write_text(many.replace("port: 80", "port: 81"))
    err = netpol("check", "net", "--base", "main").err
    assert err.count("not as many as before") == 20 and "of 5 more such policies" in err


def test_check_names_the_field_of_the_copy_that_changed(netpol, dairy):
    Path("net/overlays/prod/churn.yaml").write_text(PROD.replace("port: 80", "port: 81"))
    done = netpol("check", "net", "--base", "main", "-o", "github")
    rows = [line for line in done.out.splitlines() if "dairy/goat" in line and "title=" in line]
    assert rows and all("file=net/overlays/prod/churn.yaml,line=10" in row for row in rows), done.out


def test_what_else_stands_twice_is_said_where_it_differs(netpol, dairy):
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: churn, namespace: dairy}\nspec: {ports: [{port: %s}]}\n"
    dairy({"base/more.yaml": PODS + service % 80, "prod/more.yaml": PODS + service % 80})
    assert "churn is meant" in (err := netpol("reach", "net").err)
    assert "which Pod" not in err and "Service" not in err
    dairy({"prod/more.yaml": PODS.replace("app: cow", "app: bull") + service % 81})
    err = netpol("reach", "net").err
    assert "which Service dairy/churn is meant, since it stands twice (" in err
    assert "which Pod dairy/cow is meant, since it stands 3 times (" in err
    assert "): answers are of the first\n" in err and "): both count here\n" in err
    assert "which Pod dairy/goat" not in err


SHOP = """\
apiVersion: v1
kind: Namespace
metadata: {{name: shop, labels: {{team: {team}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: churn, namespace: dairy}}
spec:
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec: {{containers: [{{name: c, ports: [{{containerPort: 80, name: {port}}}]}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c}}]}}}}}}
"""


def test_answers_are_of_the_first_workload_and_of_the_first_namespace(netpol, repo):
    first, second = SHOP.format(team="a", app="churn", port="web"), SHOP.format(team="z", app="x", port="web")
    repo({"a.yaml": first, "b.yaml": second, "churn.yaml": TEAM})
    done = netpol("reach", "net", "--from", "shop/web", "--to", "dairy/churn")
    assert done.out.count("dairy/churn[Deployment]") == 1 and "TCP 80" in done.out
    for what in ("Namespace shop", "Deployment dairy/churn"):
        (said,) = [line for line in done.err.splitlines() if f"which {what} is meant" in line]
        assert "twice (net/a.yaml:" in said and said.endswith("answers are of the first")


def test_lint_accuses_no_policy_that_a_copy_left_aside_matches(netpol, repo):
    team = TEAM.replace("port: 80", "port: milk").replace("app: churn", "app: keg")
    first, second = (
        SHOP.format(team=t, app=a, port=p) for t, a, p in (("z", "churn", "web"), ("a", "keg", "milk"))
    )

    def found():
        told = json.loads(netpol("lint", "net", "-o", "json").out)["findings"]
        return {f["id"] for f in told} & {"NPC001", "NPC002", "NPC006"}

    repo({"a.yaml": first, "churn.yaml": team})
    assert found() == {"NPC001", "NPC002", "NPC006"}
    Path("net/b.yaml").write_text(second)
    assert found() == set()
    Path("net/b.yaml").write_text(first.replace("web", "www"))
    assert found() == {"NPC001", "NPC002", "NPC006"}


def test_of_two_the_rules_of_the_valid_one_alone_count(netpol, repo):
    wrong = PROD.replace("port: 80", "port: 80, protocol: ICMP")
    repo({"pods.yaml": PODS, "a.yaml": wrong, "b.yaml": BASE})
    assert "the rules of the one that is valid count here" in netpol("lint", "net").err
    Path("net/b.yaml").write_text(wrong)
    assert "none of them is valid, and no rule of theirs counts" in netpol("lint", "net").err


def test_many_doubles_are_counted(netpol, repo):
    many = "".join("---\n" + BASE.replace("name: churn", f"name: p{n}") for n in range(25))
    repo({"pods.yaml": PODS, "a.yaml": many, "b.yaml": many})
    err = netpol("reach", "net").err
    assert err.count("since it stands twice") == 20 and "5 more objects that stand twice" in err


def test_tiers_that_stand_twice_are_told_apart(netpol, repo):
    tier = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: shut}
spec:
  tier: Admin
  priority: %s
  subject: {namespaces: {}}
  ingress: [{action: %s, from: [{namespaces: {}}]}]
"""
    repo({"pods.yaml": PODS, "a.yaml": tier % (2, "Deny"), "b.yaml": "\n" + tier % (1, "Accept")})
    done = netpol("why", "net", "--from", "dairy/cow", "--to", "dairy/churn", "--port", "80")
    assert "ClusterNetworkPolicy/shut ingress[0]: Accept (net/b.yaml:9)" in done.out
    words = "which ClusterNetworkPolicy shut is meant, since it stands twice (net/a.yaml:1, net/b.yaml:2)"
    assert words in done.err


def test_lint_places_the_finding_at_the_second_and_names_the_first(netpol, dairy):
    found = json.loads(netpol("lint", "net", "-o", "json").out)["findings"]
    (twice,) = [f for f in found if f["id"] == "NPC027"]
    assert twice["where"].startswith("net/overlays/prod/churn.yaml:")
    assert twice["subject"].endswith("dairy/churn")
    assert twice["message"] == "another one of this name stands at net/base/churn.yaml:1"


def annotated(done, kind):
    return [row.partition(",col")[0] for row in done.out.splitlines() if f"title={kind}:" in row]


def test_of_two_in_one_file_the_line_is_that_of_the_copy_that_opens(netpol, repo):
    repo({"pods.yaml": PODS, "churn.yaml": BASE, "overlays/prod/churn.yaml": PROD})
    Path("net/churn.yaml").write_text(f"{BASE}---\n{BASE.replace('port: 80', 'port: 81')}")
    done = netpol("check", "net", "--base", "main", "-o", "github")
    assert annotated(done, "widened") == ["::warning file=net/churn.yaml,line=16"]
    Path("net/churn.yaml").write_text(f"{BASE.replace('port: 80', 'port: 81')}---\n{BASE}")
    done = netpol("check", "net", "--base", "main", "-o", "github")
    assert annotated(done, "widened") == ["::warning file=net/churn.yaml,line=7"]


def test_of_two_in_one_list_each_has_its_own_line(netpol, repo):
    def listed(rule):
        items = "".join(
            f"- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {{name: churn, namespace: {space}}}\n"
            f"  spec:\n    podSelector: {{}}\n    ingress:\n    - {one}\n"
            for space, one in (("shed", "{from: [{podSelector: {}}]}"), ("dairy", COW), ("dairy", rule))
        )
        return f"apiVersion: v1\nkind: List\nitems:\n{items}"

    repo({"pods.yaml": PODS, "churn.yaml": listed(COW.replace("80", "81"))})
    Path("net/churn.yaml").write_text(listed("{ports: [{port: 82}]}"))
    done = netpol("check", "net", "--base", "main", "-o", "github")
    for kind in ("internet", "NPC003"):
        assert {row.partition(" ")[2] for row in annotated(done, kind)} == {"file=net/churn.yaml,line=24"}
    asked = ("--from", "dairy/cow", "--to", "dairy/churn", "--port")
    assert "ingress[0] (net/churn.yaml:24)" in netpol("why", "net", *asked, "82").out
    said = netpol("why", "net", *asked, "80")
    assert "ingress[0] (net/churn.yaml:17)" in said.out
    assert "stands twice (net/churn.yaml:11, net/churn.yaml:18)" in said.err


@pytest.mark.parametrize("change", ["edited", "removed", "beside"])
def test_a_person_looks_where_one_of_the_copies_hides_what_becomes_of_the_other(netpol, repo, change):
    other = "overlays/prod/churn.yaml"
    repo({"pods.yaml": PODS, "base/churn.yaml": BASE, other: PROD if change == "beside" else BASE})
    if change == "edited":
        Path("net", other).write_text(BASE.partition("  ingress:")[0])
    elif change == "removed":
        Path("net", other).unlink()
    else:
        Path("net/more.yaml").write_text(BASE.replace("name: churn", "name: more"))
    done = netpol("check", "net", "--base", "main", "-o", "json")
    data = json.loads(done.out)
    assert done.code == 3 and data["notCompared"] == 3 and data["risk"]["level"] in ("none", "low"), data
    (said,) = [t for t in data["notRead"] if "the connections of namespace dairy" in t]
    assert said in done.err and "the copies of NetworkPolicy dairy/churn differ" in said
    text = "title=unknown::the change: 3 workloads"
    assert text in netpol("check", "net", "--base", "main", "-o", "github").out


def test_copies_that_are_alike_or_that_nothing_touched_are_no_doubt(netpol, dairy):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n, namespace: dairy}\n"
    Path("net/notes.yaml").write_text(text)
    assert netpol("check", "net", "--base", "main").code == 0
    dairy({"overlays/prod/churn.yaml": BASE}, "alike")
    alike = BASE.replace("    ports: [{port: 80}]", "    ports: [{port: 80}, {port: 80}]")
    for file in ("base/churn.yaml", "overlays/prod/churn.yaml"):
        Path("net", file).write_text(alike)
    assert netpol("check", "net", "--base", "main").code == 0
    Path("net/base/churn.yaml").rename("net/moved.yaml")
    assert netpol("check", "net", "--base", "main").code == 0
