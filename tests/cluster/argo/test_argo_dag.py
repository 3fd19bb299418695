"""The rendered workflows on a real API server: taken as they are, and ending as the embedded engine does.

A walker follows each wave's own DAG; each pod's command runs as a process with the rights of config/argo.
"""

import json
from contextlib import ExitStack

import pytest
import reading
import yaml
from argo_pods import Pods, drained, install
from outcomes import OUTCOMES
from people import service_account
from sampling import FULL
from scene import OWN, PROGRAM, Scene, eventually, policy, process, source

from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from workflows.submission import workflow
from workflows.templates import templates

pytestmark = pytest.mark.cluster

SERVE = (PROGRAM, "controller", "--poll", "1", "--listen", "127.0.0.1:0", "--log", "json")
# Promoted goes the way of what is approved, and rejected that of what is aborted: played where all are.
PLAYED = tuple(OUTCOMES) if FULL else ("rolled back", "approved", "aborted")
QUICK = {"gates": [], "shardSize": 2, "steps": []}


@pytest.fixture(scope="module")
def argo_crds(plane, harness):
    install(plane)
    return plane


class Sources(Scene):
    """A scene with a controller of its own, and what becomes of one change after the other."""

    def __init__(self, plane, folder, metrics):
        super().__init__(plane, folder, metrics)
        self.ports = iter(range(8081, 8099))

    def strategy(self, **more):
        """The canary, then the other four; one look a wave."""
        found = source(self.git, self.metrics, self.servers, engine="argo", **{**QUICK, **more})
        found["metadata"]["namespace"] = OWN
        found["spec"]["strategy"]["analysis"]["count"] = 1
        found["spec"]["identities"] = [{"email": "ann@example.com", "user": "ann"}]
        self.plane.run("apply", "-f", "-", stdin=json.dumps(found))

    def good(self):
        port = next(self.ports)
        return {n: yaml.safe_dump(widened(n, port)) for n in self.servers}

    def bad(self):
        return {n: policy("callers", app="frnt") for n in self.servers}

    def change(self, files, gates=(), act=None, until=("Succeeded", "RolledBack", "Failed")):
        """Merge it and wait for its end; what can be seen of it then, as plain data."""
        self.strategy(gates=list(gates))
        before = self.policies()
        revision = self.commit(**files)
        mine = lambda: next((r for r in self.rollouts() if r["spec"]["revision"] == revision), None)  # noqa: E731
        found = eventually(mine)
        name = found["metadata"]["name"]
        if act is not None:
            act(lambda: self.status(name))
        eventually(lambda: self.status(name).get("phase") in until)
        status = self.status(name)
        source = lambda: reading.found(self.plane, reading.SOURCE, "shop", OWN)["status"]  # noqa: E731
        if status["phase"] != "Paused":
            eventually(lambda: not source().get("activeRollout"))  # the source is told last
        held = source().get("blockedRevision") == revision
        reasons = [t["reason"] for t in status["transitions"] if not t["reason"].startswith("Workflow")]
        return {
            "phase": status["phase"],
            "reasons": reasons,
            "namespaces": self.phases(name),
            "as before": self.policies() == before,
            "held": held,
            "restored": status.get("restoredSeconds") is not None,
        }

    def rollouts(self):
        return reading.listed(self.plane, reading.ROLLOUT, OWN)

    def status(self, name):
        return reading.found(self.plane, reading.ROLLOUT, name, OWN).get("status", {})

    def decide(self, verb):
        """What a person says at the gate."""

        def act(status):
            eventually(lambda: status().get("pausedFor") == "approval")
            done = self.cli(verb, "shop", "-m", "it was looked at")
            assert done.returncode == 0, done.stdout + done.stderr

        return act

    def abort(self, status):
        """As soon as the canary is written."""
        eventually(lambda: "Applied" in self.phases(self.rollout()["metadata"]["name"]).values())
        assert self.cli("abort", "shop").returncode == 0


def widened(name, port):
    """What a server's callers reach, and one port more, which hurts nobody."""
    found = yaml.safe_load(policy("callers"))
    found["spec"]["ingress"].append({"ports": [{"port": port, "protocol": "TCP"}]})
    return found


