"""lint finds selectors on labels that the next pod, run or release does not have."""

import pytest

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

JOB = """apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: books}
spec: {template: {metadata: {labels: {app: migrate}}, spec: {restartPolicy: Never, containers: [{name: c, image: migrate}]}}}
---
"""
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: books}
spec: {podSelector: SELECTOR, ingress: [{from: [{podSelector: PEER}]}]}
"""


def found(selector="{}", peer="{}"):
    text = JOB + POLICY.replace("SELECTOR", selector).replace("PEER", peer)
    return [f for f in lint(fleet(parse(text.encode(), "all.yaml"))) if f.rule.id == "NPC022"]


@pytest.mark.parametrize(
    "label",
    [
        "pod-template-hash: 6d4f9c7b8",
        "controller-uid: 8b2d7a90-0000-4000-8000-000000000002",
        "batch.kubernetes.io/controller-uid: 8b2d7a90-0000-4000-8000-000000000002",
        "batch.kubernetes.io/job-name: export-29318400",
        "controller-revision-hash: till-5d4c",
        "app.kubernetes.io/version: 1.4.2",
        "helm.sh/chart: till-1.4.2",
    ],
)
def test_labels_of_one_pod_run_or_release_are_found_at_both_ends(label):
    selector = f"{{matchLabels: {{app: till, {label}}}}}"
    key = label.partition(":")[0]
    for (one,), place in (
        (found(selector=selector), "podSelector"),
        (found(peer=selector), "ingress[0].from[0].podSelector"),
    ):
        assert one.message.startswith(f"{place} asks for {key}=") and one.rule.severity == "warning"


@pytest.mark.parametrize(
    "label", ["statefulset.kubernetes.io/pod-name: db-0", "topology.kubernetes.io/zone: a"]
)
def test_one_replica_and_one_place_may_be_meant(label):
    (one,) = found(peer=f"{{matchLabels: {{{label}}}}}")
    assert one.rule.severity == "info"


@pytest.mark.parametrize(
    "selector",
    [
        "{matchLabels: {app.kubernetes.io/name: till, app.kubernetes.io/instance: eu}}",
        "{matchLabels: {job-name: migrate}}",  # a Job of this name stands there
        "{matchExpressions: [{key: pod-template-hash, operator: Exists}]}",  # all pods of Deployments
    ],
)
def test_labels_that_last_are_right(selector):
    assert found(selector, selector) == []
