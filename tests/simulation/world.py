"""What the simulated processes meet: namespaces, Git repositories, metrics and probes, and the truth about each of them."""

import json
import re

from receivers import CHAT, FEEDBACK
from simulation.settings import WHOLE
from simulation.workloads import CLUSTER, DEPLOYMENTS, TRACK, WIDE, about

from orchestrator.context import POLICY
from orchestrator.errors import DeliveryError, MetricError, RepositoryError
from orchestrator.ports import Commit, ProbeResult, Sample
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

OWN = "netpol-canary"
LABEL = "netpol-canary.dev/source"
HURT = "hurt"  # a policy of this name cuts clients off
SPACES = {"shop": ("cart", "pay", "web"), "mill": ("grain", "wheel")}
APPS = ("a", "b")
API = POLICY.api_version


def policy(name, spec, namespace=None, source=None):
    meta = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if source:
        meta["labels"] = {LABEL: source}
    return {"apiVersion": API, "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def random_spec(draw):
    """A small policy; written out as the API server would store it."""
    selector = draw.choice(({}, {"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}))
    peers = [{"podSelector": {}}, {"podSelector": {"matchLabels": {"app": "a"}}}, {"namespaceSelector": {}}]
    spec = {"podSelector": selector, "policyTypes": ["Ingress"]}
    rules = draw.choice(([], [{}], [{"from": [draw.choice(peers)]}], [{"from": [draw.choice(peers)]}]))
    if rules:
        spec["ingress"] = rules
    if draw.random() < 0.25:
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["egress"] = draw.choice(([{}], [{"to": [draw.choice(peers)]}]))
    return spec


class Repository:
    """Commits of one source, with what each asks for: `wanted[revision]` gives name to spec by namespace, None where bad."""

    def __init__(self, name, draw, spaces):
        self.name, self._draw, self._spaces = name, draw, spaces
        self.history, self.wanted, self.wide, self.held_files = [], {}, {}, {}
        self.author = "Ann <ann@example.com>"

    @property
    def head(self):
        return self.history[-1]

    def push(self, shared, own, bad="", wide=None):
        """A commit: policies of every namespace, of single ones, of the cluster, or something that cannot be rolled out."""
        revision = f"{self._draw.getrandbits(160):040x}"
        files = {f"{space}/own.yaml": _text(some) for space, some in own.items() if some}
        if shared:
            files["_shared/all.yaml"] = _text(shared)
        if wide:
            files[f"{CLUSTER}/all.yaml"] = _text(wide, WIDE)
        if bad:
            files["_shared/bad.yaml"] = bad.encode()
        self.history.append(revision)
        self.held_files[revision] = files
        self.wanted[revision] = None if bad or not files else (shared, own)
        self.wide[revision] = wide or {}
        return revision

    def asks(self, revision, namespace):
        """Name to spec."""
        if namespace == CLUSTER:
            return self.wide[revision]
        shared, own = self.wanted[revision]
        return {**shared, **own.get(namespace, {})}

    def hurts(self, revision):
        found = self.wanted[revision]
        return found is not None and any(HURT in some for some in (found[0], *found[1].values()))


def _text(policies, kind=None):
    given = {} if kind is None else {"apiVersion": kind.api_version, "kind": kind.kind}
    texts = (json.dumps({**policy(n, spec), **given}) for n, spec in sorted(policies.items()))
    return "\n---\n".join(texts).encode()


class Git:
    """Implements `PolicyRepository` for one process; takes time, and fails now and then."""

    def __init__(self, process, repository, faults, errors):
        self._process, self._repository, self._faults, self._errors = process, repository, faults, errors

    def _asked(self):
        draw = self._faults.random
        self._process.clock.sleep(draw.uniform(0.01, 0.3))
        if not self._faults.calm and draw.random() < self._errors:
            raise RepositoryError("the remote end hung up")

    def resolve(self, ref=""):
        self._asked()
        return ref or self._repository.head

    def files(self, revision):
        self._asked()
        return dict(self._repository.held_files[revision])

    def commits(self, since, until):
        self._asked()
        return [Commit(until, (self._repository.author,), "change")]


class Truth:
    """What clients see: a namespace is hurt while the policy stands there. `silent` answers nothing at all."""

    def __init__(self, scheduler, cluster):
        self.scheduler, self.cluster, self.silent = scheduler, cluster, ""
        self.answers = []  # time, namespace, value or None

    def hurt(self, namespace):
        return any(
            k[2].partition("--")[0] == HURT
            and (k[1] == namespace or (k[0] == WIDE and about(obj, namespace)))
            for k, obj in self.cluster._objects.items()
        )

    def errors(self, namespace):
        return 0.5 if self.hurt(namespace) else 0.0


class Metrics:
    """Implements `MetricSource` for one process."""

    def __init__(self, process, truth, faults):
        self._process, self._truth, self._faults = process, truth, faults

    def query(self, expression, at):
        draw, truth = self._faults.random, self._truth
        self._process.clock.sleep(draw.uniform(0.01, 0.2))
        names = re.search(r'namespace=~"([^"]*)"', expression).group(1).split("|")
        if truth.silent == "error":
            raise MetricError("connection refused")
        if truth.silent:
            truth.answers += [(truth.scheduler.time, name, None) for name in names]
        if truth.silent == "empty":
            return []
        found = []
        for name in names:
            value = float("nan") if truth.silent == "nan" else truth.errors(name)
            if not truth.silent:
                truth.answers.append((truth.scheduler.time, name, value))
            found.append(Sample({"namespace": name}, value, at))
        return found

    def query_range(self, expression, start, end, step):
        return self.query(expression, end)


class Prober:
    """Implements `Prober` for one process: a connection passes unless either end is hurt."""

    def __init__(self, process, truth, faults):
        self._process, self._truth, self._faults = process, truth, faults

    def run(self, probes):
        self._process.clock.sleep(self._faults.random.uniform(0.05, 1.0))
        truth, found = self._truth, []
        for probe in probes:
            ends = {probe.source.split("/")[0], probe.destination.split("/")[0]}
            passes = not any(truth.hurt(end) for end in ends)
            found.append(ProbeResult(probe, probe.reachable == passes if probe.check == "connect" else None))
        return found

    def hold(self, probes, key):
        """Nothing is kept open here."""

    def held(self, key):
        return []

    def release(self, key):
        """Nothing was kept open."""


class Line:
    """A receiver as one process reaches it: it takes time, and now and then nobody answers, though it may have arrived."""

    def __init__(self, process, receivers, faults, errors):
        self._process, self._receivers, self._faults, self._errors = process, receivers, faults, errors

    def __getattr__(self, name):
        real, faults = getattr(self._receivers, name), self._faults

        def call(*args):
            self._process.clock.sleep(faults.random.uniform(0.05, 2.0))
            fails = not faults.calm and faults.random.random() < self._errors * 4
            if not fails or faults.random.random() < 0.5:
                real(*args)
            if fails:
                faults.count("lost message")
                raise DeliveryError("no answer")
            self._process.clock.sleep(faults.random.uniform(0.0, 0.5))

        return call


def source(name, settings, repository):
    """The PolicySource of a name, as the settings have it."""
    spaces, sizes = SPACES[name], settings.sizes if name == "shop" else WHOLE
    query = 'errors{namespace=~"$namespaces"}'
    metrics = [m.MetricSpec(name="errors", kind="value", query=query, maximum=0.1)]
    probes = []
    if settings.probes:
        probes = [m.ProbeSpec(name="near", source=f"{spaces[0]}/a", destination=f"{spaces[1]}/a", port=80)]
    probing = m.Probing(edges=False)
    analysis = m.Analysis(
        count=2, interval_seconds=5, metrics=metrics, probes=probes, probing=probing, window_seconds=5
    )
    steps = [m.WaveStep(count=1)] if settings.waves == 3 else []
    strategy = m.Strategy(
        canary=[spaces[0]] if settings.waves > 1 else [],
        steps=steps,
        analysis=analysis,
        settle_seconds=1,
        deadline_seconds=60,
        progress_deadline_seconds=180,
        supersede=settings.supersede,
        max_parallel=settings.parallel,
        gates=[m.Gate(wave=settings.waves - 1, approvals=1)] if settings.gates else [],
        emergency=m.Emergency(
            skip=["windows", "freezes", "waits", "waves"] if settings.emergencies else [],
            expires_after_seconds=60,
        ),
        engine="argo" if settings.argo else "embedded",
        shard_size=1 if settings.argo else 50,
        **_small_steps(sizes, spaces),
    )
    spec = m.PolicySourceSpec(
        git=m.Git(url=f"/repositories/{name}"),
        namespaces=m.NamespaceScope(match_labels=[m.Label(key="team", value=name)]),
        strategy=strategy,
        drift=settings.drift,
        drift_interval_seconds=30,
        identities=[m.Identity(email="ann@example.com", user="ann")],
        feedback=FEEDBACK if settings.told else None,
        notifications=[CHAT] if settings.told else [],
        **(
            {"kinds": [m.KindRef(api_version=k.api_version, kind=k.kind) for k in (POLICY, WIDE)]}
            if sizes.wide
            else {}
        ),
    )
    return new("PolicySource", name, OWN, spec)


def _small_steps(sizes, spaces):
    """What a strategy says of them."""
    found = {"boundaries": "expand" if sizes.expand else "proceed"}
    if sizes.pods:
        chosen = {
            "labels": {"match_labels": [m.Label(key=k, value=v) for k, v in TRACK.items()]},
            "count": {"count": 1},
            "percent": {"percent": 40},
        }[sizes.pods]
        found["canary_pods"] = m.CanaryPods(**chosen)
    if sizes.wide:
        found["cluster_wide"] = sizes.wide
    if sizes.follow:
        found["follow"] = m.Follow(**{DEPLOYMENTS[sizes.follow].field: f"{spaces[1]}/api"})
    return found
