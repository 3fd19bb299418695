"""config/default twice, then rollouts by the accounts' own rights: what the audit log has is what was granted, no more, no less."""

import contextlib
import threading
from dataclasses import replace

import pytest
from audit import did, granted
from clearing import cleared
from faulty_port import FaultyPort, just_before
from installed import ACCOUNTS, FURTHER, POD, SPACES, Installed, Kubelet
from patience import ENOUGH, KUBECTL, eventually
from scene import cli
from stage import OWN, files, policy

from orchestrator.adapters.kube.canary_deployments import followed
from orchestrator.adapters.probes.job_pod import job, marks
from orchestrator.adapters.probes.jobs import Jobs
from orchestrator.adapters.probes.probe_ends import Batch
from orchestrator.cli.app import Target
from orchestrator.cli.operate.guard_service import alone
from orchestrator.cli.wiring import over
from orchestrator.context import NAMESPACE_ROLLOUT, POLICY, ROLLOUT, read
from orchestrator.engine.controller import Controller
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments, Instruments
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput
from orchestrator.operations import poll
from orchestrator.operations.start import find_source
from orchestrator.planning.drift import drift
from orchestrator.ports import Probe
from orchestrator.rollout.next import FORWARD
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from orchestrator.server.pages.changes import Changes
from workflows.shard_worker import Worker

pytestmark = pytest.mark.cluster

PROBE = Probe("in", f"{SPACES[0]}/app", f"{SPACES[1]}/app", 8080, "TCP", True)


@pytest.fixture(scope="module")
def installed(plane, harness, tmp_path_factory):
    if not plane.server:
        pytest.skip("it reads the audit log: only on a control plane of our own")
    yield Installed(plane, harness, tmp_path_factory.mktemp("installed"))
    cleared(plane, *SPACES)
    plane.run("delete", "crd", *(crd["metadata"]["name"] for crd in FURTHER), KUBECTL, check=False)


def controllers_life(installed):
    """Everything that a controller does: each step and each way out of a rollout."""
    installed.source(strategy={"gates": [{"wave": 0}]})
    first = installed.push(policy("spare", {"podSelector": {"matchLabels": {"app": "none"}}}))
    assert installed.go(first).paused_for == "approval"
    installed.approve(first)
    assert installed.go(first).phase == "Succeeded"

    installed.source()
    second = installed.push()  # without `spare`: a deletion
    records = lambda call: call.kind in ("NamespaceRollout", "WaveAnalysis")  # noqa: E731
    # made already, as after a crash just behind it
    twice = just_before(lambda call: call.go_on(), "create", dry_run=False, where=records)
    crashed = replace(installed.ctx, cluster=FaultyPort(installed.ctx.cluster, twice))
    assert installed.go(second, crashed).phase == "Succeeded" and twice.met

    third = installed.push()

    def go_bad(state, action):
        return installed.says(
            "app", SPACES[0], ready=action.verb in ("snapshot", "open", "baseline", "apply")
        )

    assert installed.go(third, watch=go_bad).phase == "RolledBack"
    for space in SPACES:
        installed.says("app", space)

    installed.source(
        analysis={
            "metrics": [],
            "probes": [probe()],
            "probing": {"edges": True, "seconds": 5, "stableSeconds": 1},
        }
    )
    kubelet = Kubelet(installed)
    kubelet.start()
    fourth = installed.push()
    try:
        assert installed.go(fourth).paused_for == "inconclusive"  # nobody can read what these pods answer
        installed.ask(fourth, "resume")  # and the baseline is taken anew
        installed.go(fourth)
    finally:
        kubelet.over.set()
        kubelet.join(ENOUGH)
    installed.ask(fourth, "abort")
    assert installed.go(fourth).phase == "RolledBack"

    installed.source(strategy={"supersede": "immediate"}, drift="report", driftIntervalSeconds=30)
    fifth = installed.push()
    poll.look(installed.ctx, "installed")
    installed.repository.history.append(("f" * 40, files(policy("gate", {"podSelector": {}}))))
    with rounds(installed):
        eventually(lambda: not {first, fifth} & names(installed))  # beyond the history limit
    found = installed.admin.get(POLICY, "gate", SPACES[1])
    installed.admin.replace({**found, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})
    stand = [load(o) for o in installed.admin.list(ROLLOUT, OWN)]
    assert drift(installed.ctx, find_source(installed.ctx, "installed"), stand).differences
    secret = load({**find_source(installed.ctx, "installed").manifest})
    git = secret.spec.git.model_copy(update={"secret_ref": "git"})
    with contextlib.suppress(BadInput):  # the Secret is read; there is no such repository
        installed.real.repository(replace(secret, spec=secret.spec.model_copy(update={"git": git})))
    asks_of_jobs(installed.ctx.cluster, installed.ctx.clock)
    for follow in (m.Follow(argo_rollout=f"{SPACES[0]}/app"), m.Follow(flagger=f"{SPACES[0]}/app")):
        assert followed(installed.ctx.cluster, follow).said == "not there"
    with Changes(installed.ctx.cluster, installed.ctx.clock, OWN):
        watches = {pair for pair in granted(installed.plane, ACCOUNTS[0]) if pair[0] == "watch"}
        eventually(lambda: watches <= did(installed.plane, ACCOUNTS[0], installed.began)[0], every=0.5)


