"""What a controller costs while nothing changes: `make bench`. Memory, CPU and requests with 10, 100 and 1,000 idle sources.

On a real API server (needs Go), the controller as a process of its own. Each source has a repository of its own on this
disk and one namespace, which holds the one policy that the repository asks for. After a round over all of
them a stretch is measured; CPU is that of the process and of the git programs that it runs, memory that of the process alone.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))

import on_path  # noqa: F401

from orchestrator.adapters.kube.cluster import connect
from orchestrator.context import SOURCE
from orchestrator.policy.workloads.fleet import SHARED
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import load, new

SIZES, POLL, SECONDS, CONNECTIONS, OWN = (10, 100, 1000), 30.0, 120.0, 16, "netpol-canary"
PATIENCE, MOST_SHOWN = 1200.0, 5  # seconds; kinds of requests
ROLLOUTS = Kind(m.API_VERSION, "PolicyRollout")
PROGRAM = Path(sys.executable).parent / "netpol-canary"
TICKS = os.sysconf("SC_CLK_TCK")


def policy(**metadata):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    meta = {"name": "default-deny", **metadata}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def commit(folder):
    """A bare repository with one commit, and its id."""
    work, bare = folder / "work", folder / "template.git"
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-C", str(work)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    (work / SHARED).mkdir()
    (work / SHARED / "all.json").write_text(json.dumps(policy()))
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Begin"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", "--template=", str(work), str(bare)], check=True)
    return bare, subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()


def furnish(cluster, folder, bare, revision, numbers):
    """So many sources, each with its repository and its namespace."""

    def one(number):
        name = f"idle-{number:04d}"
        meta = {"name": name, "labels": {"bench": name}}
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        cluster.create(policy(namespace=name, labels={SOURCE_LABEL: name}))
        shutil.copytree(bare, folder / name)
        scope = m.NamespaceScope(names=[name])
        spec = m.PolicySourceSpec(git=m.Git(url=str(folder / name)), namespaces=scope)
        source = load(cluster.create(new("PolicySource", name, OWN, spec)))
        status = source.status.model_copy(update={"current_revision": revision})
        cluster.replace_status(source.with_status(status))

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, numbers))


@contextmanager
def controller(kubeconfig, port, home):
    """The process, until the end of the block."""
    env = {**os.environ, "KUBECONFIG": kubeconfig, "XDG_CACHE_HOME": str(home)}
    words = ["controller", "--poll", str(POLL), "--listen", f"127.0.0.1:{port}"]
    with (home / "controller.log").open("w") as log:
        process = subprocess.Popen([PROGRAM, *words], stdout=log, stderr=log, env=env)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def cpu(pid):
    """Seconds of the process and of its children that have ended."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(parts[n]) for n in (11, 12, 13, 14)) / TICKS


def memory(pid):
    """Resident MiB: now, and at most so far."""
    text = Path(f"/proc/{pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+)", text)[1]) // 1024 for name in ("VmRSS", "VmHWM")]


def calls(port):
    """Requests to the API server so far, by verb and kind."""
    text = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60).read().decode()
    found = re.findall(
        r'^netpol_canary_api_calls_total\{kind="(\w*)",outcome="[^"]*",verb="([\w-]*)"\} (\S+)', text, re.M
    )
    counted = {}
    for kind, verb, number in found:
        counted[f"{verb} {kind}"] = counted.get(f"{verb} {kind}", 0) + float(number)
    return counted


def answers(process, port):
    """Wait until the controller calls the API server."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError):
            if calls(port):
                return
        time.sleep(1)
    raise SystemExit("the controller does not answer")


def ready(source):
    """Whether its repository was read and compared, and nothing is wrong."""
    known = {c.type: c.status for c in source.status.conditions}
    return known.get("Ready") == "True" and known.get("Drifted") == "False"


def measured(cluster, kubeconfig, port, home, seconds):
    """Seconds of the first round over all, then per second over a stretch: CPU and requests; MiB now and at most."""
    with controller(kubeconfig, port, home) as process:
        began = time.monotonic()
        answers(process, port)
        while not all(ready(load(obj)) for obj in cluster.list(SOURCE, OWN)):
            if time.monotonic() > began + PATIENCE:
                raise SystemExit("some sources were not looked at")
            time.sleep(2)
        first = time.monotonic() - began
        time.sleep(POLL)
        before, used, began = calls(port), cpu(process.pid), time.monotonic()
        time.sleep(seconds)
        after, spent, took = calls(port), cpu(process.pid) - used, time.monotonic() - began
        rate = {k: (n - before.get(k, 0)) / took for k, n in after.items()}
        assert not cluster.list(ROLLOUTS, OWN), "a source is not idle"
        common = sorted(rate.items(), key=lambda r: -r[1])[:MOST_SHOWN]
        return first, spent / took, sum(rate.values()), memory(process.pid), common


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options.add_argument("--seconds", type=float, default=SECONDS)
    given = options.parse_args()
    import harness

    print(
        f"{'sources':>8} {'first round s':>13} {'CPU %':>6} {'requests/s':>11} {'MiB':>5} {'at most':>8}  the commonest requests, a second"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plane = stack.enter_context(harness.control_plane(folder / "plane"))
        cluster = connect(plane.kubeconfig, timeout=60)
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN}})
        bare, revision = commit(folder)
        there = 0
        for size in sorted(given.sizes):
            furnish(cluster, folder, bare, revision, range(there, size))
            there, home = size, folder / f"home-{size}"
            home.mkdir()
            found = measured(cluster, plane.kubeconfig, harness.free_port(), home, given.seconds)
            first, busy, rate, (now, most), common = found
            told = ", ".join(f"{what} {number:.2f}" for what, number in common)
            print(
                f"{size:8} {first:13.0f} {100 * busy:6.1f} {rate:11.2f} {now:5} {most:8}  {told}", flush=True
            )


if __name__ == "__main__":
    main()
