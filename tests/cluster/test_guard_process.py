"""The engine and the guard that leads are killed in the middle of a wave; the other guard restores it once the Lease is stale."""

import signal
import subprocess
import urllib.request
from contextlib import ExitStack
from datetime import datetime

import pytest
import reading
import yaml
from clearing import cleared
from patience import ENOUGH
from people import service_account
from scene import OWN, PROGRAM, eventually

pytestmark = pytest.mark.cluster

SPACES = ("north", "south")
LIMIT, INTERVAL = 30.0, 5.0  # seconds: twice the Lease's duration; between two looks


def policy(port):
    rule = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port}]}]}
    meta = {"name": "in"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": rule}


class Ground:
    """A repository with one change, two namespaces, and processes that are ended at the end."""

    def __init__(self, plane, folder, stack):
        self.plane, self.folder, self.stack = plane, folder, stack
        self.root, self.file = folder / "policies", folder / "source.yaml"
        (self.root / "_shared").mkdir(parents=True)
        self._git("init", "-q", "-b", "main")
        (self.root / "_shared/all.yaml").write_text(yaml.safe_dump_all([policy(8080), named("more")]))
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "change")
        strategy = {
            "canary": ["north"],
            "settleSeconds": 300,
            "analysis": {"count": 1, "probing": {"edges": False}},
        }
        spec = {"git": {"url": str(self.root)}, "namespaces": {"names": list(SPACES)}, "strategy": strategy}
        source = {"apiVersion": "netpol-canary.dev/v1alpha1", "kind": "PolicySource"}
        self.file.write_text(yaml.safe_dump({**source, "metadata": {"name": "guarded"}, "spec": spec}))

    def _git(self, *args):
        person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", "-C", str(self.root), *person, *args], check=True, capture_output=True)

    def begin(self, log, *args):
        out = self.stack.enter_context((self.folder / log).open("w"))
        found = subprocess.Popen([PROGRAM, *args], stdout=out, stderr=out)
        self.stack.callback(end, found)
        return found

    def read(self, kind):
        return reading.listed(self.plane, kind, OWN)

    def phases(self, kind):
        return {i.get("status", {}).get("phase") for i in self.read(kind)}

    def leader(self):
        return reading.holder(self.plane, "guard", OWN)

    def policies(self):
        found = [reading.listed(self.plane, reading.POLICY, n) for n in SPACES]
        return [(p["metadata"]["name"], p["spec"]) for items in found for p in items]


def named(name):
    found = policy(9090)
    return {**found, "metadata": {"name": name}}


def metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ENOUGH) as answer:
        return answer.read().decode()


def end(process):
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture
def ground(plane, harness, tmp_path):
    if not plane.server:
        pytest.skip("it grants and takes away cluster roles: only on a control plane of our own")
    with ExitStack() as stack:
        found = Ground(plane, tmp_path, stack)
        plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
        plane.run("apply", "-k", str(harness.ROOT / "config" / "guard"))
        for name in SPACES:
            plane.run("create", "namespace", name)
            plane.run("label", "namespace", name, "netpol-canary.dev/test=true")
        yield found
    cleared(plane, *SPACES)


def test_with_the_guards_own_rights_a_killed_run_is_restored_and_not_before_its_lease_is_stale(
    ground, harness, tmp_path
):
    account = service_account(ground.plane, tmp_path, OWN, "netpol-canary-guard").kubeconfig
    flags = ("guard", "--log", "json", "--interval", f"{INTERVAL:g}", "--kubeconfig", account)
    ports = [harness.free_port() for _ in range(2)]
    guards = [ground.begin(f"guard-{p}.log", *flags, "--listen", f"127.0.0.1:{p}") for p in ports]
    eventually(ground.leader)
    engine = ground.begin(
        "run.log", "run", "--source", str(ground.file), "--kubeconfig", ground.plane.kubeconfig
    )
    eventually(lambda: "Applied" in ground.phases(reading.NAMESPACE_ROLLOUT))
    assert {name for name, _ in ground.policies()} == {"in", "more"}
    leading = next(n for n, g in enumerate(guards) if f"-{g.pid}-" in ground.leader())
    for process in (engine, guards[leading]):
        process.send_signal(signal.SIGKILL)
    (rollout,) = ground.read(reading.ROLLOUT)
    lease = f"rollout-{rollout['metadata']['name']}"
    renewed = reading.found(ground.plane, reading.LEASE, lease, OWN)["spec"]["renewTime"]
    eventually(lambda: "RolledBack" in ground.phases(reading.ROLLOUT))
    (rollout,) = ground.read(reading.ROLLOUT)
    restored = datetime.fromisoformat(rollout["status"]["restoredAt"])
    assert (restored - datetime.fromisoformat(renewed)).total_seconds() >= LIMIT, (
        tmp_path / f"guard-{ports[1 - leading]}.log"
    ).read_text()[-3000:]
    assert ground.policies() == []
    reasons = [t["reason"] for t in rollout["status"]["transitions"]]
    assert reasons[-2:] == ["EngineLost", "RolledBack"] and rollout["status"]["epoch"] == 1
    # It counts when it has let go of the rollout, which is after its phase can be read.
    eventually(lambda: 'rescues_total{phase="RolledBack"} 1.0' in metrics(ports[1 - leading]))
    eventually(lambda: not reading.holder(ground.plane, lease, OWN))
    left = guards[1 - leading]
    left.send_signal(signal.SIGTERM)
    assert left.wait(ENOUGH) == 0
