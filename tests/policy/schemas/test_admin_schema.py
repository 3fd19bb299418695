"""What is refused in an AdminNetworkPolicy is named by the field at which the API refuses it."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from orchestrator.policy.schemas.admin_schema import admin_problems, baseline_problems
from orchestrator.policy.schemas.policy_kinds import policy_kind

SHARED = Path(__file__).parents[4] / "shared" / "policies"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared policies are not beside this clone")
GOOD = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "x"},
    "spec": {
        "priority": 10,
        "subject": {"pods": {"namespaceSelector": {}, "podSelector": {}}},
        "ingress": [
            {"name": "in", "action": "Pass", "from": [{"namespaces": {}}], "ports": [{"namedPort": "http"}]}
        ],
        "egress": [
            {"action": "Allow", "to": [{"domainNames": ["*.example.org"]}]},
            {"action": "Deny", "to": [{"networks": ["10.0.0.0/8"]}, {"nodes": {}}]},
        ],
    },
}


@needs_shared
def test_every_policy_of_the_shared_cases_is_taken():
    paths = sorted(SHARED.glob("admin/*.json"))
    assert len(paths) > 50
    for path in paths:
        for policy in json.loads(path.read_text())["adminPolicies"]:
            assert policy_kind(policy).problems(policy) == [], path.name


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("invalid/anp-*.json")), ids=lambda p: p.stem)
def test_the_shared_invalid_ones_are_refused_at_the_field_that_is_named(path):
    case = json.loads(path.read_text())
    found = [text for policy in case["manifests"] for text in policy_kind(policy).problems(policy)]
    assert any(text.startswith(case["field"]) for text in found), (case["field"], found)


def changed(path, value):
    found = deepcopy(GOOD)
    at = found["spec"]
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["priority"], 1001, "spec.priority: must be a whole number from 0 to 1000"),
        (["priority"], None, "spec.priority: is required"),
        (["subject", "pods", "podSelector"], None, "spec.subject.pods.podSelector: is required"),
        (["ingress", 0, "from"], [], "spec.ingress[0].from: must hold 1 to 100 items"),
        (
            ["ingress", 0, "from"],
            [{"networks": ["10.0.0.0/8"]}],
            "spec.ingress[0].from[0].networks: unknown field",
        ),
        (["ingress", 0, "ports"], [], "spec.ingress[0].ports: must hold 1 to 100 items"),
        (["ingress", 0, "name"], "n" * 101, "spec.ingress[0].name: must not be longer than 100 characters"),
        (["egress", 0, "action"], "Deny", "spec.egress[0].to[0].domainNames: is for rules that allow alone"),
        (["egress", 1, "ports"], [{"namedPort": "a"}], "spec.egress[1]: namedPort may not stand together"),
        (
            ["egress", 1, "to"],
            [{"networks": ["10.0.0.0/8"] * 26}],
            "spec.egress[1].to[0].networks: must hold 1 to 25",
        ),
        (["ingres"], [], "spec.ingres: unknown field, did you mean"),
    ],
)
def test_each_mistake_is_named(path, value, said):
    assert admin_problems(GOOD) == []
    found = admin_problems(changed(path, value))
    assert len(found) == 1 and found[0].startswith(said), found


def test_there_is_one_baseline_and_it_has_no_priority():
    body = {**GOOD, "kind": "BaselineAdminNetworkPolicy", "metadata": {"name": "default"}}
    spec = {"subject": {"namespaces": {}}, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}
    assert baseline_problems({**body, "spec": spec}) == []
    assert baseline_problems({**body, "metadata": {"name": "floor"}, "spec": spec})[0].startswith(
        "metadata.name: "
    )
    assert baseline_problems({**body, "spec": {**spec, "priority": 1}})[0].startswith(
        "spec.priority: unknown field"
    )


def test_objects_of_other_groups_are_none_of_these():
    assert policy_kind({**GOOD, "apiVersion": "crd.antrea.io/v1beta1"}) is None
    assert policy_kind({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}) is None
