"""What people read names a rule's own line, and the file from the repository's root; elsewhere as it can be opened from here."""

import json
from pathlib import Path

import pytest
from git_folder import begun, commit

PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: jam, namespace: pantry, labels: {app: jam}}
spec: {containers: [{name: c, ports: [{containerPort: 7070}, {containerPort: 7071}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cook, namespace: pantry, labels: {app: cook}}
spec: {containers: [{name: c, env: [{name: JAM, value: "http://jam:7070"}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: jam, namespace: pantry}
spec: {selector: {app: jam}, ports: [{port: 7070}]}
"""
RULES = """\
# What the pantry lets in.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: pantry}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: jam, namespace: pantry}
spec:
  podSelector: {matchLabels: {app: jam}}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: nobody}}
  - from:
    - podSelector: {matchLabels: {app: guest}}
    - podSelector: {matchLabels: {app: cook}}
    ports:
    - port: 7071
    - port: 7070
"""
TESTS = """\
apiVersion: netpol-canary.dev/v1
kind: PolicyTest
metadata: {name: pantry}
spec:
  intents:
  - {name: cook is kept out, expect: blocked, from: {workload: cook}, to: {workload: jam}, ports: [{port: 7070}]}
"""
ASKED = ("--from", "pantry/cook", "--to", "pantry/jam", "--port")


@pytest.fixture
def net(tmp_path):
    folder = tmp_path / "deploy/net"
    (folder / "pantry").mkdir(parents=True)
    (folder / "pods.yaml").write_text(PODS)
    (folder / "pantry/rules.yaml").write_text(RULES)
    return folder


@pytest.fixture
def repo(tmp_path, net):
    git = begun(tmp_path)
    commit(tmp_path, "begin")
    return git


def test_why_names_the_peer_that_lets_in_from_the_root(netpol, repo, net, monkeypatch):
    yes = netpol("why", str(net), *ASKED, "7070").out
    assert "NetworkPolicy pantry/jam ingress[1] (deploy/net/pantry/rules.yaml:17)" in yes
    no = netpol("why", str(net), *ASKED, "7072").out
    assert "pantry/jam: no rule allows it (deploy/net/pantry/rules.yaml:7)" in no
    assert "pantry/shut: no rule allows it (deploy/net/pantry/rules.yaml:2)" in no
    monkeypatch.chdir(net / "pantry")  # from wherever it is asked
    assert "(deploy/net/pantry/rules.yaml:17)" in netpol("why", "..", *ASKED, "7070").out


def test_where_one_peer_stands_alone_the_port_decides_and_else_the_rule(netpol, repo, net):
    file = net / "pantry/rules.yaml"
    file.write_text(RULES.replace("    - podSelector: {matchLabels: {app: guest}}\n", ""))
    assert "ingress[1] (deploy/net/pantry/rules.yaml:19)" in netpol("why", str(net), *ASKED, "7070").out
    file.write_text(file.read_text().replace("    - port: 7071\n", ""))
    assert "ingress[1] (deploy/net/pantry/rules.yaml:15)" in netpol("why", str(net), *ASKED, "7070").out


def test_a_policy_of_a_list_has_its_own_line(netpol, repo, net):
    item = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podSelector": {}, "ingress": [{}]},
    }
    items = [{**item, "metadata": {"name": f"p{n}", "namespace": "pantry"}} for n in range(3)]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
    (net / "pantry/rules.yaml").write_text(text)
    rules = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "{}"]
    said = netpol("why", str(net), *ASKED, "1").out
    for name, line in zip(("p0", "p1", "p2"), rules, strict=True):
        assert f"pantry/{name} ingress[0] (deploy/net/pantry/rules.yaml:{line})" in said


def test_of_one_name_in_a_list_the_policy_of_the_namespace_is_meant(netpol, repo, net):
    shut = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"podSelector": {}}}
    items = [{**shut, "metadata": {"name": "shut", "namespace": space}} for space in ("cellar", "pantry")]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
    (net / "pantry/rules.yaml").write_text(text)
    begun = [n for n, line in enumerate(text.splitlines(), 1) if line == "  {"]
    said = netpol("why", str(net), *ASKED, "1").out
    assert f"pantry/shut: no rule allows it (deploy/net/pantry/rules.yaml:{begun[1]})" in said


def test_diff_replay_test_and_check_say_the_same(netpol, repo, net, tmp_path):
    (net / "tests.yaml").write_text(TESTS)
    told = netpol("test", str(net)).out
    assert "pantry/jam ingress[1] (deploy/net/pantry/rules.yaml:17)" in told
    (net / "pantry/rules.yaml").write_text(RULES.replace("app: cook", "app: cooks"))
    repo("add", ".")
    repo("commit", "-qm", "cooks only")
    for done in (
        netpol("diff", "HEAD~1..HEAD", "--path", str(net)),
        netpol("check", str(net), "--base", "HEAD~1"),
    ):
        words = "before, Ingress: NetworkPolicy pantry/jam ingress[1] (deploy/net/pantry/rules.yaml:17"
        assert words in done.out
        assert (
            "after, Ingress: NetworkPolicy pantry/jam: no rule allows it (deploy/net/pantry/rules.yaml:7"
            in done.out
        )
    flows = tmp_path / "flows"
    flows.write_text('{"src": "pantry/cook", "dst": "pantry/jam", "port": 7070}\n')
    told = netpol("replay", str(net), "--flows", str(flows)).out
    assert "pantry/jam: no rule allows it (deploy/net/pantry/rules.yaml:7)" in told


def test_generate_names_the_line_of_a_variable_and_its_file_from_the_root(netpol, repo, net):
    assert "env JAM in deploy/net/pods.yaml:9" in netpol("generate", str(net)).out


def test_outside_of_a_repository_a_file_is_named_as_it_can_be_opened_from_here(
    netpol, net, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for given in ("deploy/net", str(net), "deploy/../deploy/net"):
        (said,) = (t for t in netpol("why", given, *ASKED, "7070").out.splitlines() if "ingress[1]" in t)
        named = said.partition("(")[2].partition(":")[0]
        assert named == f"{given}/pantry/rules.yaml" and Path(named).exists()
    (run,) = json.loads(netpol("lint", str(net), "-o", "sarif").out)["runs"]
    files = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
    assert files and not any(f.startswith("/") for f in files)  # which code scanning would not take


def test_lint_says_one_line_of_a_finding_wherever_it_says_it(netpol, repo, net):
    with (net / "pantry/rules.yaml").open("a") as out:
        out.write(
            "---\n\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  namespace: pantry\n"
        )
    text = netpol("lint", str(net))
    found = json.loads(netpol("lint", str(net), "-o", "json").out)["findings"]
    for f in found:
        assert f["where"].rpartition(":")[2] == str(f["line"])
        assert f["where"] in text.out
    (lost,) = (f for f in found if f["id"] == "NPC026")
    assert f" {lost['where']}: " in text.err


def test_workloads_of_another_repository_have_a_name_and_lines_of_their_own(netpol, repo, net, tmp_path):
    other = tmp_path / "apps"
    (other / "deploy/net/pantry").mkdir(parents=True)
    begun(other)
    (net / "pods.yaml").unlink()
    moved = "# Of another team.\n---\n" + PODS
    (other / "deploy/net/pantry/rules.yaml").write_text(moved)
    given = (str(net), "--workloads", str(other / "deploy/net"))
    yes = netpol("why", *given, *ASKED, "7070").out
    assert "pantry/jam ingress[1] (deploy/net/pantry/rules.yaml:17)" in yes
    (net / "pantry/rules.yaml").write_text(RULES.replace("app: jam}}", "app: other}}").partition("---\n")[2])
    found = json.loads(netpol("lint", *given, "-o", "json").out)["findings"]
    (pod,) = (f for f in found if f["id"] == "NPC004" and "cook" in f["subject"])
    assert pod["where"] == f"{other}/deploy/net/pantry/rules.yaml:8"
    (idle,) = (f for f in found if f["id"] == "NPC001")
    assert idle["where"] == "deploy/net/pantry/rules.yaml:5"


def test_rules_of_a_revision_have_its_lines_where_the_workloads_stand_in_the_same_file_now(netpol, repo, net):
    (net / "pods.yaml").unlink()
    (net / "pantry/rules.yaml").write_text(PODS + "---\n" + RULES)
    repo("add", ".")
    repo("commit", "-qm", "one file")
    wider = PODS + "---\n" + RULES.replace("app: cook}", "app: cook, tier: x}")
    (net / "pantry/rules.yaml").write_text(wider)
    repo("commit", "-qam", "less")
    noted = PODS + "---\n" + RULES.replace("  - from:\n", "  # now\n  - from:\n")
    (net / "pantry/rules.yaml").write_text(noted)
    said = netpol("diff", "HEAD~1..HEAD", "--path", str(net), "--workloads", str(net)).out
    line = PODS.count("\n") + 1 + 17
    told = f"before, Ingress: NetworkPolicy pantry/jam ingress[1] (deploy/net/pantry/rules.yaml:{line}, "
    assert told in said
