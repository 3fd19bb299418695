"""What the engine's tests play on: three namespaces in memory, policies as files, probes that answer."""

import json
from concurrent.futures import Future

from orchestrator.context import POLICY, ROLLOUT, SOURCE, Context
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.worker import Embedded
from orchestrator.errors import PortError, RetryLater
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Commit, ProbeResult
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.resource import load, new
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster

SPACES = ("cart", "pay", "web")
OWN = "netpol-canary"


class Repository:
    """Commits in a list; the last one is the branch's head."""

    def __init__(self, *commits):
        self.history = list(commits)

    def push(self, mark, files):
        """A commit whose id is forty times the same letter."""
        self.history.append((mark * 40, files))
        return mark * 40

    def resolve(self, ref=""):
        return ref or self.history[-1][0]

    def files(self, revision):
        return dict(self.history)[revision]

    def commits(self, since, until):
        return [Commit(until, ("Ann <ann@example.com>",), "change")]


class Answers:
    """Declared probes are answered where the change is good; where it is not, only while nothing has changed.

    Those that a wave chooses itself are answered as the analysis has it.
    """

    def __init__(self, cluster, good):
        self._cluster, self.good = cluster, good

    @property
    def good(self):
        return self._good

    @good.setter
    def good(self, value):
        self._good, self._first = value, None

    def turn_bad(self):
        """What was good so far is not any more, while the change stands."""
        self._good = False

    def run(self, probes):
        now = sorted(objects.canonical(o) for o in self._cluster.list(POLICY))
        self._first = now if self._first is None else self._first
        right = self._good or now == self._first
        return [ProbeResult(p, p.reachable == (right or " to " in p.name)) for p in probes]

    def hold(self, probes, key):
        """Nothing is kept open here."""

    def held(self, key):
        return []

    def release(self, key):
        """Nothing was kept open."""


def policy(name, spec, namespace=None, labels=None):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": POLICY.api_version, "kind": POLICY.kind, "metadata": metadata, "spec": spec}


DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
ALLOW = policy(
    "allow", {"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{"from": [{"podSelector": {}}]}]}
)


def files(*policies):
    return {"all.yaml": "\n---\n".join(json.dumps(o) for o in policies).encode()}


class Stage:
    """One small cluster with a source over three namespaces, one of which holds a policy already."""

    def __init__(self, good=True, metrics=None, analysis=None, **strategy):
        self.clock = SimulatedClock()
        self.cluster = MemoryCluster(self.clock, user="eve", groups=("release-engineers",))
        for name in (OWN, *SPACES):
            self.namespace(name)
        old = {"podSelector": {"matchLabels": {"app": "old"}}, "ingress": [{}]}
        self.cluster.create(policy("old", old, "cart", {objects.SOURCE_LABEL: "shop"}))
        self.repository = Repository(("c" * 40, files(DENY, ALLOW)))
        self.prober = Answers(self.cluster, good)
        probe = m.ProbeSpec(name="web-pay", source="web/a", destination="pay/a", port=80)
        self.metrics = metrics
        given = {"count": 2, "interval_seconds": 5, "probes": [probe], **(analysis or {})}
        self.strategy = m.Strategy(canary=["cart"], analysis=m.Analysis(**given), **strategy)
        self.source("shop")

    def namespace(self, name):
        meta = {"name": name, "labels": {"team": "system" if name == OWN else "shop"}}
        self.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})

    def source(self, name, **spec):
        labels = [m.Label(key="team", value="shop")]
        scope = m.NamespaceScope(match_labels=labels)
        given = {"git": m.Git(url="/repo"), "namespaces": scope, "strategy": self.strategy, **spec}
        given.setdefault("shared", "root")  # `files` writes what goes into every namespace there
        self.cluster.create(new("PolicySource", name, OWN, m.PolicySourceSpec(**given)))

    def pod(self, space, name="a", port=80, **status):
        """One that listens on a port, and bears its name as a label."""
        spec = {"containers": [{"name": "c", "image": "c", "ports": [{"containerPort": port}]}]}
        meta = {"name": name, "namespace": space, "labels": {"app": name}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta}
        self.cluster.create({**pod, "spec": spec, "status": status})

    def change(self, **spec):
        """Fields of the source's spec."""
        fresh = self.shop().manifest
        self.cluster.replace({**fresh, "spec": {**fresh["spec"], **spec}})

    def remove(self, kind, name, namespace=OWN):
        """As it stands."""
        meta = self.cluster.get(kind, name, namespace)["metadata"]
        self.cluster.delete(kind, name, namespace, uid=meta["uid"], resource_version=meta["resourceVersion"])

    def context(self, cluster=None, **ports):
        given = {"repository": self.repository, "prober": self.prober, "clock": self.clock, **ports}
        return Context(
            cluster or self.cluster,
            given["clock"],
            lambda source: given["repository"],
            lambda plan, name: given.get("metrics", self.metrics),
            lambda probing, owner, beat: given["prober"],
            None,
        )

    def standing(self):
        """Every policy of the three namespaces, as canonical text."""
        return {
            name: sorted(objects.canonical(o) for o in self.cluster.list(POLICY, name)) for name in SPACES
        }

    def names(self):
        """The names of the policies in each namespace."""
        return {n: [json.loads(o)["metadata"]["name"] for o in found] for n, found in self.standing().items()}

    def shop(self):
        return load(self.cluster.get(SOURCE, "shop", OWN))


