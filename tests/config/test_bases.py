"""What every base of config/ keeps to: one image for all, namespaces that are named, restricted pods."""

import re
from pathlib import Path

import pytest
import yaml

from orchestrator.adapters.kube.bundle import EXTRAS, bundle
from orchestrator.rollout.resources.model import PolicySourceStatus

CONFIG = Path(__file__).parents[2] / "config"
CLUSTER_WIDE = {
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
BASES = ("manager", "guard", "archive", "argo")


def kustomization(base):
    return yaml.safe_load((CONFIG / base / "kustomization.yaml").read_text())


@pytest.mark.parametrize("base", BASES)
def test_a_base_with_pods_takes_its_image_from_the_one_place(base):
    found = kustomization(base)
    assert found["components"] == ["../image"] and "images" not in found


def test_admission_takes_the_image_of_the_one_place_into_its_policy():
    found = kustomization("admission")
    assert found["components"] == ["../image"]
    (one,) = found["replacements"]
    (target,) = one["targets"]
    assert target["select"]["name"] == "netpol-canary-probe-images"
    local = yaml.safe_load((CONFIG / "admission/image.yaml").read_text())
    assert local["metadata"]["annotations"] == {"config.kubernetes.io/local-config": "true"}
    assert local["metadata"]["name"] == one["source"]["name"]


def test_no_policy_takes_its_parameters_from_another_object():
    """What an API server does not find, a policy does not check."""
    policies = [d for d in bundle("x:1") if d["kind"].startswith("ValidatingAdmissionPolicy")]
    assert len(policies) > 10
    assert [d["metadata"]["name"] for d in policies if {"paramKind", "paramRef"} & d["spec"].keys()] == []


def test_the_image_is_set_in_no_other_place():
    setting = [f.parent.name for f in CONFIG.glob("*/kustomization.yaml") if "\nimages:" in f.read_text()]
    assert setting == ["image"]


def test_every_object_names_its_namespace():
    """`install` reads the files as they stand: what kustomize alone would add is not there."""
    found = [d for d in bundle("registry.example.com/x:1", EXTRAS) if d["kind"] not in CLUSTER_WIDE]
    assert found
    assert {(d["kind"], d["metadata"]["name"]) for d in found if "namespace" not in d["metadata"]} == set()


def test_our_namespace_takes_restricted_pods_only():
    (space,) = [d for d in bundle("registry.example.com/x:1") if d["kind"] == "Namespace"]
    assert space["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_each_field_of_a_source_s_status_is_held_by_admission():
    """A field that is added later must not be open to whoever may release a revision."""
    (policy,) = [
        d
        for d in bundle("x:1")
        if (d["kind"], d["metadata"]["name"]) == ("ValidatingAdmissionPolicy", "netpol-canary-sources")
    ]
    said = policy["spec"]["validations"][0]["expression"]
    fields = [f.alias for f in PolicySourceStatus.model_fields.values()]
    assert len(fields) > 8
    assert [f for f in fields if not re.search(rf"oldObject\.\?status\.\?{f}\b", said)] == []
