"""Every command that takes --cni names the policies that this CNI does not enforce, and leaves them out."""

import json
import os
import subprocess

import pytest
from written import pod, policy, written

DENY = "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
WALL = written("AdminNetworkPolicy", "wall", f"{{priority: 5, subject: {{namespaces: {{}}}}, {DENY}}}")
PODS = "".join(
    pod(f"shop/{name}").replace("containers: []", "containers: [{name: c, ports: [{containerPort: 80}]}]")
    for name in ("web", "db")
)
WAY_THERE = "from: {workload: shop/web}, to: {workload: shop/db}, ports: [{port: 80}]"
INTENT = written("PolicyTest", "shop/db", f"{{intents: [{{name: web, expect: reach, {WAY_THERE}}}]}}")
TOLD = (
    "1 AdminNetworkPolicy (policy.networking.k8s.io/v1alpha1): the VPC CNI of EKS does not enforce it: wall"
)
WAY = ("--from", "shop/web", "--to", "shop/db")
EKS = ("--cni", "eks-vpc-cni")


@pytest.fixture
def folder(tmp_path):
    """Manifests with a wall between two pods, and a revision without it."""

    def git(*args):
        mail = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        subprocess.run(["git", "-C", str(tmp_path), *args], check=True, env={**os.environ, **mail})

    git("init", "-q", "-b", "main")
    (tmp_path / "pods.yaml").write_text(PODS)
    (tmp_path / "open.yaml").write_text(policy("shop/open", "{podSelector: {}, ingress: [{}]}"))
    git("add", ".")
    git("commit", "-qm", "open")
    (tmp_path / "wall.yaml").write_text(WALL)
    git("add", ".")
    git("commit", "-qm", "wall")
    return tmp_path


def named(done):
    """In what a command says, and in its data."""
    data = json.loads(done.out)
    return [TOLD in done.err, TOLD in data.get("notRead", ())]


def test_reach_and_why(netpol, folder):
    done = netpol("reach", str(folder), *EKS, "-o", "json")
    assert ("shop/web[Pod]", "shop/db[Pod]") in {
        (c["from"], c["to"]) for c in json.loads(done.out)["connections"]
    }
    assert named(done) == [True, True]
    done = netpol("why", str(folder), *WAY, "--port", "80", *EKS)
    assert done.code == 0 and f"not analysed: {TOLD}" in done.err and "AdminNetworkPolicy" not in done.out
    done = netpol("why", str(folder), *WAY, "--port", "80", "--cni", "ovn-kubernetes")
    assert done.code == 1 and "not analysed" not in done.err and "AdminNetworkPolicy/wall" in done.out


def test_diff_and_check(netpol, folder):
    for command in (
        ("diff", "HEAD~1..HEAD", "--path", str(folder)),
        ("check", str(folder), "--base", "HEAD~1"),
    ):
        done = netpol(*command, *EKS, "-o", "json")
        assert named(done) == [True, True] and json.loads(done.out)["changes"] == []
        done = netpol(*command, "--cni", "ovn-kubernetes", "-o", "json")
        assert TOLD not in done.err and json.loads(done.out)["changes"]
    text = netpol("check", str(folder), "--base", "HEAD~1", *EKS).out
    assert "the VPC CNI of EKS does not enforce it" in text and "NPC040" in text


def test_a_policy_that_was_named_before_the_change_is_named_once(netpol, folder):
    (folder / "wall.yaml").write_text(WALL + WALL.replace("name: wall", "name: more"))
    done = netpol("check", str(folder), "--base", "HEAD", *EKS, "-o", "json")
    told = [what for what in json.loads(done.out)["notRead"] if "does not enforce" in what]
    assert told == [TOLD.replace("1 Admin", "2 Admin") + ", more"]


def test_intents_replay_and_lint(netpol, folder):
    (folder / "intent.yaml").write_text(INTENT)
    done = netpol("test", str(folder), *EKS, "-o", "json")
    assert done.code == 0 and named(done) == [True, True]
    assert netpol("test", str(folder), "--cni", "ovn-kubernetes").code == 1
    flows = folder / "flows.jsonl"
    flows.write_text('{"src": "shop/web", "dst": "shop/db", "port": 80, "protocol": "TCP"}\n')
    done = netpol("replay", str(folder), "--flows", str(flows), *EKS, "-o", "json")
    assert done.code == 0 and named(done) == [True, True]
    done = netpol("lint", str(folder), *EKS, "-o", "json")
    found = [(f["subject"], f["where"]) for f in json.loads(done.out)["findings"] if f["id"] == "NPC040"]
    assert named(done) == [True, True] and [s for s, _ in found] == ["AdminNetworkPolicy/wall"]
    assert found[0][1].endswith("wall.yaml:2")
    assert "NPC040" not in netpol("lint", str(folder), "--cni", "ovn-kubernetes").out


def test_generate_says_of_what_it_checks(netpol, folder):
    done = netpol("generate", str(folder), "--check", *EKS)
    assert f"not read: {TOLD}" in done.err


def test_why_depends_on_what_decides_whether_a_policy_is_enforced(netpol, folder):
    done = netpol("why", str(folder), *WAY, "--port", "80", "--cni", "antrea")
    asked = (
        "whether Antrea enforces AdminNetworkPolicies, which depends on its feature gate AdminNetworkPolicy"
    )
    assert done.code == 3 and f"  it depends on {asked}" in done.out
    (folder / "wall.yaml").write_text(WALL.replace("Deny", "Allow"))
    done = netpol("why", str(folder), *WAY, "--port", "80", "--cni", "antrea")
    assert done.code == 0 and "depends" not in done.out  # one way or the other


def test_why_depends_on_two_switches_where_only_both_together_matter(netpol, folder):
    cluster = WALL.replace("kind: Admin", "kind: Cluster").replace("v1alpha1", "v1alpha2")
    (folder / "more.yaml").write_text(cluster.replace("{priority", "{tier: Admin, priority"))
    done = netpol("why", str(folder), *WAY, "--port", "80", "--cni", "antrea")
    gates = [line for line in done.out.splitlines() if "its feature gate" in line]
    assert done.code == 3 and len(gates) == 2


def test_the_profile_of_a_version_answers_as_its_open_bug_does(netpol, tmp_path):
    ingress = "ingress: [{from: [{podSelector: {}}], ports: [{port: 1}]}]"
    spec = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{}}], {ingress}}}"
    (tmp_path / "all.yaml").write_text(PODS + policy("shop/db", spec))
    asked = ("why", str(tmp_path), *WAY, "--port", "80", "--cni")
    done = netpol(*asked, "cilium")
    assert done.code == 0 and "(https://github.com/cilium/cilium/issues/48703)" in done.out
    assert netpol(*asked, "cilium:1.20").code == 1
    rows = [
        json.loads(netpol("reach", str(tmp_path), *WAY, "--cni", cni, "-o", "json").out)["connections"][0][
            "ports"
        ]
        for cni in ("cilium", "cilium:1.20")
    ]
    assert rows == ["all", "TCP 1"]