def probe():
    return {"name": "in", "source": f"{SPACES[0]}/app", "destination": f"{SPACES[1]}/app", "port": 8080}


def names(installed):
    """The rollouts that stand."""
    return {o["metadata"]["name"] for o in installed.admin.list(ROLLOUT, OWN)}


@contextlib.contextmanager
def rounds(installed):
    """A controller at work."""
    stop = threading.Event()
    controller = Controller(installed.ctx, "installed", Instruments(), poll_seconds=1, stop=stop.is_set)
    thread = threading.Thread(target=controller.serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(ENOUGH)


def guards_life(installed):
    """A rollout is lost in the middle, its finalizer taken off, and rolled back."""
    old, spare = (policy(n, {"podSelector": {"matchLabels": {"app": "none"}}}) for n in ("old", "spare"))
    installed.source()
    assert installed.go(installed.push(old)).phase == "Succeeded"
    installed.source(strategy={"settleSeconds": 300, "gates": [{"wave": 1}]})
    name = installed.push(spare)  # without `old`: rolling back creates it again

    def applied():
        return "Applied" in {
            (o.get("status") or {}).get("phase")
            for o in installed.admin.list(NAMESPACE_ROLLOUT, OWN)
            if o["spec"]["rollout"] == name
        }

    Embedded(installed.ctx, "lost", stop=applied).drive(name)
    found = installed.admin.get(ROLLOUT, name, OWN)
    installed.admin.replace({**found, "metadata": {**found["metadata"], "finalizers": []}})
    ctx = alone(installed.clusters["netpol-canary-guard"], installed.ctx.clock, OWN)
    guard, stop = Guard(ctx, "guard", GuardInstruments(), 1.0), threading.Event()
    guard.stop = stop.is_set
    thread = threading.Thread(target=guard.serve, daemon=True)
    thread.start()
    try:
        eventually(lambda: load(installed.admin.get(ROLLOUT, name, OWN)).status.phase == "RolledBack")
    finally:
        stop.set()
        thread.join(ENOUGH)
    installed.go(name)  # what follows a rescue is for an engine that is back
    installed.source(strategy={"gates": [{"wave": 0}]})
    waits = installed.push(old)
    assert installed.go(waits).paused_for == "approval"
    assert (
        read(ctx, waits).rollout.status.phase == "Paused"
    )  # as the guard looks at what is between two waves
    installed.ask(waits, "abort")
    installed.go(waits)


def asks_of_jobs(cluster, clock):
    """What the prober asks where no pod comes of a Job, and where a pod's message is too long for its status."""
    batch = Batch(
        SPACES[0], "app", 0, {"app": SPACES[0]}, ((0, PROBE),), ({"host": "10.0.0.9", "port": 8080},)
    )
    made = job(batch, "test", "netpol-canary:0.1.0", "installed", "", 60, {"seconds": 5})
    jobs = Jobs(cluster, clock, marks("test", "installed"), (SPACES[0],))
    assert jobs.diagnosed(made) == ""
    assert jobs.last_line(cluster.list(POD, SPACES[0])[0]) == ""  # there is no kubelet to ask


def steps_life(installed):
    """Waves worked on step by step by the account of workflows' pods: one that goes bad, one that meets drift."""
    cluster = installed.clusters["netpol-canary-step"]
    real = over(cluster, Target(OWN, probe_image="netpol-canary:0.1.0"))
    spare = [policy(f"spare{n}", {"podSelector": {"matchLabels": {"app": "none"}}}) for n in range(3)]
    installed.source(strategy={"engine": "argo", "gates": [{"wave": 1}]})
    installed.repository.history = [h for h in installed.repository.history if h[0] != "f" * 40]
    asked_for = installed.push(spare[0])
    installed.go(asked_for)
    installed.ask(asked_for, "abort")
    installed.go(asked_for)

    bad = installed.push(spare[1])
    with opened(installed, bad) as worker:
        assert [worker(step) for step in ("baseline", "apply", "settle")] == [0, 0, 0]
        installed.says("app", SPACES[0], ready=False)
        reader = threading.Thread(target=worker, args=("analyze",), daemon=True)
        reader.start()
        assert worker("verdict") == 1
        reader.join(ENOUGH)
        installed.says("app", SPACES[0])
    assert installed.go(bad).phase == "RolledBack"

    drifting = installed.push(spare[2])
    with opened(installed, drifting) as worker:
        assert worker("baseline") == 0
        found = installed.admin.get(POLICY, "gate", SPACES[0])
        installed.admin.replace({**found, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})
        assert worker("apply") == 3
    installed.ask(drifting, "abort")
    installed.go(drifting)

    last = installed.push(spare[0])
    planned = lambda: load(installed.admin.get(ROLLOUT, last, OWN)).status.phase != "Pending"  # noqa: E731
    Embedded(installed.ctx, "installed", stop=planned).drive(last)
    assert (
        Worker(real, last, 0).run("apply") == 3
    )  # not opened yet: the freezes are read, and nothing is written
    installed.ask(last, "abort")
    installed.go(last)
    with contextlib.suppress(BadInput):
        real.metrics(
            m.Analysis(prometheus=m.Prometheus(url="http://127.0.0.1:9", secret_ref="git")), "prometheus"
        )
    asks_of_jobs(cluster, installed.ctx.clock)
    probing = m.Probing(seconds=5, stable_seconds=1)
    real.prober(probing, "installed", lambda: None).run([PROBE])


@contextlib.contextmanager
def opened(installed, name):
    """A function that runs a step of the first wave, while the controller leaves the wave's work to others."""
    real = over(installed.clusters["netpol-canary-step"], Target(OWN))
    stop = threading.Event()

    def forward(ctx, state, action):
        return action.verb in FORWARD and state.rollout.status.phase == "Progressing"

    engine = Embedded(installed.ctx, "installed", stop=stop.is_set, elsewhere=forward)
    thread = threading.Thread(target=lambda: engine.drive(name), daemon=True)
    thread.start()
    try:
        eventually(lambda: load(installed.admin.get(ROLLOUT, name, OWN)).status.waves_started == 1)
        yield lambda step: Worker(real, name, 0).run(step)
    finally:
        stop.set()
        thread.join(ENOUGH)


def archives_life(installed):
    """Everything that there is, is exported, twice: what is there already is left alone."""
    installed.source()
    installed.go(installed.push())
    for _ in range(2):
        done = cli(
            installed.accounts["netpol-canary-archive"], "export", "--to", str(installed.folder / "archive")
        )
        assert done.returncode == 0, done.stderr


def asked_by_admission(*kinds):
    """config/admission asks whether whoever sets finalizers may: no request of theirs, so not in the log."""
    return {("update", f"{kind}/finalizers.netpol-canary.dev") for kind in kinds}


# Calico's own API server asks whether whoever lists policies may: no request of theirs either. What it stores is listed
# where it does not run.
OF_CALICO = {
    ("list", "networkpolicies.crd.projectcalico.org"),
    ("list", "globalnetworkpolicies.crd.projectcalico.org"),
    ("get", "tiers.projectcalico.org"),
    ("list", "tier.networkpolicies.projectcalico.org"),
    ("list", "tier.globalnetworkpolicies.projectcalico.org"),
}


# What each account does, and what it is granted that the log cannot show.
LIVES = {
    "netpol-canary": (
        controllers_life,
        asked_by_admission("policysources", "policyrollouts") | OF_CALICO,
    ),
    "netpol-canary-guard": (guards_life, asked_by_admission("policyrollouts")),
    # Argo's own executor reports beside the step.
    "netpol-canary-step": (
        steps_life,
        {(v, "workflowtaskresults.argoproj.io") for v in ("create", "patch")} | OF_CALICO,
    ),
    "netpol-canary-archive": (archives_life, set()),
}


def test_config_default_applied_again_changes_nothing(installed):
    first, again = installed.versions
    assert len(first) > 25 and again == first


@pytest.mark.parametrize("account", ACCOUNTS)
def test_what_it_may_do_is_what_it_does(installed, account):
    life, unseen = LIVES[account]
    life(installed)
    allowed, denied = did(installed.plane, account, installed.began)
    may = granted(installed.plane, account)
    assert sorted(denied) == [] and unseen <= may
    if unused := sorted(may - allowed - unseen):
        pytest.fail("granted and not used: " + ", ".join(" ".join(pair) for pair in unused))
    assert sorted(allowed - may) == []
