"""config/default is taken by a real API server, and tells the controller which image probe pods run."""

import pytest

from orchestrator.adapters.kubernetes import connect
from orchestrator.cli.wiring import PROBE_IMAGE
from orchestrator.policy.manifest import parse

pytestmark = pytest.mark.cluster


def test_probe_pods_run_the_image_that_the_controller_runs(plane, harness):
    built = plane.run("kustomize", str(harness.ROOT / "config" / "default"))
    found = [d.obj for d in parse(built.encode(), "config") if d.obj["kind"] == "Deployment"]
    (container,) = found[0]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "netpol-canary:0.1.0"
    assert {e["name"]: e["value"] for e in container["env"]} == {PROBE_IMAGE: container["image"]}


def test_what_it_grants_and_runs_is_valid(plane, harness):
    built = plane.run("kustomize", str(harness.ROOT / "config" / "default"))
    api = connect(plane.kubeconfig)
    for document in parse(built.encode(), "config"):
        if document.obj["kind"] in ("ClusterRole", "ClusterRoleBinding", "Namespace"):
            assert api.create(document.obj, dry_run=True)["metadata"]["uid"]
