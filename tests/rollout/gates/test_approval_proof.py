"""What is tried to prove that approvals can be believed is what config/admission refuses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from orchestrator.rollout.gates.approval_proof import NOBODY, condition, proven, trials
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

CONFIG = Path(__file__).parents[3] / "config"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def documents():
    names = yaml.safe_load((CONFIG / "admission" / "kustomization.yaml").read_text())["resources"]
    assert {*names, "kustomization.yaml"} == {p.name for p in (CONFIG / "admission").iterdir()}
    return [d for n in names for d in yaml.safe_load_all((CONFIG / "admission" / n).read_text())]


def rollout(**status):
    spec = m.PolicyRolloutSpec(source="s", revision="c", strategy=m.Strategy(), plan_digest="d", waves=[])
    obj = new("PolicyRollout", "r" * 253, "own", spec)
    obj["status"] = m.PolicyRolloutStatus(**status).model_dump(mode="json", by_alias=True)
    return load(obj)


def test_every_policy_is_valid_bound_and_fails_closed():
    found = documents()
    for obj in found:
        kubernetes_validate.validate(obj, "1.34", strict=True)
    policies = [o for o in found if o["kind"] == "ValidatingAdmissionPolicy"]
    bindings = {o["spec"]["policyName"]: o["spec"] for o in found if o["kind"].endswith("Binding")}
    assert {o["metadata"]["name"] for o in policies} == set(bindings) and len(policies) >= 9
    assert all(o["spec"]["failurePolicy"] == "Fail" for o in policies)
    assert all(b["validationActions"] == ["Deny"] and "matchResources" not in b for b in bindings.values())
    whole = yaml.safe_load((CONFIG / "default" / "kustomization.yaml").read_text())
    assert "../admission" in whole["resources"]


def test_the_trials_are_refused_by_the_first_rules_of_the_policy():
    found = trials(rollout(), "own", "system:serviceaccount:own:netpol-canary")
    (policy,) = [
        o
        for o in documents()
        if o["metadata"]["name"] == "netpol-canary-approvals" and "validations" in o["spec"]
    ]
    assert [t.refusal for t in found] == [v["message"] for v in policy["spec"]["validations"][:2]]
    assert [(t.obj["spec"]["user"] == NOBODY, t.obj["spec"]["groups"]) for t in found] == [
        (True, []),
        (False, [NOBODY]),
    ]
    assert all(len(t.obj["metadata"]["name"]) <= 253 for t in found)


@pytest.mark.parametrize(("age", "known"), [(-1, None), (0, True), (29, True), (30, None)])
def test_a_proof_holds_for_a_while(age, known):
    made = m.Condition(type="ApprovalsProven", status="True", reason="r", last_transition_time=NOW)
    given = rollout(approvals_proven_at=NOW - timedelta(seconds=age), conditions=[made])
    assert proven(given, NOW) is known
    assert condition(given).status == "True" and proven(rollout(), NOW) is None