def outcomes(sources, pods):
    """One change after the other."""
    gate = [{"wave": 1, "name": "people"}]
    changes = {
        "promoted": lambda: sources.change(sources.good()),
        "rolled back": lambda: sources.change(sources.bad()),
        "approved": lambda: sources.change(sources.good(), gate, sources.decide("approve")),
        "rejected": lambda: sources.change(sources.good(), gate, sources.decide("reject")),
        "aborted": lambda: sources.change(sources.good(), act=sources.abort),
    }
    found = {what: changes[what]() for what in PLAYED}
    drained(pods)
    return found


@pytest.fixture(scope="module")
def seen(argo_crds, harness, watched, tmp_path_factory):
    """What became of the changes, and the pods that ran."""
    plane, (_, url), folder = argo_crds, watched, tmp_path_factory.mktemp("argo")
    sources = Sources(plane, folder, url)
    sources.furnish()
    with ExitStack() as stack:
        stack.callback(sources.clear)
        for base in ("rbac", "argo"):
            plane.run("apply", "-k", str(harness.ROOT / "config" / base))
        pods = Pods(plane, folder / "pods")
        stack.callback(pods.close)
        # The first pod that writes is lost to its node as soon as it has begun.
        pods.on_begin.append(lambda pod: lost(pod, pods.pods))
        sources.settled()
        account = service_account(plane, folder, OWN, "netpol-canary").kubeconfig
        with process([*SERVE, "--kubeconfig", account], folder / "controller.log"):
            return outcomes(sources, pods), pods.pods


def lost(pod, ran):
    if pod.argv[2] == "apply" and sum(p.argv[2] == "apply" for p in ran) == 1:
        pod.kill()


@pytest.mark.parametrize("what", PLAYED)
def test_it_ends_as_with_the_embedded_engine(seen, what):
    phase, reasons, spaces, held = OUTCOMES[what]
    found = seen[0][what]
    namespaces = set(found["namespaces"].values())
    if what == "aborted":  # how far it had got when the person's word arrived is the machine's affair
        assert found["reasons"][-2:] == reasons[-2:] and namespaces <= spaces
    else:
        assert found["reasons"] == reasons and namespaces == spaces
    back = phase == "RolledBack"
    assert found["phase"] == phase and found["held"] is held
    assert found["as before"] is found["restored"] is back


def test_a_pod_that_was_killed_is_run_again_and_every_step_ran(seen):
    _, ran = seen
    steps = [p.argv[2] for p in ran]
    assert set(steps) == {"baseline", "apply", "settle", "analyze", "verdict"}
    first = [p for p in ran if p.argv[2] == "apply"][:2]
    assert first[0].argv == first[1].argv and (first[0].poll(), first[1].poll()) == (-9, 0)
    shards = {p.argv[p.argv.index("--shard") + 1] for p in ran if p.argv[2] == "apply"}
    assert shards == {"0", "1"}


@pytest.mark.parametrize("count", [1, 12, 1000])
def test_templates_and_workflows_of_any_size_are_taken_with_strict_validation(argo_crds, count):
    """As dry runs: the API server holds Argo's full CRDs, and refuses a field that they do not know."""
    plane = argo_crds
    digest = "sha256:" + "0" * 64
    spaces = [m.WaveNamespace(name=f"n{i}", before=digest, after=digest) for i in range(count)]
    spec = m.PolicyRolloutSpec(
        source="shop",
        revision="c" * 40,
        strategy=m.Strategy(engine="argo"),
        plan_digest=digest,
        waves=[m.Wave(namespaces=spaces)],
    )
    made = new("PolicyRollout", "shop-cccccccccc", "default", spec)
    rollout = load({**made, "metadata": {**made["metadata"], "uid": "00000000-0000-0000-0000-000000000000"}})
    documents = [*templates("netpol-canary:0.1.0", "default"), workflow(rollout, 0, "shop-cccccccccc-w0-0")]
    strict = ("create", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-")
    taken = plane.run(*strict, stdin=yaml.safe_dump_all(documents))
    assert len(taken.split()) == 3
    documents[-1]["spec"]["paralelism"] = 3
    assert plane.run(*strict, stdin=yaml.safe_dump(documents[-1]), check=False) == ""
