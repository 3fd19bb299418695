"""A rollout that is stopped at any call of the cluster and started again ends all before, or all after."""

import json

import pytest

from orchestrator.engine.embedded import Embedded
from orchestrator.ports import Commit, Kind, ProbeResult
from orchestrator.rollout import model as m
from orchestrator.rollout import objects
from orchestrator.rollout.resource import load, new
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.steps import snapshot
from orchestrator.steps.context import NAMESPACE_ROLLOUT, POLICY, ROLLOUT, SOURCE, Context
from orchestrator.steps.planning import plan

SPACES = ("cart", "pay", "web")


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """Passes calls on until the n-th, where it dies before or after the effect."""

    def __init__(self, cluster, at=0, after=False):
        self._cluster, self.at, self.after, self.calls = cluster, at, after, 0

    def __getattr__(self, name):
        real = getattr(self._cluster, name)

        def call(*args, **kwargs):
            self.calls += 1
            if self.calls == self.at and not self.after:
                raise Killed
            result = real(*args, **kwargs)
            if self.calls == self.at:
                raise Killed
            return result

        return call


class Folder:
    def __init__(self, files):
        self._files = files

    def resolve(self, ref=""):
        return "c" * 40

    def files(self, revision):
        return self._files

    def commits(self, since, until):
        return [Commit("c" * 40, ("Ann <ann@example.com>",), "change")]


class Answers:
    """Reaches until the policies stand in a wave; then says what the test wants."""

    def __init__(self, cluster, good):
        self._cluster, self._good = cluster, good

    def run(self, probes):
        applied = any("allow" in o["metadata"]["name"] for o in self._cluster.list(POLICY))
        return [ProbeResult(p, self._good or not applied) for p in probes]


def policy(name, spec, namespace=None, labels=None):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": POLICY.api_version, "kind": POLICY.kind, "metadata": metadata, "spec": spec}


DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
ALLOW = policy(
    "allow", {"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{"from": [{"podSelector": {}}]}]}
)


def world(good):
    clock = SimulatedClock()
    cluster = MemoryCluster(clock)
    for name in ("netpol-canary", *SPACES):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    old = {"podSelector": {"matchLabels": {"app": "old"}}, "ingress": [{}]}
    cluster.create(policy("old", old, "cart", {objects.SOURCE_LABEL: "shop"}))
    probe = m.ProbeSpec(name="web-pay", source="web/a", destination="pay/a", port=80)
    strategy = m.Strategy(canary=["cart"], analysis=m.Analysis(count=2, interval_seconds=5, probes=[probe]))
    spec = m.PolicySourceSpec(
        git=m.Git(url="/repo"), namespaces=m.NamespaceScope(names=list(SPACES)), strategy=strategy
    )
    cluster.create(new("PolicySource", "shop", "netpol-canary", spec))
    files = {"all.yaml": "\n---\n".join(json.dumps(o) for o in (DENY, ALLOW)).encode()}

    def context(port):
        return Context(port, clock, lambda s: Folder(files), lambda r: None, Answers(cluster, good), None)

    return cluster, context


def standing(cluster):
    return {name: sorted(objects.canonical(o) for o in cluster.list(POLICY, name)) for name in SPACES}


def work(ctx, holder):
    source = load(ctx.cluster.get(SOURCE, "shop", ctx.namespace))
    found = ctx.cluster.list(ROLLOUT, ctx.namespace)
    if not found:
        made = plan(ctx, source, "c" * 40)
        snapshot.create(ctx, source, made, "shop-cccc", [])
    return Embedded(ctx, holder).drive("shop-cccc")


def outcome(good, at=0, after=False):
    cluster, context = world(good)
    before = standing(cluster)
    dying = Dying(cluster, at, after)
    try:
        state = work(context(dying), "first")
    except Killed:
        state = work(context(cluster), "second")
    return cluster, before, state, dying.calls


def check(good, cluster, before, state):
    now = standing(cluster)
    phase = state.rollout.status.phase
    assert phase == ("Succeeded" if good else "RolledBack")
    if good:
        names = {s: [json.loads(o)["metadata"]["name"] for o in found] for s, found in now.items()}
        assert all(sorted(found) == ["allow", "deny"] for found in names.values()), names
    else:
        assert now == before
        assert state.rollout.status.restored_seconds is not None
        assert any(c.type == "Verified" and c.status == "True" for c in state.rollout.status.conditions)


@pytest.mark.parametrize("good", [True, False])
def test_a_rollout_ends_at_after_or_at_before(good):
    cluster, before, state, calls = outcome(good)
    check(good, cluster, before, state)
    assert calls > 50
    kinds = Kind(m.API_VERSION, "WaveAnalysis")
    assert cluster.list(kinds, "netpol-canary") and cluster.list(NAMESPACE_ROLLOUT, "netpol-canary")


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_stopped_at_every_call_and_started_again_it_ends_the_same(good, after):
    calls = outcome(good)[3]
    for at in range(1, calls + 1):
        cluster, before, state, _ = outcome(good, at, after)
        check(good, cluster, before, state)


def test_a_finished_rollout_run_again_writes_nothing_but_its_lease():
    cluster, context = world(True)
    work(context(cluster), "first")
    before = {k: n for k, n in cluster.writes.items() if k[1] != "Lease"}
    work(context(cluster), "second")
    assert {k: n for k, n in cluster.writes.items() if k[1] != "Lease"} == before
