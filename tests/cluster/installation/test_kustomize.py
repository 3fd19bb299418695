"""kubectl builds what the commit holds."""

import subprocess

import pytest

from orchestrator.adapters.git.repository import GitRepository
from orchestrator.policy.files.manifest import parse

pytestmark = pytest.mark.cluster

POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow}
spec: {podSelector: {}}
"""


def test_an_overlay_over_a_base_beside_the_path(plane, tmp_path):
    files = {
        "base/policy.yaml": POLICY,
        "base/kustomization.yaml": "resources: [policy.yaml]\n",
        "one/kustomization.yaml": "namespace: pay\nnamePrefix: one-\nresources: [../base]\n",
    }
    root = tmp_path / "repo"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", "-C", str(root), *identity, *command], check=True, capture_output=True)
    source = GitRepository(str(root), tmp_path / "cache", path="one", kustomize=(plane.kubectl, "kustomize"))
    (content,) = source.files(source.resolve()).values()
    (found,) = parse(content, "kustomization.yaml")
    assert found.obj["metadata"] == {"name": "one-allow", "namespace": "pay"}
