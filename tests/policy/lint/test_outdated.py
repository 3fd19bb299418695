"""lint finds objects whose apiVersion the cluster's version does not serve, workloads and policies among them."""

import pytest
from linted import read
from written import written

from orchestrator.policy.lint.linter import lint

TEMPLATE = "{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: a}]}}"


def found(version, kind, spec="{}", kubernetes=""):
    listed = lint(read(written(kind, "attic/old", spec, version=version)), kubernetes=kubernetes)
    return [(f.subject, f.where, f.rule.severity, f.message) for f in listed if f.rule.id == "NPC023"]


@pytest.mark.parametrize(
    ("version", "kind", "spec", "since", "instead"),
    [
        ("extensions/v1beta1", "NetworkPolicy", "{podSelector: {}}", 16, "networking.k8s.io/v1"),
        ("extensions/v1beta1", "Deployment", f"{{template: {TEMPLATE}}}", 16, "apps/v1"),
        ("apps/v1beta2", "StatefulSet", f"{{template: {TEMPLATE}}}", 16, "apps/v1"),
        ("networking.k8s.io/v1beta1", "Ingress", "{}", 22, "networking.k8s.io/v1"),
        ("batch/v1beta1", "CronJob", f"{{jobTemplate: {{spec: {{template: {TEMPLATE}}}}}}}", 25, "batch/v1"),
        ("policy/v1beta1", "PodDisruptionBudget", "{}", 25, "policy/v1"),
    ],
)
def test_what_is_gone_is_named_with_what_to_write(version, kind, spec, since, instead):
    (one,) = found(version, kind, spec)
    text = f"{version} is not served by Kubernetes from 1.{since} on: write {instead}"
    assert one == (f"{kind} attic/old", "all.yaml:2", "error", text)
    assert found(version, kind, spec, f"1.{since - 1}") == [] != found(version, kind, spec, f"1.{since}")


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("apps/v1", "Deployment", f"{{template: {TEMPLATE}}}"),
        ("networking.k8s.io/v1", "NetworkPolicy", "{podSelector: {}}"),
        ("example.com/v1beta1", "Ingress", "{}"),
    ],
)
def test_what_is_served_is_right(version, kind, spec):
    assert found(version, kind, spec) == []
