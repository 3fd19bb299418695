"""config/podlabels is the only part by which pods may be changed, and its policy holds everybody to whom it is granted."""

import re
from pathlib import Path

import pytest

from orchestrator.adapters.kube.bundle import bundle, collected

CONFIG = Path(__file__).parents[2] / "config"
CHANGING = {"update", "patch", "*"}
OF_PODS = re.compile(r"pods(/(status|ephemeralcontainers|resize|binding|eviction))?|\*")
RIGHT = {(kind, "netpol-canary-pod-labels") for kind in ("ClusterRole", "ClusterRoleBinding")}
POLICY = {
    (kind, "netpol-canary-pod-labels")
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
}


def named(documents):
    return [(d["kind"], d["metadata"]["name"]) for d in documents]


@pytest.fixture
def part():
    return dict(zip(named(found := collected(["podlabels"])), found, strict=True))


def test_it_is_installed_where_it_is_asked_for_and_the_policy_before_the_right():
    before = named(bundle("x:1"))
    after = named(bundle("x:1", ["podlabels"]))
    assert set(after) - set(before) == RIGHT | POLICY
    assert max(map(after.index, POLICY)) < min(map(after.index, RIGHT))


def test_no_other_part_changes_pods():
    parts = {f.parent.name for f in CONFIG.glob("*/kustomization.yaml")}
    changing = {
        (d["kind"], d["metadata"]["name"])
        for d in collected(sorted(parts))
        if d["kind"] in ("Role", "ClusterRole")
        for rule in d["rules"]
        if {"", "*"} & set(rule["apiGroups"]) and CHANGING & set(rule["verbs"])
        if any(OF_PODS.fullmatch(resource) for resource in rule["resources"])
    }
    assert changing == {("ClusterRole", "netpol-canary-pod-labels")}


def test_pods_are_updated_and_none_of_their_subresources(part):
    (rule,) = part["ClusterRole", "netpol-canary-pod-labels"]["rules"]
    assert rule == {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "update"]}


def test_the_policy_holds_those_to_whom_it_is_granted_and_nobody_else(part):
    subjects = part["ClusterRoleBinding", "netpol-canary-pod-labels"]["subjects"]
    users = {f"system:serviceaccount:{s['namespace']}:{s['name']}" for s in subjects}
    spec = part["ValidatingAdmissionPolicy", "netpol-canary-pod-labels"]["spec"]
    (whose,) = spec["matchConditions"]
    assert set(re.findall(r"'([^']+)'", whose["expression"])) == users
    assert whose["expression"].startswith("request.userInfo.username in [")
    assert {s["kind"] for s in subjects} == {"ServiceAccount"} and len(users) == 3


def test_what_the_policy_cannot_check_it_refuses(part):
    assert part["ValidatingAdmissionPolicy", "netpol-canary-pod-labels"]["spec"]["failurePolicy"] == "Fail"
    binding = part["ValidatingAdmissionPolicyBinding", "netpol-canary-pod-labels"]["spec"]
    assert binding == {"policyName": "netpol-canary-pod-labels", "validationActions": ["Deny"]}
