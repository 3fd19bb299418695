"""The image as the Dockerfile makes it: small, without root, and at work on a node from the manifests as they are."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import image_build
import pytest
import runtime
import yaml
from clearing import freed
from helm_program import CHART, RELEASE, hooks, valued
from helm_program import helm as run_helm
from node_scene import OWN, eventually, policy
from node_strategy import probe, strategy
from patience import ENOUGH, KUBECTL
from people import service_account
from scene import PROGRAM
from stored import open_rollout, rolled_back

from orchestrator.adapters.kube.bundle import TAG, collected

pytestmark = [pytest.mark.cluster, pytest.mark.node]

MOST_MEGABYTES = 800  # unpacked, the Debian tree included; a third of it as it is shipped
USER = 65532
VIEWER = "viewer"
# How long a pod may take to start is no wait, and a busy node needs it.
QUICK = {
    "settleSeconds: 3": "settleSeconds: 1",
    "intervalSeconds: 5": "intervalSeconds: 2",
    "seconds: 30": "seconds: 120, readySeconds: 8",
}
# Keys of a role are asked for by this one.
CLIENT = "s.Session().create_client('sts', 'eu-west-1', aws_access_key_id='x', aws_secret_access_key='y')"
WORKING = (
    ("netpol-canary", "--help"),
    ("netpol-canary-probe", "--help"),
    ("git", "--version"),
    ("ssh", "-V"),
    ("gpg", "--version"),
    ("kubectl", "version", "--client"),
    ("netpol-canary", "install", "--with", "argo"),
    ("python", "-c", f"import azure.identity, google.auth, botocore.session as s; {CLIENT}"),
)


@pytest.fixture(scope="module")
def image(harness, tmp_path_factory):
    """The archive of the image; built once, with layers kept between runs."""
    lacking = image_build.missing()
    if lacking and os.environ.get("NETPOL_CANARY_NODE"):
        pytest.fail(f"an image is built with {lacking}, which is missing")
    if lacking:
        pytest.skip(f"an image is built with {lacking}: apt-get install {lacking}")
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    image_build.build(harness.binaries() / "kubectl", archive)
    yield archive
    archive.unlink()


@pytest.fixture(scope="module")
def loaded(image, node):
    """Its name on the node."""
    runtime.load(node.ground, image)
    return image_build.NAME


def pod(name, command):
    """A pod that runs one command of the image, as the restricted Pod Security Standard asks for."""
    context = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "run",
        "image": name,
        "command": list(command),
        "securityContext": context,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def test_it_is_small(image):
    assert image_build.unpacked_bytes(image) < MOST_MEGABYTES * 1_000_000


def test_every_program_works_without_root_on_a_read_only_root(loaded, node):
    space = "image-check"
    labels = {"netpol-canary.dev/test": "true", "pod-security.kubernetes.io/enforce": "restricted"}
    node.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": labels}})
    try:
        for number, command in enumerate(WORKING):
            meta = {"name": f"run-{number}", "namespace": space}
            node.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod(loaded, command)})

        def phases():
            return [p["status"]["phase"] for p in node.get("pods", space)["items"]]

        eventually(lambda: set(phases()) <= {"Succeeded", "Failed"} and len(phases()) == len(WORKING))
        said = node.plane.run("logs", "-n", space, "run-0") + node.plane.run("logs", "-n", space, "run-6")
        assert set(phases()) == {"Succeeded"}, said[-2000:]
        assert "Usage: netpol-canary" in said and "kind: WorkflowTemplate" in said
    finally:
        node.plane.run("delete", "namespace", space, "--wait=false")


def reaching(document, node, repository):
    """The Deployment with what this node lacks: a way to the API server without kube-proxy; and the repository."""
    if document["kind"] != "Deployment":
        return document
    host, port = node.plane.server.removeprefix("https://").split(":")
    spec = document["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    container.setdefault("env", [])
    container["env"] += [
        {"name": "KUBERNETES_SERVICE_HOST", "value": host},
        {"name": "KUBERNETES_SERVICE_PORT", "value": port},
    ]
    spec["volumes"].append({"name": "repository", "hostPath": {"path": str(repository)}})
    container["volumeMounts"].append({"name": "repository", "mountPath": "/repository", "readOnly": True})
    return document


def listing(image):
    """The policy of config/admission that lets probes run this image."""
    name = "netpol-canary-probe-images"
    policies = [d for d in collected(("admission",), image) if d["kind"] == "ValidatingAdmissionPolicy"]
    return next(d for d in policies if d["metadata"]["name"] == name)


@contextlib.contextmanager
def opened(node, folder):
    """The address that `netpol-canary ui` says to a person who may view and open the pages."""
    roles = [f"--role=netpol-canary-{name}" for name in ("viewer", "pages")]
    node.plane.run("create", "serviceaccount", "-n", OWN, VIEWER)
    for role in roles:
        name = f"{VIEWER}-{role.rpartition('-')[2]}"
        node.plane.run("create", "rolebinding", name, "-n", OWN, role, f"--serviceaccount={OWN}:{VIEWER}")
    seen = service_account(node.plane, folder, OWN, VIEWER)
    command = (PROGRAM, "ui", "--no-browser", "--kubeconfig", seen.kubeconfig)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    late = threading.Timer(ENOUGH, process.kill)
    late.start()
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("  http://"):
                yield line.strip()
                break
        else:
            pytest.fail("".join(said))
    finally:
        late.cancel()
        process.kill()
        process.wait(ENOUGH)


def page(browser, address):
    asked = urllib.request.Request(address, headers={"Accept": "text/html"})
    return browser.open(asked, timeout=ENOUGH).read().decode()


def test_the_manifests_as_they_are_roll_a_change_out(loaded, node, node_shop, tmp_path):
    """Controllers and guards become ready, a merge is promoted by probes from the same image, and `ui` shows it."""
    node_shop.settled()
    documents = [
        reaching(d, node, node_shop.git)
        for d in collected(("rbac", "manager", "guard"), loaded)
        if d["kind"] != "Namespace"
    ]
    node.apply(listing(loaded), *documents)
    try:
        for name in ("netpol-canary", "netpol-canary-guard"):
            node.plane.run("rollout", "status", "-n", OWN, f"deployment/{name}", KUBECTL)
        given = strategy(probes=True)
        given["analysis"]["probing"].pop("image")  # the controller's own
        spec = {
            "git": {"url": "/repository"},
            "namespaces": {"names": list(node_shop.servers)},
            "strategy": given,
        }
        kind = {"apiVersion": "netpol-canary.dev/v1alpha1", "kind": "PolicySource"}
        revision = node_shop.commit(**{n: policy("callers", port=8080) for n in node_shop.servers})
        owned = [
            "chown",
            "-R",
            f"{USER}:{USER}",
            str(node_shop.git),
        ]  # Git reads no repository of another user
        subprocess.run(owned, check=True, timeout=ENOUGH)
        node.apply({**kind, "metadata": {"name": "shop", "namespace": OWN}, "spec": spec})

        def phase():
            found = node_shop.rollout()
            mine = found["spec"]["revision"] == revision
            return found.get("status", {}).get("phase") if mine else ""

        eventually(lambda: phase() in ("Succeeded", "RolledBack", "Paused"), every=0.5)
        assert phase() == "Succeeded", node_shop.rollout()["status"]["reason"]
        assert node_shop.ask("front", "beta") == "open" and probe("beta")
        with opened(node, tmp_path) as address:
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
            first = page(browser, address)
            assert f"system:serviceaccount:{OWN}:{VIEWER}" in first
            name = node_shop.rollout()["metadata"]["name"]
            shown = page(browser, f"{address.partition('?')[0]}rollouts/{name}")
            assert "Succeeded" in shown and revision[:10] in shown
    finally:
        subprocess.run(["chown", "-R", "0:0", str(node_shop.git)], check=False, timeout=ENOUGH)
        body = yaml.safe_dump_all(documents)
        node.plane.run("delete", "-f", "-", "--ignore-not-found", "--wait=false", stdin=body, check=False)
        node.apply(listing(TAG))


def test_helm_uninstalls_nothing_while_a_rollout_is_open(loaded, node, tmp_path):
    """Its Job runs in a pod of the image, and says why in Helm's own output; then it lets the release go."""
    host, port = node.plane.server.removeprefix("https://").split(":")
    reached = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    repository, tag = loaded.rsplit(":", 1)
    values = {
        "image": {"repository": repository, "tag": tag},
        "env": [{"name": name, "value": value} for name, value in reached.items()],
        "controller": {"replicas": 0},
        **{part: {"enabled": False} for part in ("crds", "admission", "guard")},
    }

    def helm(*args):
        return run_helm(*args, "-n", OWN, kubeconfig=node.plane.kubeconfig)

    node.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN}})
    taken = ("--take-ownership", "--force-conflicts")
    done = helm("install", RELEASE, CHART, *taken, *valued(tmp_path, values))
    assert done.returncode == 0, done.stderr
    name = open_rollout(node.plane)
    try:
        done = helm("uninstall", RELEASE)
        assert done.returncode != 0 and f"{name} (Paused)" in done.stdout + done.stderr, (
            done.stdout + done.stderr
        )
        assert node.get("deployments", OWN, RELEASE)["metadata"]["name"] == RELEASE
        rolled_back(node.plane, name)
        done = helm("uninstall", RELEASE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert node.get("deployments", OWN)["items"] == []
        left = node.plane.run("get", "jobs,serviceaccounts,clusterroles", "-A", "-o", "name")
        assert hooks()["Job"]["metadata"]["name"] not in left
    finally:
        freed(node.plane)
        node.plane.run("delete", "-n", OWN, "policyrollouts", "--all", check=False)


def sections(text):
    """The commands of each numbered section of the tutorial, line by line."""
    found = {}
    for part in re.split(r"^## (\d+)\. ", text, flags=re.M)[1:]:
        if part.isdigit():
            number = int(part)
        else:
            blocks = re.findall(r"```sh\n(.*?)```", part, re.S)
            found[number] = [line for block in blocks for line in block.splitlines()]
    return found


def test_the_tutorial_goes_as_it_says(loaded, node, harness, tmp_path):
    """From its third section on: what comes before makes a cluster and an image, which are here already.

    Only how long it waits between looks and for the probes differs, and how long their pods may take.
    """
    folder = tmp_path / "tutorial"
    shutil.copytree(harness.ROOT / "docs/tutorial", folder)
    for file in ("shop.yaml", "source.yaml"):
        text = (folder / file).read_text().replace("netpol-canary:0.1.0", loaded)
        for wanted, quick in QUICK.items() if file == "source.yaml" else ():
            assert wanted in text
            text = text.replace(wanted, quick)
        (folder / file).write_text(text.replace("/tmp/shop-policies", str(tmp_path / "policies")))
    path = f"{Path(PROGRAM).parent}:{Path(node.plane.kubectl).parent}:{os.environ['PATH']}"
    env = {**os.environ, "KUBECONFIG": node.plane.kubeconfig, "PATH": path}
    node.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN}})
    commands, said = sections((harness.ROOT / "docs/tutorial.md").read_text()), []
    assert set(commands) == {1, 2, 3, 4, 5, 6, 7}
    try:
        for line in commands[3] + commands[4] + commands[5] + commands[6]:
            line = line.replace("docs/tutorial", str(folder)).replace(
                "/tmp/shop-policies", str(tmp_path / "policies")
            )
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=harness.ROOT,
                env=env,
                capture_output=True,
                text=True,
                timeout=2 * ENOUGH,
                check=False,
            )
            said.append((line, done.returncode, done.stdout + done.stderr))
        runs = [(code, text) for line, code, text in said if line.startswith("netpol-canary run")]
        assert [code for code, _ in runs] == [0, 1], said
        assert "Succeeded" in runs[0][1] and "RolledBack" in runs[1][1]
        assert {code for line, code, _ in said if not line.startswith("netpol-canary run")} == {0}, said
        assert next(text for line, _, text in said if "jsonpath" in line) == '{"app":"web"}'
        explained = next(text for line, _, text in said if line.startswith("netpol-canary explain"))
        assert "all.yaml" in explained and "Ben" in explained, explained
    finally:
        freed(node.plane)
        node.plane.run("delete", "-n", OWN, "policysources", "--all", check=False)
        # To their end: the next file's rollouts choose their probes among all pods that they see.
        spaces = ("shop-staging", "shop-prod")
        node.plane.run("delete", "namespace", *spaces, KUBECTL, check=False, seconds=2 * ENOUGH)
