"""Selectors hold no label that only one pod, run, replica, place or release has."""

import pytest
import yaml
from made import made
from written import plain

from orchestrator.policy.objects.lasting_labels import lasting, shared

SPEC = {"containers": [{"name": "c", "env": [{"name": "U", "value": "https://example.com"}]}]}


@pytest.mark.parametrize(
    "label",
    [
        "job-name",
        "controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/anything-new",
        "apps.kubernetes.io/pod-index",
        "statefulset.kubernetes.io/pod-name",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/rack",
        "failure-domain.beta.kubernetes.io/zone",
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "kubernetes.io/hostname",
        "leaderworkerset.sigs.k8s.io/worker-index",
        "jobset.sigs.k8s.io/job-index",
        "apps.kruise.io/cloneset-instance-id",
        "workflows.argoproj.io/workflow",
        "serving.knative.dev/revisionUID",
        "example.com/replica-index",
        "example.com/configHash",
    ],
)
def test_no_selector_holds_what_a_controller_puts_on_single_pods(label):
    pod = plain("Pod", "a/x-1", SPEC, {"app": "x", label: "one"})
    (text,) = [t for n, t in made(yaml.safe_dump(pod)).files.items() if n == "a/x-1.yaml"]
    assert yaml.safe_load(text)["spec"]["podSelector"] == {"matchLabels": {"app": "x"}}


@pytest.mark.parametrize(
    "label", ["app", "druid", "tier", "app.kubernetes.io/instance", "deployment", "fluid", "indexer"]
)
def test_what_people_call_their_workloads_by_stays(label):
    assert lasting({label: "web-3"}) == {label: "web-3"}


def test_a_release_of_a_deployment_config_passes():
    assert lasting({"deploymentconfig": "web", "deployment": "web-3"}) == {"deploymentconfig": "web"}


def test_a_uuid_is_nobody_s_name_for_long():
    assert lasting({"owner": "8b2d7a90-0000-4000-8000-000000000002", "app": "x"}) == {"app": "x"}


def test_labels_that_differ_among_the_pods_of_a_workload_are_left_out():
    assert shared([{"app": "db", "role": "primary"}, {"app": "db", "role": "replica"}]) == {"app": "db"}
    owner = {"ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": True}]}
    pods = [plain("Pod", f"a/db-{r}", SPEC, {"app": "db", "role": r}, owner) for r in ("primary", "replica")]
    files = made(yaml.safe_dump_all(pods)).files
    assert "role" not in files["a/db.yaml"] and "app: db" in files["a/db.yaml"]


TWO = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: a}
spec:
  selector: {matchLabels: %s}
  template:
    metadata: {labels: {app: shop, part: %s, release-note: "2024-11"}}
    spec: {containers: [{name: c, env: [{name: U, value: "https://example.com"}]}]}
"""


def test_the_workload_s_own_selector_is_taken():
    files = made(TWO % ("web", "{part: web}", "web")).files
    assert yaml.safe_load(files["a/web.yaml"])["spec"]["podSelector"] == {"matchLabels": {"part": "web"}}


def test_a_selector_that_means_another_workload_s_pods_too_is_not_taken():
    files = made(TWO % ("web", "{app: shop}", "web") + "---" + TWO % ("jobs", "{app: shop}", "jobs")).files
    assert yaml.safe_load(files["a/web.yaml"])["spec"]["podSelector"]["matchLabels"]["part"] == "web"
