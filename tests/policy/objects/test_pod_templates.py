"""Workloads of other controllers: Rollouts, OpenShift's kinds, virtual machines, and what is named as not read."""

import pytest
from made import made, service, workload
from written import pods, written

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.workloads.fleet import fleet

PRICES = workload("prices", space="buy", ports=[8080]) + service("prices", 8080, space="buy")
BODY = written(
    "%s",
    "buy/basket",
    pods(
        "{app: basket}", '{containers: [{name: b, env: [{name: PRICES_URL, value: "http://prices:8080"}]}]}'
    ),
    version="%s",
)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("argoproj.io/v1alpha1", "Rollout"),
        ("apps.kruise.io/v1alpha1", "CloneSet"),
        ("apps.openshift.io/v1", "DeploymentConfig"),
        ("extensions/v1beta1", "Deployment"),
        ("serving.knative.dev/v1", "Service"),
        ("example.com/v1", "Fleetlet"),
    ],
)
def test_a_kind_with_a_template_of_pods_is_a_workload(version, kind):
    found = made(PRICES + BODY % (version, kind))
    assert found.open("buy/basket", "buy/prices", 8080)
    assert f"{kind} (" not in found.told


REFERENCE = written(
    "Rollout", "buy/cart", "{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: cart-template}}"
)


def test_a_rollout_takes_the_template_that_its_reference_names():
    text = (
        PRICES + workload("cart-template", space="buy", env={"PRICES_URL": "http://prices:8080"}) + REFERENCE
    )
    found = made(text)
    assert found.open("buy/cart", "buy/prices", 8080)
    assert found.whole.find("buy/cart")[0].kind == "Rollout"


def test_a_rollout_whose_reference_is_not_here_is_named():
    words = "1 Rollout (argoproj.io/v1alpha1): the workload that its workloadRef names is not here"
    assert words in made(PRICES + REFERENCE).told


MACHINE = """---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: legacy, namespace: buy}
spec: {template: {metadata: {labels: {app: legacy}}, spec: {domain: {devices: {}}}}}
"""


def test_a_virtual_machine_s_pod_has_its_template_s_labels():
    (found,) = fleet(parse(MACHINE.encode(), "x.yaml")).workloads
    assert found.pod.labels["app"] == "legacy"


@pytest.mark.parametrize(
    ("version", "kind", "said"),
    [
        ("kafka.strimzi.io/v1beta2", "Kafka", "a controller may run pods"),
        ("argoproj.io/v1alpha1", "Workflow", "a controller may run pods"),
        ("extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1 alone"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", "another policy API"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy", "another policy API"),
    ],
)
def test_what_is_not_read_is_named_once(version, kind, said):
    one = f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: NAME, namespace: buy}}\nspec: {{}}\n"
    told = fleet(parse((one.replace("NAME", "a") + one.replace("NAME", "b")).encode(), "x.yaml")).skipped
    (line,) = told
    assert line.startswith(f"2 {kind} ({version}): ") and said in line


@pytest.mark.parametrize("kind", ["ConfigMap", "ServiceAccount", "Secret", "PersistentVolumeClaim"])
def test_what_says_nothing_about_connections_is_not_named(kind):
    one = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, namespace: buy}}\n"
    assert fleet(parse(one.encode(), "x.yaml")).skipped == ()
