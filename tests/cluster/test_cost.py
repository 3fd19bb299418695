"""What a rollout costs the API server: at most three writes a namespace, and a few a wave."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from clearing import OWN, cleared
from patience import ENOUGH

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.kube.counted import CountedCluster
from orchestrator.context import SOURCE, Context
from orchestrator.engine.worker import Embedded, threads
from orchestrator.errors import Conflict
from orchestrator.operations.start import start
from orchestrator.ports import Commit
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

pytestmark = pytest.mark.cluster

NAMESPACES = 200
POLICY = b"""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: costly}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080}]}]}
"""
WRITES = {"create", "replace", "status", "delete"}


class Files:
    """One commit with one shared policy."""

    def resolve(self, ref=""):
        return "c" * 40

    def files(self, revision):
        return {"_shared/policy.yaml": POLICY}

    def commits(self, since, until):
        return [Commit(until, ("Ann <ann@example.com>",), "change")]


def namespace(name):
    labels = {"cost": "yes", "netpol-canary.dev/test": "true"} if name != OWN else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


@pytest.fixture
def roomy(harness, tmp_path, request):
    """A control plane of its own: on one that others share, their namespaces would wait for the end of so many."""
    if os.environ.get("KUBECONFIG"):
        plane = request.getfixturevalue("plane")
        yield plane
        cleared(plane)  # first: it would wait for the others' end
        plane.run("delete", "namespace", "-l", "cost=yes", "--wait=false")
    else:
        with harness.control_plane(tmp_path / "plane") as plane:
            yield plane


def test_200_namespaces_take_three_writes_each_and_nothing_the_second_time(roomy):
    calls = Counter()
    real = connect(roomy.kubeconfig, timeout=ENOUGH)
    names = [f"cost-{number:03d}" for number in range(NAMESPACES)]

    def made(name):
        try:
            real.create(namespace(name))
        except Conflict:
            assert name == OWN

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(made, [OWN, *names]))
    cluster = CountedCluster(real, lambda verb, kind, outcome: calls.update([(verb, kind)]))
    unjudged = m.Analysis(probing=m.Probing(edges=False))
    strategy = m.Strategy(
        steps=[m.WaveStep(percent=10)], settle_seconds=0, max_parallel=16, analysis=unjudged
    )
    scope = m.NamespaceScope(match_labels=[m.Label(key="cost", value="yes")])
    spec = m.PolicySourceSpec(git=m.Git(url="/none"), namespaces=scope, strategy=strategy)
    real.create(new("PolicySource", "cost", OWN, spec))
    none = lambda *_: None  # noqa: E731
    ctx = Context(cluster, SystemClock(), lambda s: Files(), none, none, None, each=threads)
    started = start(ctx, load(real.get(SOURCE, "cost", OWN)))
    state = Embedded(ctx, "cost").drive(started.rollout)
    assert state.rollout.status.phase == "Succeeded"
    waves = len(state.rollout.spec.waves)
    writes = Counter({key: n for key, n in calls.items() if key[0] in WRITES})
    mine = sum(n for (_, kind), n in writes.items() if kind in ("NetworkPolicy", "NamespaceRollout"))
    assert mine <= 3 * NAMESPACES, writes
    assert sum(writes.values()) - mine <= 12 * waves + 12, writes
    calls.clear()
    again = start(ctx, load(real.get(SOURCE, "cost", OWN)))
    assert again.rollout == "" and not any(verb in WRITES for verb, _ in calls), calls
