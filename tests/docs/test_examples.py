"""The Argo CD and Flux examples fit together, and fit what the chart, config/ and the models really are."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from orchestrator.adapters.kube.bundle import EXTRAS, bundle
from orchestrator.rollout.resources import model as m

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples"
FILES = sorted(EXAMPLES.rglob("*.yaml"))
OURS = "https://git.example.com/platform/netpol-canary"


def documents(part):
    """Kind, name and document of every object below a directory, kustomizations aside."""
    found = {}
    for path in sorted((EXAMPLES / part).rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            for one in yaml.safe_load_all(path.read_text()):
                found[one["kind"], one["metadata"]["name"]] = one
    return found


ARGO, FLUX = documents("argo-cd"), documents("flux")
CHART = ARGO["Application", "netpol-canary"]["spec"]
RELEASE = FLUX["HelmRelease", "netpol-canary"]["spec"]


@pytest.mark.parametrize(
    "folder", sorted({p.parent for p in FILES}), ids=lambda f: str(f.relative_to(EXAMPLES))
)
def test_each_directory_applies_every_file_of_its_own(folder):
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    apart = {"kustomization.yaml", "argocd-cm.yaml"}
    assert set(listed) == {p.name for p in folder.glob("*.yaml")} - apart


@pytest.mark.parametrize("values", [CHART["source"]["helm"]["valuesObject"], RELEASE["values"]])
def test_the_chart_takes_the_values(values):
    held = json.loads((ROOT / "charts/netpol-canary/values.schema.json").read_text())
    assert values and list(Draft7Validator(held).iter_errors(values)) == []


def test_the_chart_is_where_they_take_it_from_and_goes_where_it_must():
    assert (ROOT / CHART["source"]["path"] / "Chart.yaml").is_file() and CHART["source"]["repoURL"] == OURS
    assert (ROOT / RELEASE["chart"]["spec"]["chart"] / "Chart.yaml").is_file()
    assert FLUX["GitRepository", RELEASE["chart"]["spec"]["sourceRef"]["name"]]["spec"]["url"] == OURS
    (space,) = [d for d in bundle("x:1") if d["kind"] == "Namespace"]
    name = space["metadata"]["name"]
    assert CHART["destination"]["namespace"] == RELEASE["targetNamespace"] == name
    assert CHART["source"]["helm"]["releaseName"] == RELEASE["releaseName"] == name
    own = FLUX["Namespace", name]["metadata"]
    assert own["labels"] == space["metadata"]["labels"]


def test_the_project_may_do_what_the_chart_has_beyond_its_namespace_and_no_more():
    spec = ARGO["AppProject", "netpol-canary"]["spec"]
    wide = {
        (d["apiVersion"].rpartition("/")[0], d["kind"])
        for d in bundle("x:1", EXTRAS)
        if "namespace" not in d["metadata"]
    }
    assert {(k["group"], k["kind"]) for k in spec["clusterResourceWhitelist"]} == wide
    applications = [d["spec"] for (kind, _), d in ARGO.items() if kind == "Application"]
    assert len(applications) == 2
    for one in applications:
        assert one["project"] == "netpol-canary" and one["source"]["repoURL"] in spec["sourceRepos"]
        assert one["destination"] in spec["destinations"]


@pytest.mark.parametrize("part", ["argo-cd", "flux"])
def test_the_source_is_one_and_stands_where_the_example_looks_for_it(part):
    found = documents(part)["PolicySource", "payments"]
    m.PolicySourceSpec.model_validate(found["spec"])
    path = EXAMPLES / part / "sources/payments.yaml"
    schema = re.match(r"# yaml-language-server: \$schema=(\S+)", path.read_text())[1]
    whole = json.loads((path.parent / schema).read_text())
    assert (
        list(
            Draft7Validator(whole).iter_errors({**found, "metadata": {**found["metadata"], "namespace": "x"}})
        )
        == []
    )
    assert yaml.safe_load((path.parent / "kustomization.yaml").read_text())["namespace"] == "netpol-canary"


def test_every_name_and_path_of_flux_leads_to_what_is_there():
    steps = {name: d["spec"] for (kind, name), d in FLUX.items() if kind == "Kustomization"}
    for spec in steps.values():
        assert (EXAMPLES / "flux" / spec["path"] / "kustomization.yaml").is_file()
        assert ("GitRepository", spec["sourceRef"]["name"]) in FLUX
        assert {d["name"] for d in spec.get("dependsOn", [])} <= set(steps)
    assert (EXAMPLES / "argo-cd" / ARGO["Application", "policy-sources"]["spec"]["source"]["path"]).is_dir()
    assert (
        steps["policy-sources"]["dependsOn"] == [{"name": "netpol-canary"}] and steps["netpol-canary"]["wait"]
    )
    (health,) = steps["policy-sources"]["healthCheckExprs"]
    assert (health["apiVersion"], health["kind"]) == (m.API_VERSION, "PolicySource")
    known = {f.alias or n for n, f in m.PolicySourceStatus.model_fields.items()}
    assert set(re.findall(r"status\.\??(\w+)", json.dumps(health))) <= known


def shown(page):
    return [
        yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)
    ]


def test_the_guides_show_what_the_examples_hold():
    merged = ARGO["ConfigMap", "argocd-cm"]["data"]
    blocks = [b["data"] for b in shown("argo-cd.md") if "data" in b]
    assert len(blocks) == 2 and {k: v for b in blocks for k, v in b.items()} == merged
    ignored = next(
        b["spec"]["orphanedResources"]
        for b in shown("argo-cd.md")
        if "orphanedResources" in b.get("spec", {})
    )
    assert ignored == ARGO["AppProject", "netpol-canary"]["spec"]["orphanedResources"]
    assert FLUX["Kustomization", "policy-sources"] in shown("flux.md")
    for page, part in (("argo-cd.md", "argo-cd"), ("flux.md", "flux")):
        linked = set(re.findall(r"\(examples/([\w./-]+)\)", (ROOT / "docs" / page).read_text()))
        assert linked >= {f"{part}/{p.name}" for p in (EXAMPLES / part).glob("*.yaml")} - {
            f"{part}/kustomization.yaml"
        }
