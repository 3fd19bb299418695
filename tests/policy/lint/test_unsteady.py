"""lint finds selectors on labels that the next pod, run or release does not have."""

import pytest
from linted import linted
from written import policy, written

RUN = "spec: {restartPolicy: Never, containers: [{name: c, image: migrate}]}"
JOB = written("Job", "books/migrate", f"{{template: {{metadata: {{labels: {{app: migrate}}}}, {RUN}}}}}")


def found(selector="{}", peer="{}"):
    rules = f"{{podSelector: {selector}, ingress: [{{from: [{{podSelector: {peer}}}]}}]}}"
    return linted("NPC022", JOB, policy("books/p", rules))


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
