"""Probes as real packets between real pods, under an agent that really stops them."""

import contextlib
import subprocess
import sys
from dataclasses import replace

import images
import pytest
import yaml
from node_scene import eventually, policy
from patience import ENOUGH

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.probes.job_pod import JOB
from orchestrator.adapters.probes.probe_ends import POD
from orchestrator.adapters.probes.prober import JobProber
from orchestrator.ports import Probe
from orchestrator.rollout.resources.model import Probing
from orchestrator.rollout.resources.objects import PROBE_LABEL

pytestmark = [pytest.mark.cluster, pytest.mark.node]
OPEN, CLOSED = 8080, 8081
DENY = policy("deny", callers=("nobody",))
KILLED = """\
import sys
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.probes.prober import JobProber
from orchestrator.adapters.kube.cluster import connect
from orchestrator.ports import Probe
from orchestrator.rollout.resources.model import Probing
probing = Probing(seconds=10, stable_seconds=60)
prober = JobProber(connect(sys.argv[1]), SystemClock(), probing, sys.argv[2], "node-test")
prober.run([Probe("p", "front/app", "alpha/app", 8081, "TCP", True)])
"""


def probe(port=OPEN, reach=True, source="front/app", destination="alpha/app", **more):
    return Probe(f"{source} to {destination}:{port}", source, destination, port, "TCP", reach, **more)


@pytest.fixture
def api(node_shop):
    return connect(node_shop.plane.kubeconfig, timeout=ENOUGH)


@pytest.fixture
def prober(api):
    return JobProber(api, SystemClock(), Probing(seconds=180, stable_seconds=4), images.PROBE, "node-test")


@pytest.fixture
def patient(prober):
    """For policies that take 3 s to be in force, or some more on a busy machine: half of `stable_seconds` is more."""
    return replace(prober, probing=Probing(seconds=180, stable_seconds=16))


def deny(node_shop):
    """Nobody may reach alpha any more, from now on."""
    node_shop.node.apply(in_alpha(DENY))


def in_alpha(text):
    found = yaml.safe_load(text)
    return {**found, "metadata": {**found["metadata"], "namespace": "alpha"}}


def left(api):
    """Probe Jobs, and their pods, that stand anywhere."""
    return [o["metadata"]["name"] for kind in (JOB, POD) for o in api.list(kind, None, PROBE_LABEL)]


def seen(results):
    return [r.observed for r in results]


def test_open_and_closed_ports_and_resolvers_answer_as_they_are_and_nothing_is_left(node_shop, prober, api):
    wanted = [
        probe(),
        probe(check="http"),
        probe(CLOSED, reach=False),
        probe(source="alpha/app", destination="beta/app"),
        probe(destination="192.0.2.1", reach=False),
    ]
    results = prober.run(wanted)
    assert seen(results) == [True, True, False, True, False], results
    assert "refused" in results[2].message
    eventually(lambda: not left(api))


@pytest.mark.parametrize(("mode", "said"), [("drop", "timed out"), ("reject", "refused")])
def test_a_denied_connection_is_blocked_however_it_is_denied(node_shop, prober, mode, said):
    node_shop.node.agent.mode(mode)
    deny(node_shop)
    results = prober.run([probe(reach=False), probe(destination="beta/app")])
    assert seen(results) == [False, True], results
    assert said in results[0].message


def test_a_denial_that_is_enforced_late_is_waited_for(node_shop, prober):
    node_shop.node.agent.mode(delay=2)
    deny(node_shop)
    assert seen(prober.run([probe(reach=False)])) == [False]


def test_what_a_new_pod_may_do_before_its_own_policy_holds_it_is_not_believed(node_shop, prober, patient):
    spec = {"podSelector": {}, "policyTypes": ["Egress"]}
    meta = {"name": "out", "namespace": "front"}
    node_shop.node.apply(
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
    )
    assert seen(prober.run([probe(reach=False)])) == [False]
    node_shop.node.agent.mode(delay=3)
    (result,) = patient.run([probe()])
    assert result.observed is False, result


def test_what_a_new_pod_may_not_do_before_others_policies_know_it_is_not_believed(node_shop, prober, patient):
    node_shop.node.apply(in_alpha(policy("callers")))
    assert seen(prober.run([probe()])) == [True]
    node_shop.node.agent.mode(delay=3)
    (result,) = patient.run([probe(reach=False)])
    assert result.observed is True, result


