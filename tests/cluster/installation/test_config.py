"""config/ is taken by a real API server, base by base; one image holds for all, and restricted pods are all it runs."""

import json
import shutil
import uuid

import pytest
import yaml
from patience import ENOUGH, eventually

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.wiring import PROBE_IMAGE
from orchestrator.errors import Forbidden
from orchestrator.policy.files.manifest import parse

pytestmark = pytest.mark.cluster

OURS = "registry.example.com/platform/netpol-canary:1.2.3"
TRIED = ("default", "archive", "network", "podlabels", "kinds", "samples")
# Kinds that this API server does not have: test_argo_dag.py applies config/argo with Argo's CRDs, tests/config reads the other.
ELSEWHERE = ("argo", "monitoring")
COMPONENTS = ("image", "impersonation")


def objects(plane, folder):
    return [d.obj for d in parse(plane.run("kustomize", str(folder)).encode(), "config")]


@pytest.fixture(scope="module")
def strict(plane, harness):
    """A namespace with the labels of ours, in which nothing is ever stored."""
    (labels,) = [
        d["metadata"]["labels"]
        for d in objects(plane, harness.ROOT / "config/rbac")
        if d["kind"] == "Namespace"
    ]
    name = f"t-{uuid.uuid4().hex[:8]}"
    meta = {"name": name, "labels": {**labels, "netpol-canary.dev/test": "true"}}
    connect(plane.kubeconfig, timeout=ENOUGH).create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    )
    yield name
    plane.run("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("base", TRIED)
def test_every_object_is_taken_strictly_validated(plane, harness, strict, base):
    documents = objects(plane, harness.ROOT / "config" / base)
    for document in documents:
        if document["metadata"].get("namespace") == "netpol-canary":
            document["metadata"]["namespace"] = strict  # ours need not stand for this
    text = yaml.safe_dump_all(documents)
    said = plane.run("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    assert len(said.splitlines()) == len(documents)


def test_no_base_is_left_out(harness):
    parts = {f.parent.name for f in (harness.ROOT / "config").glob("*/kustomization.yaml")}
    default = yaml.safe_load((harness.ROOT / "config/default/kustomization.yaml").read_text())["resources"]
    assert parts == {*TRIED, *ELSEWHERE, *COMPONENTS, *(r.removeprefix("../") for r in default)}


def running(plane, config):
    """Every pod of ours, as its controller would create it; those of workflows with what Argo adds to them."""
    for base in ("default", "archive"):
        for document in objects(plane, config / base):
            if document["kind"] in ("Deployment", "CronJob"):
                template = document["spec"].get("jobTemplate", document)["spec"]["template"]
                yield document["metadata"]["name"], template["spec"]
    found = {
        d["metadata"]["name"]: d["spec"]
        for d in objects(plane, config / "argo")
        if d["kind"] == "WorkflowTemplate"
    }
    wave, (step,) = found["netpol-canary-wave"], found["netpol-canary-step"]["templates"]
    added = json.loads(wave["podSpecPatch"])
    image = {"image": "quay.io/argoproj/argoexec:v4.0.0"}
    yield (
        "netpol-canary-step",
        {
            "securityContext": wave["securityContext"],
            "initContainers": [{**image, **c} for c in added["initContainers"]],
            "containers": [
                {**step["container"], "name": "main"},
                *({**image, **c} for c in added["containers"]),
            ],
            "volumes": step["volumes"],
        },
    )


def pod(name, space, spec):
    spec = {k: v for k, v in spec.items() if k != "serviceAccountName"}  # it would have to stand
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space}, "spec": spec}


def test_our_namespace_takes_all_our_pods_and_no_laxer_ones(plane, harness, strict):
    api, names = connect(plane.kubeconfig, timeout=ENOUGH), []
    for name, spec in running(plane, harness.ROOT / "config"):
        assert api.create(pod(name, strict, spec), dry_run=True)["spec"]["containers"]
        names.append(name)
        spec["containers"][-1]["securityContext"]["allowPrivilegeEscalation"] = True
        with pytest.raises(Forbidden, match="allowPrivilegeEscalation != false"):
            api.create(pod(name, strict, spec), dry_run=True)
    assert names == ["netpol-canary", "netpol-canary-guard", "netpol-canary-archive", "netpol-canary-step"]


def test_an_image_that_is_set_once_is_everywhere_in_probe_pods_too(plane, harness, tmp_path):
    shutil.copytree(harness.ROOT / "config", tmp_path / "config")
    place = tmp_path / "config/image/kustomization.yaml"
    name, tag = OURS.rsplit(":", 1)
    text = place.read_text()
    assert text.count("newName: netpol-canary\n") == text.count("newTag: 0.1.0\n") == 1
    changed = text.replace("newName: netpol-canary\n", f"newName: {name}\n").replace(
        "newTag: 0.1.0", f"newTag: {tag}"
    )
    place.write_text(changed)
    images, probing = [], []
    for _, spec in running(plane, tmp_path / "config"):
        images += [c["image"] for c in spec["containers"] if c["name"] != "wait"]
        probing += [
            e["value"] for c in spec["containers"] for e in c.get("env", []) if e["name"] == PROBE_IMAGE
        ]
    assert images == [OURS] * 4 and probing == [OURS] * 2


def test_probe_pods_run_the_image_that_the_controller_runs(plane, harness):
    found = [d for d in objects(plane, harness.ROOT / "config/default") if d["kind"] == "Deployment"]
    (container,) = found[0]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "netpol-canary:0.1.0"
    assert {e["name"]: e["value"] for e in container["env"]} == {PROBE_IMAGE: container["image"]}


def test_the_right_to_write_a_kind_is_that_of_its_file_alone(plane, harness):
    accounts = ("netpol-canary", "netpol-canary-guard", "netpol-canary-step")
    file = str(harness.ROOT / "config/kinds/ciliumnetworkpolicies.yaml")

    def may(verb, kind, account):
        asked = {"group": "cilium.io", "resource": kind, "verb": verb}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": f"system:serviceaccount:netpol-canary:{account}", "resourceAttributes": asked},
        }
        found = plane.run("create", "-f", "-", "-o", "json", stdin=json.dumps(review))
        return json.loads(found)["status"]["allowed"]

    plane.run("apply", "-f", file)
    try:
        eventually(lambda: all(may("create", "ciliumnetworkpolicies", account) for account in accounts))
        for account in accounts:
            for verb in ("list", "create", "update", "delete"):
                assert may(verb, "ciliumnetworkpolicies", account), (verb, account)
            assert not may("create", "ciliumclusterwidenetworkpolicies", account)
    finally:
        plane.run("delete", "-f", file)
    eventually(lambda: not any(may("create", "ciliumnetworkpolicies", account) for account in accounts))
