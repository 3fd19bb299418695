"""A real node for tests: control plane, kubelet, containerd, pods, packets, a policy agent, Prometheus.

By hand, as root: `python tests/cluster/parts/node.py FILE` keeps one running until FILE is removed, and writes into FILE,
as `name=value` lines, where it is reached. See README.md.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
import on_path  # noqa: F401 # where this runs by hand: the others stand in the folders that it adds

# isort: split
import enforcement
import harness
import monitoring
import netns
import reading
import runtime
from patience import ENOUGH, KUBECTL

PROGRAM = str(Path(sys.executable).parent / "netpol-canary")
NEEDED = (
    "containerd",
    "runc",
    "ctr",
    "nft",
    "ip",
    "nsenter",
    "unshare",
    "mmdebstrap",
    "prometheus",
    "go",
    "openssl",
)
CONTROLLERS = (
    *harness.CONTROLLERS,
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "deployment-controller",
    "replicaset-controller",
    "job-controller",
    "ttl-after-finished-controller",
    "endpoints-controller",
    "endpointslice-controller",
)


@dataclass(frozen=True)
class Node:
    """What a test needs: the control plane, the namespaces, the policy agent, and where Prometheus answers."""

    plane: harness.ControlPlane
    ground: netns.Ground
    agent: enforcement.Agent
    prometheus_url: str

    @property
    def address(self):
        """The node's own address."""
        return self.ground.slot.inside

    def apply(self, *manifests):
        """Create or change objects, given as dicts; on the server's side, which spares kubectl seconds."""
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.plane.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=body)

    def wait_ready(self, namespace):
        """Until every pod of a namespace is Ready."""
        self.plane.run("wait", "-n", namespace, "--for=condition=Ready", "pod", "--all", KUBECTL)

    def get(self, kind, namespace, name=""):
        """An object, or the list of them, as it stands."""
        return json.loads(
            self.plane.run("get", kind, "-n", namespace, *([name] if name else []), "-o", "json")
        )

    def addresses(self, namespace, labels=""):
        """Of the running pods of a namespace, all or with these labels, by pod name."""
        found = reading.listed(self.plane, reading.POD, namespace, labels)
        running = [p for p in found if p["status"].get("podIP") and "deletionTimestamp" not in p["metadata"]]
        return [p["status"]["podIP"] for p in sorted(running, key=lambda p: p["metadata"]["name"])]

    def ask(self, source, address, port=8080, protocol="TCP", seconds=1):
        """What a connection meets: `open`, `refused`, `timeout`; tried by the app.py at the address `source`.

        Told to do so by this machine, which policies never stop.
        """
        url = f"http://{source}:8080/ask/{protocol}/{address}/{port}/{seconds}"
        with urllib.request.urlopen(url, timeout=seconds + ENOUGH) as answer:
            return answer.read().decode()

    def cli(self, *args, seconds=2 * ENOUGH):
        """netpol-canary against this cluster: the completed process."""
        return subprocess.run(
            [PROGRAM, *args, "--kubeconfig", self.plane.kubeconfig],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def begin(self, *args):
        """The same, still running."""
        return subprocess.Popen(
            [PROGRAM, *args, "--kubeconfig", self.plane.kubeconfig],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def missing():
    """What this machine lacks for a node, in one line; empty where it lacks nothing."""
    if os.geteuid():
        return "root"
    lacking = [name for name in NEEDED if not shutil.which(name)]
    if not Path(runtime.PLUGINS, "ptp").exists():
        lacking.append("containernetworking-plugins")
    return ", ".join(lacking)


@contextlib.contextmanager
def node(folder):
    """Start it with its data in `folder`; nothing of it is left running at the end."""
    folder, built = Path(folder), harness.binaries()
    with contextlib.ExitStack() as stack:
        ground = stack.enter_context(netns.ground(folder))
        place = harness.Place(ground.slot.inside, ground.enter(), CONTROLLERS, tokens=True)
        plane = stack.enter_context(harness.control_plane(folder, place))
        stack.enter_context(runtime.containerd(folder, ground))
        stack.enter_context(runtime.kubelet(folder, ground, plane, built))
        agent = stack.enter_context(enforcement.Agent(folder / "agent", ground, plane.kubeconfig).running())
        url = stack.enter_context(monitoring.prometheus(folder, plane))
        yield Node(plane, ground, agent, url)


def main(file):
    begun, file = time.monotonic(), Path(file)
    with (
        tempfile.TemporaryDirectory(prefix="node-", ignore_cleanup_errors=True) as folder,
        node(folder) as found,
    ):
        print(f"ready after {time.monotonic() - begun:.1f} s", flush=True)
        facts = {
            "kubeconfig": found.plane.kubeconfig,
            "kubectl": found.plane.kubectl,
            "prometheus": found.prometheus_url,
            "agent": found.agent.folder,
        }
        file.write_text("".join(f"{name}={value}\n" for name, value in facts.items()))
        while file.exists():
            time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
