"""The chart on a real API server: installed, upgraded and uninstalled by Helm itself, without losing anything."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from chart.templates import KEEP
from helm_program import CHART, RELEASE, SPACE, helm, hooks
from patience import KUBECTL, eventually
from people import service_account
from reading import ROLLOUT, SOURCE, found, listed
from scene import cli
from stored import open_rollout, rolled_back

from orchestrator.errors import NotFound

pytestmark = pytest.mark.cluster

ENDLESS = ("--timeout", "3s")  # no kubelet runs the Job of the check here
POLICY = {"podSelector": {}, "policyTypes": ["Ingress"]}
PROMOTED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "promoted", "namespace": "default", "labels": {"netpol-canary.dev/source": "shop"}},
    "spec": POLICY,
}


@pytest.fixture(scope="module")
def server(harness, tmp_path_factory):
    """A control plane of its own."""
    with harness.control_plane(tmp_path_factory.mktemp("plane"), ours=False) as plane:
        yield plane


@pytest.fixture
def bare(server):
    """The same, without anything of ours; what a test installs is taken away again."""
    yield server
    with suppress(NotFound):  # the CRDs are gone
        for rollout in listed(server, ROLLOUT):
            rolled_back(server, rollout["metadata"]["name"])
    done = cli(server, "uninstall", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr


def on(plane, *args):
    """Helm's own output; AssertionError where it fails."""
    done = helm(*args, "-n", SPACE, kubeconfig=plane.kubeconfig)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(plane, *args):
    done = helm(*args, "-n", SPACE, kubeconfig=plane.kubeconfig)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def installed(plane, *more, chart=CHART):
    on(plane, "upgrade", "--install", RELEASE, chart, "--create-namespace", *more)
    plane.run("wait", "--for=condition=Established", "crd", "--all", KUBECTL)


def status(plane):
    return json.loads(on(plane, "status", RELEASE, "-o", "json"))["info"]["status"]


def names(plane, kinds):
    return set(plane.run("get", kinds, "-A", "-o", "name").split())


def source(**spec):
    given = {"git": {"url": "https://git.example.com/policies"}, "namespaces": {"names": ["default"]}, **spec}
    kind = {"apiVersion": "netpol-canary.dev/v1alpha1", "kind": "PolicySource"}
    return json.dumps({**kind, "metadata": {"name": "shop", "namespace": SPACE}, "spec": given})


def applied(plane, text):
    """Once what is new of a kind is served, which takes a moment."""
    eventually(lambda: plane.run("apply", "-f", "-", stdin=text, check=False))


def older(folder):
    """The chart, as if PolicySources had no `spec.drift` yet."""
    shutil.copytree(CHART, folder)
    file = Path(folder) / "templates/crd/policysources.yaml"
    head, *lines, end = file.read_text().splitlines()[1:]
    crd = yaml.safe_load("\n".join(lines))
    (version,) = crd["spec"]["versions"]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["drift"]
    file.write_text("\n".join([head, yaml.safe_dump(crd, width=10**6), end, ""]))
    return folder


def test_helm_installs_what_the_command_line_would_and_leaves_it_nothing_to_change(bare):
    plane = bare
    first = on(plane, "install", RELEASE, CHART, "--create-namespace")
    assert "What comes next" in first and "was there before" not in first
    assert status(plane) == "deployed"
    (space,) = [json.loads(plane.run("get", "namespace", SPACE, "-o", "json"))]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert space["metadata"]["annotations"].items() >= KEEP.items()
    done = cli(plane, "install", "--apply")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("warning")]
    assert done.returncode == 0, done.stderr
    assert len(lines) > 40 and [line for line in lines if not line.endswith(" unchanged")] == []


def test_what_was_installed_otherwise_is_taken_over_only_where_asked(bare):
    plane = bare
    assert cli(plane, "install", "--apply").returncode == 0
    before = json.loads(plane.run("get", "deployments", "-n", SPACE, "-o", "json"))["items"]
    assert "cannot be imported" in refused(plane, "install", RELEASE, CHART)
    on(plane, "install", RELEASE, CHART, "--take-ownership", "--force-conflicts")
    after = json.loads(plane.run("get", "deployments", "-n", SPACE, "-o", "json"))["items"]
    assert [d["spec"] for d in after] == [d["spec"] for d in before] and len(after) == 2
    changed = ("upgrade", RELEASE, CHART, "--set", "image.tag=v2")
    assert "conflict" in refused(plane, *changed)
    on(plane, *changed, "--force-conflicts")
    on(plane, "uninstall", RELEASE, "--no-hooks")
    assert names(plane, "deployments") == set()
    assert f"namespace/{SPACE}" in names(plane, "namespaces")


