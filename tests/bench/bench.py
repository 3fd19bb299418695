"""How long plans and rollouts take: `make bench`. Settle and analysis at zero; seconds, the median of runs.

In memory for 10, 100 and 1,000 namespaces; with `--real` on a real API server beside `kubectl apply
--server-side` of the same objects and beside bare HTTP writes on 16 connections.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import on_path  # noqa: F401
import structlog

from orchestrator.adapters.clock import SystemClock
from orchestrator.context import SOURCE, Context
from orchestrator.engine.worker import Embedded, threads
from orchestrator.operations.start import start
from orchestrator.planning.planner import plan
from orchestrator.ports import Commit
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.sandbox.cluster import MemoryCluster

SIZES, RUNS, CONNECTIONS, OWN = (10, 100, 1000), 3, 16, "netpol-canary"


class Files:
    """One commit whose one policy goes into every namespace of the source."""

    def __init__(self, revision, port):
        spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port}]}]}
        self._revision, self._obj = revision, policy("allow", spec)

    def resolve(self, ref=""):
        return self._revision

    def files(self, revision):
        return {"_shared/policy.yaml": json.dumps(self._obj).encode()}

    def commits(self, since, until):
        return [Commit(until, (), "bench")]


def policy(name, spec):
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def namespace(name, label):
    meta = {"name": name, "labels": {"bench": label, "netpol-canary.dev/test": "true"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def furnish(cluster, label, size):
    """`size` labelled namespaces and their source; the namespaces' names."""
    names = [f"{label}-{n:04d}" for n in range(size)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda name: cluster.create(namespace(name, label)), names))
    unjudged = m.Analysis(probing=m.Probing(edges=False))
    strategy = m.Strategy(
        steps=[m.WaveStep(percent=10)], settle_seconds=0, max_parallel=CONNECTIONS, analysis=unjudged
    )
    scope = m.NamespaceScope(match_labels=[m.Label(key="bench", value=label)])
    spec = m.PolicySourceSpec(git=m.Git(url="/none"), namespaces=scope, strategy=strategy)
    load(cluster.create(new("PolicySource", label, OWN, spec)))
    return names


def context(cluster, files, each):
    return Context(
        cluster,
        SystemClock(),
        lambda s: files,
        lambda p, n: None,
        lambda p, o, b: None,
        None,
        each=each if each else threads,
    )


def source(cluster, label):
    return load(cluster.get(SOURCE, label, OWN))


def rollout(cluster, label, mark, each=None):
    """Seconds of a plan and of the whole rollout (its plan included) of one changed policy."""
    ctx = context(cluster, Files(mark * 40, 1000 + ord(mark)), each)
    began = time.perf_counter()
    made = plan(ctx, source(cluster, label), mark * 40)
    planned = time.perf_counter() - began
    assert not made.empty
    began = time.perf_counter()
    state = Embedded(ctx, "bench").drive(start(ctx, source(cluster, label)).rollout)
    assert state.rollout.status.phase == "Succeeded", state.rollout.status
    return planned, time.perf_counter() - began


def serial(work, items, workers):
    return [work(item) for item in items]


def memory(size):
    """Median seconds in memory: plan, rollout."""
    cluster = MemoryCluster()
    cluster.create(namespace(OWN, "own"))
    furnish(cluster, "bench", size)
    found = [rollout(cluster, "bench", mark, serial) for mark in "abcdef"[:RUNS]]
    return [statistics.median(column) for column in zip(*found, strict=True)]


def bare(plane, names):
    """Seconds of as many POSTs over plain HTTP."""
    import requests

    config = json.loads(Path(plane.kubeconfig).read_text())
    token, ca = config["users"][0]["user"]["token"], config["clusters"][0]["cluster"]["certificate-authority"]
    sessions = [requests.Session() for _ in range(CONNECTIONS)]

    def post(item):
        number, name = item
        url = f"{plane.server}/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies"
        answer = sessions[number % CONNECTIONS].post(
            url,
            json=policy("bare", {"podSelector": {}}),
            headers={"Authorization": f"Bearer {token}"},
            verify=ca,
            timeout=30,
        )
        answer.raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(post, enumerate(names)))
    return time.perf_counter() - began


def kubectl(plane, names):
    """Seconds of `kubectl apply --server-side` of one policy in each namespace."""
    objects = []
    for name in names:
        obj = policy("kubectl", {"podSelector": {}})
        obj["metadata"]["namespace"] = name
        objects.append(obj)
    text = "\n---\n".join(json.dumps(o) for o in objects)
    began = time.perf_counter()
    plane.run("apply", "--server-side", "-f", "-", stdin=text, seconds=300)
    return time.perf_counter() - began


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--real", action="store_true", help="also on a real API server (needs Go)")
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    given = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    print(f"{'':10} {'namespaces':>10} {'plan s':>8} {'rollout s':>10} {'kubectl s':>10} {'bare HTTP s':>12}")
    for size in given.sizes:
        planned, rolled = memory(size)
        print(f"{'in memory':10} {size:10} {planned:8.3f} {rolled:10.3f} {'-':>10} {'-':>12}", flush=True)
    if not given.real:
        return
    import harness

    from orchestrator.adapters.kube.cluster import connect

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        plane = stack.enter_context(harness.control_plane(folder))
        cluster = connect(plane.kubeconfig, timeout=30)
        cluster.create(namespace(OWN, "own"))
        for size in given.sizes:
            names = furnish(cluster, f"bench-{size}", size)
            created = rollout(cluster, f"bench-{size}", "a")
            changed = rollout(cluster, f"bench-{size}", "b")
            others = kubectl(plane, names), bare(plane, names)
            for what, (planned, rolled) in (("create", created), ("change", changed)):
                print(
                    f"{'real ' + what:10} {size:10} {planned:8.3f} {rolled:10.3f} {others[0]:10.3f} {others[1]:12.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
