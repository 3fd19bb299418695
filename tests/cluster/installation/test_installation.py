"""Installed twice by the command line, and taken away without a trace but for what was promoted."""

import json
import subprocess
from collections import Counter

import pytest
import yaml
from patience import ENOUGH, eventually
from scene import PROGRAM, cli

from orchestrator.adapters.kube.bundle import EXTRAS, bundle, collected

pytestmark = pytest.mark.cluster

SPACES = ("north", "south")
REPEATED = ("events", "leases", "endpointslices", "endpoints")  # what a cluster writes by itself all the time


def everything(plane):
    """Every object of every kind that the API server has, but for what it makes by itself."""
    kinds = plane.run("api-resources", "--verbs=list", "-o", "name").split()
    wanted = [k for k in kinds if k.split(".")[0] not in REPEATED]
    done = subprocess.run(
        [
            plane.kubectl,
            "--kubeconfig",
            plane.kubeconfig,
            "get",
            ",".join(wanted),
            "-A",
            "-o",
            "json",
            "--ignore-not-found",
        ],
        capture_output=True,
        text=True,
        timeout=2 * ENOUGH,
        check=True,
    )
    items = json.loads(done.stdout or '{"items": []}')["items"]
    return {(i["kind"], i["metadata"].get("namespace", ""), i["metadata"]["name"]) for i in items}


def policy(port):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port}]}]}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "in"}}
    return yaml.safe_dump({**kind, "spec": spec})


class Site:
    """A repository with policies for two namespaces, and a source that names it."""

    def __init__(self, plane, folder):
        self.plane, self.git, self.file = plane, folder / "policies", folder / "source.yaml"
        (self.git / "_shared").mkdir(parents=True)
        self._git("init", "-q", "-b", "main")
        for name in SPACES:
            body = {"metadata": {"name": name, "labels": {"netpol-canary.dev/test": "true"}}}
            plane.run(
                "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", **body})
            )

    def _git(self, *args):
        person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", "-C", str(self.git), *person, *args], check=True, capture_output=True)

    def change(self, port, **strategy):
        (self.git / "_shared/all.yaml").write_text(policy(port))
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "change")
        given = {
            "canary": ["north"],
            "settleSeconds": 0,
            "analysis": {"count": 1, "intervalSeconds": 1, "probing": {"edges": False}},
            **strategy,
        }
        spec = {"git": {"url": str(self.git)}, "namespaces": {"names": list(SPACES)}, "strategy": given}
        source = {
            "apiVersion": "netpol-canary.dev/v1alpha1",
            "kind": "PolicySource",
            "metadata": {"name": "site"},
        }
        self.file.write_text(yaml.safe_dump({**source, "spec": spec}))

    def ports(self):
        found = [json.loads(self.plane.run("get", "netpol", "-n", n, "-o", "json"))["items"] for n in SPACES]
        return [[p["spec"]["ingress"][0]["ports"][0]["port"] for p in items] for items in found]


@pytest.fixture
def bare(harness, tmp_path):
    """A control plane of its own, on which nothing of ours was ever installed."""
    with harness.control_plane(tmp_path / "plane", ours=False) as plane:
        yield plane


def test_installed_twice_worked_with_and_taken_away_without_a_trace(bare, harness, tmp_path):
    plane, before = bare, everything(bare)
    built = yaml.safe_load_all(plane.run("kustomize", str(harness.ROOT / "config" / "default")))
    assert sorted(map(canonical, built)) == sorted(map(canonical, bundle("netpol-canary:0.1.0")))
    for part in (*EXTRAS, "kinds", "impersonation"):
        built = yaml.safe_load_all(plane.run("kustomize", str(harness.ROOT / "config" / part)))
        assert sorted(map(canonical, built)) == sorted(map(canonical, collected([part]))), part
    lacking = cli(plane, "install", "--apply", "--with", "monitoring,argo")
    assert lacking.returncode == 1 and "does not know PodMonitor" in lacking.stderr
    assert everything(plane) == before
    checked = cli(plane, "install", "--check")
    assert checked.returncode == 0 and harness.VERSION in checked.stdout, checked.stdout + checked.stderr
    for word in ("created", "unchanged"):
        done = cli(plane, "install", "--apply", "--with", "network")
        assert done.returncode == 0, done.stdout + done.stderr
        said = Counter(
            line.split()[-1] for line in done.stdout.splitlines() if not line.startswith("warning")
        )
        assert set(said) == {word}, done.stdout
    site = Site(plane, tmp_path)
    site.change(8080)
    done = cli(plane, "run", "--source", str(site.file))
    assert done.returncode == 0, done.stdout + done.stderr

    site.change(9090, settleSeconds=300)
    engine = subprocess.Popen(
        [PROGRAM, "run", "--source", str(site.file), "--kubeconfig", plane.kubeconfig],
        stdout=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: site.ports() == [[9090], [8080]])
        refused = cli(plane, "uninstall", "--yes")
        assert refused.returncode == 1 and "not everything is restored" in refused.stderr
        assert site.ports() == [[9090], [8080]]
    finally:
        engine.kill()
        engine.wait()
    done = cli(plane, "uninstall", "--restore", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.ports() == [[8080], [8080]]
    now = everything(plane)
    assert before <= now  # nothing of others went
    left = now - before
    promoted = {("NetworkPolicy", n, "in") for n in SPACES}
    made = {("Namespace", "", n) for n in SPACES} | {("ServiceAccount", n, "default") for n in SPACES}
    made |= {("ConfigMap", n, "kube-root-ca.crt") for n in SPACES}
    assert left - made == promoted
    again = cli(plane, "uninstall", "--yes")
    assert again.returncode == 0, again.stderr


def canonical(obj):
    """As text; kustomize writes 0.0 as 0."""
    return json.dumps(obj, sort_keys=True).replace(": 0.0", ": 0").replace(": 1.0", ": 1")