def test_an_upgrade_brings_the_crds_and_leaves_what_stands(bare, tmp_path):
    plane = bare
    plane.run("create", "namespace", SPACE)  # for Secrets, before anything is installed
    installed(plane, chart=older(tmp_path / "older"))
    name = open_rollout(plane)
    plane.run("apply", "--validate=ignore", "-f", "-", stdin=source(drift="repair"))
    assert "drift" not in found(plane, SOURCE, "shop", SPACE)["spec"]
    said = on(plane, "upgrade", RELEASE, CHART)
    assert "kubectl label namespace netpol-canary" in said
    applied(plane, source(drift="repair"))
    assert found(plane, SOURCE, "shop", SPACE)["spec"]["drift"] == "repair"
    assert found(plane, ROLLOUT, name, SPACE)["status"]["phase"] == "Paused"


def test_uninstalling_leaves_what_it_should_and_installing_again_goes_on(bare):
    plane = bare
    installed(plane)
    before = names(plane, "crds")
    applied(plane, source())
    applied(plane, json.dumps(PROMOTED))
    plane.run("create", "secret", "generic", "git", "-n", SPACE, "--from-literal=token=x")
    name = open_rollout(plane)

    def kept():
        assert names(plane, "crds") == before and len(before) == 6
        assert found(plane, SOURCE, "shop", SPACE) and found(plane, ROLLOUT, name, SPACE)
        assert "secret/git" in names(plane, "secrets")
        assert "networkpolicy.networking.k8s.io/promoted" in names(plane, "netpol")

    # The check does not end here, as where it refuses: nothing may go.
    deployed = names(plane, "deployments,clusterroles,validatingadmissionpolicies")
    assert refused(plane, "uninstall", RELEASE, *ENDLESS) and status(plane) == "uninstalling"
    assert names(plane, "deployments,clusterroles,validatingadmissionpolicies") >= deployed
    kept()
    assert "no deployed releases" in refused(plane, "upgrade", RELEASE, CHART)
    on(plane, "rollback", RELEASE, "1")
    assert status(plane) == "deployed"
    installed(plane, "--set", "crds.enabled=false")  # kept, too, where the chart holds them no more
    kept()
    installed(plane)

    on(plane, "uninstall", RELEASE, "--no-hooks")
    kept()
    assert "netpol-canary" not in plane.run("get", "deployments,clusterroles", "-A", "-o", "name")
    assert names(plane, "validatingadmissionpolicies,validatingadmissionpolicybindings") == set()
    assert json.loads(on(plane, "list", "-o", "json")) == []

    installed(plane)
    kept()
    assert status(plane) == "deployed"
    plane.run("delete", "netpol", "promoted", "-n", "default")


def test_the_command_line_takes_what_helm_leaves_with_the_release(bare):
    plane = bare
    installed(plane)
    rolled_back(plane, open_rollout(plane))
    done = cli(plane, "uninstall", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert names(plane, "crds") == set() and f"namespace/{SPACE}" not in names(plane, "namespaces")
    assert "netpol-canary" not in plane.run("get", "clusterroles,clusterrolebindings", "-o", "name")


def test_the_check_says_what_it_refuses_by_its_one_right(bare, tmp_path):
    plane = bare
    installed(plane)
    objects = hooks()
    job = objects.pop("Job")
    (command,) = [c["args"] for c in job["spec"]["template"]["spec"]["containers"]]
    plane.run("apply", "-f", "-", stdin=yaml.safe_dump_all(objects.values()))
    account = service_account(plane, tmp_path, SPACE, "netpol-canary-uninstall")
    done = cli(account, *command)
    assert (done.returncode, done.stdout) == (0, "everything is restored\n"), done.stderr
    for verb, what in (
        ("get", "policyrollouts"),
        ("list", "policysources"),
        ("list", "secrets"),
        ("delete", "crds"),
    ):
        assert account.run("auth", "can-i", verb, what, "-n", SPACE, check=False).strip() == "no"
    name = open_rollout(plane)
    done = cli(account, *command)
    assert done.returncode == 1 and f"{name} (Paused); `netpol-canary abort NAME`" in done.stderr
    plane.run("delete", "clusterrolebinding", "netpol-canary-uninstall")
    rolled_back(plane, name)
    done = cli(account, *command)
    assert done.returncode != 0 and "forbidden" in done.stderr.lower()
    plane.run("delete", "clusterrole", "netpol-canary-uninstall")
