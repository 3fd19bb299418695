"""An older version's CRDs and objects stand on a real API server; this version's CRDs go over them, and all is served."""

from pathlib import Path

import pytest
import yaml
from patience import ENOUGH, KUBECTL, eventually

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import NotFound
from orchestrator.ports import Kind
from orchestrator.rollout.resources.resource import load

pytestmark = pytest.mark.cluster

FROZEN = Path(__file__).parents[2] / "upgrade"
VERSIONS = sorted(p.name for p in FROZEN.iterdir() if (p / "crd").is_dir())


@pytest.fixture
def older(harness, tmp_path):
    """A control plane of its own, without anything of ours."""
    with harness.control_plane(tmp_path / "plane", ours=False) as plane:
        yield plane


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_outlive_an_upgrade_of_the_crds(older, harness, version):
    plane = older
    for folder in (FROZEN / version / "crd", None):
        given = ("-f", str(folder)) if folder else ("-k", str(harness.ROOT / "config" / "crd"))
        plane.run("apply", "--server-side", "--force-conflicts", *given)
        plane.run("wait", "--for=condition=Established", "crd", "-l", "!none", KUBECTL, check=False)
        if folder is None:
            break
        plane.run("create", "namespace", "netpol-canary")
        api = connect(plane.kubeconfig, timeout=ENOUGH)
        made = []
        for file in sorted((FROZEN / version).glob("*.yaml")):
            for obj in yaml.safe_load_all(file.read_text()):
                meta = {
                    k: v for k, v in obj["metadata"].items() if k in ("namespace", "labels", "annotations")
                }
                name = f"{file.stem}-{obj['metadata']['name']}"
                created = served(api, {**obj, "metadata": {**meta, "name": name}})
                if obj.get("status"):
                    api.replace_status({**created, "status": obj["status"]})
                made.append((Kind(obj["apiVersion"], obj["kind"]), name))
    assert {k.kind for k, _ in made} == {
        "PolicySource",
        "PolicyRollout",
        "NamespaceRollout",
        "WaveAnalysis",
        "RolloutApproval",
        "RolloutFreeze",
    }
    for kind, name in made:
        found = load(api.get(kind, name, "netpol-canary"))
        assert api.replace_status(found.with_status(found.status))["metadata"]["name"] == name
        labels = {**(found.manifest["metadata"].get("labels") or {}), "seen": "yes"}
        fresh = api.get(kind, name, "netpol-canary")
        api.replace({**fresh, "metadata": {**fresh["metadata"], "labels": labels}}, dry_run=True)


def served(api, obj):
    """Created; the API server takes a moment to serve a new kind."""
    from orchestrator.errors import Busy

    def made():
        try:
            return api.create(obj)
        except (Busy, NotFound):
            return None

    return eventually(made)
