"""What `install` prints is what kubectl would build, with one image everywhere; what a cluster offers is told."""

import pytest
import yaml
from stage import OWN, Stage

from orchestrator.adapters.kube.bundle import EXTRAS, bundle
from orchestrator.cli.operate.preflight import _cni, _namespace, _version
from orchestrator.context import NAMESPACE

IMAGE = "registry.example.com/netpol-canary:0.1.0"


def images(value):
    """Every image in a manifest, and every variable that names one."""
    if isinstance(value, list):
        return [found for item in value for found in images(item)]
    if not isinstance(value, dict):
        return []
    mine = [value["image"]] if isinstance(value.get("image"), str) else []
    mine += [value["value"]] if value.get("name") == "NETPOL_CANARY_PROBE_IMAGE" else []
    return mine + [found for item in value.values() for found in images(item)]


def test_every_pod_runs_the_image_that_was_given(cli):
    printed = cli(Stage())("install", "--image", IMAGE, "--with", "argo,archive")
    documents = list(yaml.safe_load_all(printed.out))
    found = [
        image
        for document in documents
        if document["kind"] != "CustomResourceDefinition"
        for image in images(document)
    ]
    assert len(found) > 5 and set(found) == {IMAGE}


def listed(documents):
    """The variables of the policy that says which images probes may run."""
    (found,) = [
        d for d in documents
        if (d["kind"], d["metadata"]["name"]) == ("ValidatingAdmissionPolicy", "netpol-canary-probe-images")
    ]  # fmt: skip
    assert "paramKind" not in found["spec"]
    return {v["name"]: v["expression"] for v in found["spec"]["variables"]}


def test_the_policy_holds_the_image_that_was_given_and_those_that_sources_name(cli):
    more = ["registry.example.com/probe:1", "registry.example.com/probe@sha256:" + "a" * 64]
    args = [a for image in more for a in ("--probe-image", image)]
    printed = cli(Stage())("install", "--image", IMAGE, *args)
    found = listed(yaml.safe_load_all(printed.out))
    assert (found["own"], found["more"]) == (f"'{IMAGE}'", f"['{more[0]}', '{more[1]}']")
    assert listed(bundle(IMAGE))["more"] == "[]"


@pytest.mark.parametrize("image", ["a'] + ['b", "a b", "", "'", "a\\nb", "x" * 2000])
def test_what_is_no_image_gets_into_no_expression(cli, image):
    for option in ("--image", "--probe-image"):
        printed = cli(Stage())("install", option, image)
        assert printed.code == 2 and "is no image" in printed.err


def test_nothing_that_kustomize_alone_needs_is_applied():
    assert "netpol-canary-image" not in [d["metadata"]["name"] for d in bundle(IMAGE)]


def test_what_others_need_comes_first():
    kinds = [d["kind"] for d in bundle(IMAGE)]
    assert kinds[0] == "Namespace" and kinds.index("CustomResourceDefinition") < kinds.index("Deployment")
    assert kinds.index("ServiceAccount") < kinds.index("Deployment")


def test_each_object_is_there_once():
    documents = bundle(IMAGE, EXTRAS)
    keys = [(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in documents]
    assert len(keys) == len(set(keys))


def test_every_part_stands_in_the_namespace():
    whole = ("Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding")
    whole += ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    placed = {d["metadata"].get("namespace") for d in bundle(IMAGE, EXTRAS) if d["kind"] not in whole}
    assert placed == {OWN}


def test_a_pod_s_way_is_open_before_it_starts():
    kinds = [d["kind"] for d in bundle(IMAGE, ["network"])]
    assert kinds.index("NetworkPolicy") < kinds.index("Deployment")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--with", "everything"), "there is no part 'everything'"),
        (("--apply", "--check"), "--check"),
        (("-o", "json"), "it goes with --check"),
    ],
)
def test_bad_input_is_one_line(cli, words, said):
    found = cli(Stage())("install", *words)
    assert found.code == 2 and said in found.err and not found.out


@pytest.mark.parametrize(
    ("version", "state"),
    [("v1.34.4", "ok"), ("v1.30.0-gke.1", "ok"), ("v1.29.9", "missing"), ("?", "unknown")],
)
def test_a_cluster_that_is_too_old_is_no_place_for_it(version, state):
    assert _version(version).state == state


@pytest.mark.parametrize(
    ("daemons", "state"),
    [(["calico-node", "kube-proxy"], "ok"), (["kube-flannel-ds"], "warning"), (["kube-proxy"], "unknown")],
)
def test_a_cni_that_enforces_nothing_is_warned_of(daemons, state):
    assert _cni(daemons, "v1.34.1").state == state


def test_k3s_which_has_no_daemon_set_is_known_by_its_version():
    found = _cni(["svclb-traefik-1"], "v1.34.1+k3s1")
    assert "v1.34.1+k3s1 enforces network policies by itself" in found.found
    assert found.state == "unknown" and "strategy.cni: kube-router" in found.todo
    assert "cilium" in _cni(["cilium"], "v1.34.1+k3s1").found


def test_a_namespace_that_is_still_going_is_no_place_for_it():
    stage = Stage()
    assert _namespace(stage.cluster, OWN).state == _namespace(stage.cluster, "elsewhere").state == "ok"
    obj = stage.cluster.get(NAMESPACE, OWN)
    held = {**obj["metadata"], "finalizers": ["example.com/held"]}
    stage.cluster.replace({**obj, "metadata": held})
    stage.cluster.delete(NAMESPACE, OWN, None, uid="", resource_version="")
    found = _namespace(stage.cluster, OWN)
    assert found.state == "missing" and "is being deleted" in found.found and OWN in found.todo


def test_uninstalling_without_a_terminal_needs_a_yes(cli):
    stage = Stage()
    before = dict(stage.cluster.writes)
    found = cli(stage)("uninstall")
    assert found.code == 1 and "--yes" in found.err and dict(stage.cluster.writes) == before


def test_the_right_to_write_a_kind_is_a_part_of_its_own(cli):
    printed = cli(Stage())("install", "--with", "caliconetworkpolicies")
    names = {d["metadata"]["name"] for d in yaml.safe_load_all(printed.out)}
    assert "netpol-canary-caliconetworkpolicies" in names
    assert "netpol-canary-globalnetworkpolicies" not in names
    refused = cli(Stage())("install", "--with", "ciliumnetworkpolicy")
    assert refused.code == 2 and "ciliumnetworkpolicies" in refused.err