class Inline:
    """A pool that has done the work when it answers."""

    def submit(self, work, *args):
        future = Future()
        try:
            future.set_result(work(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class Rounds:
    """A controller on a stage; `go` lets a minute pass and makes some rounds."""

    def __init__(self, stage):
        self.stage, self.instruments = stage, Instruments()
        self.controller = Controller(stage.context(), "one", self.instruments, poll_seconds=30)

    def go(self, rounds=3):
        for _ in range(rounds):
            self.stage.clock.sleep(60)
            self.controller.tick(Inline())
        return self.rollouts()

    def rollouts(self):
        found = [load(o) for o in self.stage.cluster.list(ROLLOUT, OWN)]
        return {r.name: r.status.phase for r in found}

    def ask(self, name, verb):
        fresh = self.stage.cluster.get(ROLLOUT, name, OWN)
        annotations = {REQUEST: f"{verb}/{verb}-1/eve"}
        self.stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": annotations}})

    def condition(self):
        return {c.type: c for c in self.stage.shop().status.conditions}["Ready"]


def begun(**stage):
    """A stage and a controller on it."""
    found = Stage(**stage)
    return found, Rounds(found)


def work(ctx, holder, tries=20, **more):
    """What `run` does, again while something outside fails in the planning."""
    for _ in range(tries):
        try:
            found = ctx.cluster.list(ROLLOUT, OWN)
            name = found[-1]["metadata"]["name"] if found else start(ctx, find_source(ctx, "shop")).rollout
            break
        except (PortError, RetryLater) as error:
            last = error
            ctx.clock.sleep(1)
    else:
        raise last
    return Embedded(ctx, holder, **more).drive(name)


def check(stage, before, state):
    """Everything at `after`, or everything back at `before`, as the probes have it."""
    phase = state.rollout.status.phase
    assert phase == ("Succeeded" if stage.prober.good else "RolledBack"), state.rollout.status.reason
    source = stage.shop()
    assert source.status.active_rollout == ""
    if phase == "Succeeded":
        assert all(sorted(found) == ["allow", "deny"] for found in stage.names().values()), stage.names()
        assert source.status.current_revision == state.rollout.spec.revision
    else:
        assert stage.standing() == before
        assert source.status.blocked_revision == state.rollout.spec.revision
        assert state.rollout.status.restored_seconds is not None
        verified = {c.type: c.status for c in state.rollout.status.conditions}["RollbackVerified"]
        assert verified == "True"