def test_a_stopped_agent_lets_through_what_must_not_pass(node_shop, prober):
    deny(node_shop)
    node_shop.node.agent.stop()
    assert seen(prober.run([probe(reach=False)])) == [True]


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "kept"])
def test_a_held_connection_tells_whether_a_change_cut_it(node_shop, prober, api, cut):
    node_shop.node.agent.mode(cut=cut)
    prober.hold([probe(), probe(destination="beta/app")], "wave-0")
    deny(node_shop)
    assert seen(prober.run([probe(reach=False)])) == [False]
    found = {r.probe.destination: r for r in prober.held("wave-0")}
    assert found["alpha/app"].observed is (not cut), found
    assert found["beta/app"].observed is True, found
    prober.release("wave-0")
    eventually(lambda: not left(api))


def test_a_probe_pod_is_never_a_ready_endpoint_and_no_controller_adopts_it(node_shop, prober):
    prober.hold([probe(source="alpha/app", destination="beta/app")], "wave-0")

    def theirs():
        slices = node_shop.node.get("endpointslices", "alpha")["items"]
        ends = [e for s in slices for e in s.get("endpoints") or ()]
        return [e for e in ends if e["targetRef"]["name"].startswith("netpol-canary-")]

    conditions = [e["conditions"] for e in eventually(theirs)]
    assert [(c["ready"], c["serving"]) for c in conditions] == [(False, False)]
    assert node_shop.node.get("deployment", "alpha", "app")["status"]["replicas"] == 1
    assert seen(prober.held("wave-0")) == [True]
    prober.release("wave-0")


def test_a_quota_that_stops_the_pods_is_named(node_shop, prober, api):
    hard = {"pods": "1"}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": "front"}}
    made = api.create({**body, "spec": {"hard": hard}})
    with contextlib.ExitStack() as stack:
        stack.callback(node_shop.plane.run, "delete", "quota", "-n", "front", "small")
        api.replace_status(
            {**made, "status": {"hard": hard, "used": {"pods": "1"}}}
        )  # no quota controller runs
        (result,) = prober.run([probe()])
    assert result.observed is None
    assert result.message.startswith("probe Jobs cannot start in front: Forbidden: ")
    assert "exceeded quota: small" in result.message


def test_an_image_that_cannot_be_had_is_named(api):
    probing = Probing(seconds=60, stable_seconds=2)
    prober = JobProber(api, SystemClock(), probing, "none.invalid/probe:1", "node-test")
    (result,) = prober.run([probe()])
    assert result.observed is None and "probe Jobs cannot start: " in result.message
    assert "none.invalid/probe:1" in result.message


@contextlib.contextmanager
def killed(node_shop, api):
    """A run of probes whose process was killed in the middle."""
    command = [sys.executable, "-c", KILLED, node_shop.plane.kubeconfig, images.PROBE]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: len(left(api)) == 2)
    finally:
        child.kill()
        child.wait()
    yield


def test_what_a_killed_process_leaves_goes_by_itself(node_shop, api):
    with killed(node_shop, api):
        eventually(lambda: not left(api))


def test_what_a_killed_process_leaves_goes_with_the_next_run(node_shop, prober, api):
    with killed(node_shop, api):
        assert seen(prober.run([probe()])) == [True]
        eventually(lambda: not left(api))


def test_intents_are_tried_live(node_shop, tmp_path):
    ends = "from: {workload: front/app}, to: {workload: alpha/app}, ports: [{port: 8080}]"
    (tmp_path / "intents.yaml").write_text(
        "apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n  intents:\n"
        f"  - {{name: front reaches alpha, expect: reach, {ends}}}\n"
    )
    good = node_shop.node.cli("test", str(tmp_path), "--live", "--image", images.PROBE)
    assert good.returncode == 0 and "ok    front reaches alpha" in good.stdout, good
    deny(node_shop)
    bad = node_shop.node.cli("test", str(tmp_path), "--live", "--image", images.PROBE)
    assert bad.returncode == 1 and "does not connect (timed out" in bad.stdout, bad
