"""The Argo CD and Flux examples as Helm and kustomize themselves read them."""

import subprocess
from pathlib import Path

import harness
import pytest
import yaml
from helm_program import rendered, valued
from patience import ENOUGH

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
FOLDERS = sorted(p.parent for p in EXAMPLES.rglob("kustomization.yaml"))


def values(part):
    if part == "argo-cd":
        text = (EXAMPLES / "argo-cd/netpol-canary.yaml").read_text()
        return yaml.safe_load(text)["spec"]["source"]["helm"]["valuesObject"]
    return yaml.safe_load((EXAMPLES / "flux/install/release.yaml").read_text())["spec"]["values"]


@pytest.mark.parametrize("part", ["argo-cd", "flux"])
def test_helm_gives_what_the_example_asks_for(part, tmp_path):
    given = values(part)
    found = {(d["kind"], d["metadata"]["name"]): d for d in rendered(*valued(tmp_path, given))}
    pod = found["Deployment", "netpol-canary"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].startswith(given["image"]["repository"])
    (settings,) = found["ConfigMap", "netpol-canary-settings"]["data"].values()
    assert yaml.safe_load(settings).items() >= given["settings"].items()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: str(f.relative_to(EXAMPLES)))
def test_kustomize_builds_each_directory(folder):
    done = subprocess.run(
        [harness.binaries() / "kubectl", "kustomize", folder],
        capture_output=True,
        text=True,
        timeout=ENOUGH,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [d for d in yaml.safe_load_all(done.stdout) if d]
    files = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert len(found) >= len(files)
    assert {d["metadata"].get("namespace") for d in found if d["kind"] == "PolicySource"} <= {"netpol-canary"}
