"""The node that the tests bring along is a node: pods, packets that policies stop, Jobs, Prometheus."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import images
import monitoring
import netns
import on_path
import pytest
from node_scene import NodeScene, pod_spec, policy
from patience import ENOUGH
from patience import eventually as soon

pytestmark = [pytest.mark.cluster, pytest.mark.node]
CLOSED = 8081  # nobody listens there: refused where policies let a connection pass
# Asks over one connection until it breaks, a line an answer; it is broken where none came in so many seconds.
TALK = """\
import http.client, sys, time
link = http.client.HTTPConnection(sys.argv[1], 8080, timeout=float(sys.argv[2]))
while True:
    link.request("GET", "/")
    link.getresponse().read()
    print("ok", flush=True)
    time.sleep(0.1)
"""


def ingress(*rules, name="under-test"):
    """A NetworkPolicy for alpha's pods that lets these in; nobody where there are none."""
    meta = {"name": name, "namespace": "alpha"}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(rules)}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def egress(*rules):
    """A NetworkPolicy for front's pods that lets them reach these only."""
    meta = {"name": "under-test", "namespace": "front"}
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules)}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


@pytest.fixture
def node_shop(node, tmp_path):
    """A NodeScene, with traffic only where a test waits for it."""
    found = NodeScene(node, tmp_path)
    found.furnish()
    yield found
    found.clear()


@pytest.fixture
def ask(node_shop):
    """What a connection from a namespace's workload, `front` where not told, to another's meets."""
    addresses = {space: node_shop.address(space) for space in ("front", *node_shop.servers)}

    def question(space="alpha", port=8080, source="front", protocol="TCP"):
        return node_shop.node.ask(addresses[source], addresses.get(space, space), port, protocol)

    return question


def test_pods_answer_each_other_over_http(node_shop, ask):
    assert [ask(space) for space in node_shop.servers] == ["open"] * 3
    assert ask("alpha", CLOSED) == "refused"
    node_shop.calling()
    errors = 'sum(increase(http_client_requests_total{outcome="error"}[4s]))'
    soon(lambda: node_shop.value(errors) == 0)


def test_a_denied_connection_times_out_and_is_the_clients_error(node_shop, ask):
    node_shop.node.apply(ingress())
    soon(lambda: ask() == "timeout")
    assert ask("beta") == "open"
    errors = 'sum(increase(http_client_requests_total{namespace="front",target="alpha",outcome="error"}[4s]))'
    soon(lambda: node_shop.value(errors) > 5)
    node_shop.plane.run("delete", "netpol", "-n", "alpha", "under-test")
    soon(lambda: ask() == "open")


def test_the_agent_can_refuse_instead(node_shop, ask):
    node_shop.node.agent.mode("reject")
    node_shop.node.apply(ingress())
    soon(lambda: ask() == "refused")
    node_shop.node.agent.mode("drop")
    assert ask() == "timeout"


def test_nothing_is_enforced_while_the_agent_is_stopped(node_shop, ask):
    node_shop.node.apply(ingress())
    soon(lambda: ask() == "timeout")
    node_shop.node.agent.stop()
    assert ask() == "open"
    node_shop.node.agent.start()
    assert ask() == "timeout"


def test_a_killed_agent_leaves_its_last_rules(node_shop, ask):
    node_shop.node.apply(ingress())
    soon(lambda: ask() == "timeout")
    node_shop.node.agent.kill()
    node_shop.plane.run("delete", "netpol", "-n", "alpha", "under-test")
    assert ask() == "timeout"
    node_shop.node.agent.start()
    assert ask() == "open"


FRONT = {"namespaceSelector": {"matchLabels": {"app": "front"}}}
CASES = {
    "a namespace": ([{"from": [FRONT]}], {("front", 8080): "open", ("beta", 8080): "timeout"}),
    "pods of its own namespace": (
        [{"from": [{"podSelector": {}}]}],
        {("front", 8080): "timeout", ("beta", 8080): "timeout"},
    ),
    "pods in any namespace": (
        [{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "beta"}}}]}],
        {("front", 8080): "timeout", ("beta", 8080): "open"},
    ),
    "an expression": (
        [
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["front"]}]
                        }
                    }
                ]
            }
        ],
        {("front", 8080): "timeout", ("beta", 8080): "open"},
    ),
    "a port": ([{"ports": [{"port": 8080}]}], {("front", 8080): "open", ("front", CLOSED): "timeout"}),
    "a named port": (
        [{"from": [FRONT], "ports": [{"port": "http", "protocol": "TCP"}]}],
        {("front", 8080): "open", ("front", CLOSED): "timeout"},
    ),
    "a range": (
        [{"ports": [{"port": 8081, "endPort": 8090}]}],
        {("front", 8080): "timeout", ("front", CLOSED): "refused"},
    ),
    "two rules": (
        [{"from": [FRONT], "ports": [{"port": CLOSED}]}, {"ports": [{"port": 8080}]}],
        {("front", CLOSED): "refused", ("beta", 8080): "open", ("beta", CLOSED): "timeout"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_packets_follow_an_ingress_rule_for(case, node_shop, ask):
    rules, expected = CASES[case]
    node_shop.node.apply(ingress(*rules))
    soon(lambda: {key: ask("alpha", key[1], key[0]) for key in expected} == expected)


def test_datagrams_are_told_apart_from_connections(node_shop, ask):
    node_shop.node.agent.mode("reject")
    assert ask(protocol="UDP") == "open"
    node_shop.node.apply(ingress({"ports": [{"protocol": "UDP"}]}))
    soon(lambda: ask() == "refused")
    assert ask(protocol="UDP") == "open"
    node_shop.node.apply(ingress({"ports": [{"port": 8080, "protocol": "TCP"}]}))
    soon(lambda: ask() == "open")
    assert ask(protocol="UDP") == "refused"
    node_shop.node.agent.mode("drop")
    assert ask(protocol="UDP") == "timeout"


def test_packets_follow_address_blocks_and_egress_rules(node_shop, ask):
    alpha, beta = (node_shop.address(space) for space in ("alpha", "beta"))
    block = {"cidr": node_shop.node.ground.slot.pods, "except": [f"{beta}/32"]}
    node_shop.node.apply(egress({"to": [{"ipBlock": block}], "ports": [{"port": 8080}]}))
    expected = {("alpha", 8080): "open", ("alpha", CLOSED): "timeout", ("beta", 8080): "timeout"}
    soon(lambda: {key: ask(*key) for key in expected} == expected)
    kubelet = (node_shop.node.address, 10250)
    assert ask(*kubelet) == "timeout"
    node_shop.node.apply(
        egress({"to": [{"ipBlock": {"cidr": f"{alpha}/32"}}, {"ipBlock": {"cidr": f"{kubelet[0]}/32"}}]})
    )
    soon(lambda: ask(*kubelet) == "open")


def test_a_node_reaches_its_own_pods_whatever_policies_say(node_shop, ask):
    node_shop.node.apply(ingress())
    soon(lambda: ask() == "timeout")
    address = node_shop.address("alpha")
    inside = node_shop.node.ground.enter("net")
    command = [
        *inside,
        sys.executable,
        "-c",
        TALK.replace("while True", "for _ in range(3)"),
        address,
        str(ENOUGH),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH, check=False)
    assert done.stdout.split() == ["ok"] * 3, done.stderr
    ready = node_shop.node.get("deployment", "alpha", "app")["status"].get("readyReplicas")
    assert ready == 1


@contextlib.contextmanager
def talking(node_shop, space, patience):
    """A connection from front that stays open and in use; yields whether it has broken within some seconds."""
    address = node_shop.address(space)
    command = [
        node_shop.plane.kubectl,
        "--kubeconfig",
        node_shop.plane.kubeconfig,
        "exec",
        "-n",
        "front",
        "deploy/app",
    ]
    child = subprocess.Popen(
        [*command, "--", "python3", "-I", "-c", TALK, address, str(patience)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def broken(seconds):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
        return child.poll() is not None

    try:
        assert child.stdout.readline() == "ok\n"
        yield broken
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("cut", [False, True], ids=["kept", "cut"])
def test_standing_connections_are_as_the_agent_is_told(cut, node_shop, ask):
    node_shop.node.agent.mode(cut=cut)
    # No busy machine is to break what is kept; what is cut shows as soon as an answer fails to come.
    with talking(node_shop, "alpha", 5 if cut else ENOUGH) as broken:
        node_shop.node.apply(ingress())
        soon(lambda: ask() == "timeout")
        assert broken(ENOUGH if cut else 4) is cut


def test_a_slow_agent_enforces_late(node_shop, ask):
    delay = 6
    node_shop.node.agent.mode(delay=delay)
    begun, answers = time.monotonic(), []
    node_shop.node.apply(ingress())
    soon(lambda: answers.append((ask(), time.monotonic() - begun)) or answers[-1][0] == "timeout")
    assert all(seconds > delay for answer, seconds in answers if answer != "open"), answers


def test_a_policy_can_cut_off_the_scrape_but_not_the_questions(node_shop):
    up = 'sum by (namespace) (up{namespace="alpha"})'
    soon(lambda: node_shop.value(up) == 1)
    node_shop.node.apply(ingress({"from": [FRONT]}))
    soon(lambda: node_shop.value(f"1 - {up}") == 1)
    closed = ingress()
    closed["metadata"]["namespace"] = monitoring.NAMESPACE
    node_shop.node.apply(closed)
    node_shop.plane.run("delete", "netpol", "-n", "alpha", "under-test")
    soon(lambda: node_shop.value(up) == 1)


def job(name, **more):
    """A Job in alpha whose pods bear the workload's labels and can never be Ready."""
    spec = {
        **pod_spec(),
        "restartPolicy": "Never",
        "readinessGates": [{"conditionType": "example.com/never"}],
    }
    template = {"metadata": {"labels": {"app": "alpha"}}, "spec": spec}
    spec.update(more)
    meta = {"name": name, "namespace": "alpha"}
    body = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 1,
        "template": template,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": body}


def test_a_pod_with_a_gate_that_nobody_sets_is_listed_but_never_ready(node_shop):
    node_shop.node.apply(job("never-ready"))

    def endpoints():
        slices = node_shop.node.get("endpointslices", "alpha")["items"]
        return [
            e for s in slices for e in s.get("endpoints") or () if e.get("targetRef", {}).get("kind") == "Pod"
        ]

    def theirs():
        return [e for e in endpoints() if e["targetRef"]["name"].startswith("never-ready")]

    pod, states = soon(theirs)[0]["targetRef"]["name"], set()

    def running():
        states.update((e["conditions"]["ready"], e["conditions"]["serving"]) for e in theirs())
        status = "-o=jsonpath={.status.containerStatuses[0].ready}"
        return node_shop.plane.run("get", "pod", "-n", "alpha", pod, status) == "true"

    soon(running)
    assert running() and states == {(False, False)}
    soon(lambda: [e["conditions"]["ready"] for e in endpoints() if e not in theirs()] == [True])
    assert node_shop.node.get("deployment", "alpha", "app")["status"]["replicas"] == 1


def test_a_finished_job_is_deleted_with_its_pod_and_its_last_words_are_read(node_shop):
    words = "import json; open('/dev/termination-log', 'w').write(json.dumps({'answer': 42}))"
    spec = pod_spec()["containers"][0]
    done = job("last-words", containers=[{**spec, "command": ["python3", "-I", "-c", words]}])
    done["spec"]["ttlSecondsAfterFinished"] = 3
    node_shop.node.apply(done)

    def message():
        pods = json.loads(
            node_shop.plane.run("get", "pods", "-n", "alpha", "-l", "job-name=last-words", "-o", "json")
        )
        ended = [
            p["status"]["containerStatuses"][0]["state"].get("terminated")
            for p in pods["items"]
            if p["status"].get("containerStatuses")
        ]
        return next((each.get("message") for each in ended if each), None)

    assert json.loads(soon(message)) == {"answer": 42}
    names = ("get", "jobs,pods", "-n", "alpha", "-l", "job-name=last-words", "-o", "name")
    soon(lambda: not node_shop.plane.run(*names).strip())


def test_the_probe_image_runs_the_projects_agent(node_shop):
    container = {"name": "probe", "image": images.PROBE, "args": ["--help"]}
    node_shop.node.apply(job("probe", containers=[container]))
    code = "-o=jsonpath={.items[*].status.containerStatuses[0].state.terminated.exitCode}"
    expected = "0" if images.AGENT.exists() else "1"
    soon(lambda: node_shop.plane.run("get", "pods", "-n", "alpha", "-l", "job-name=probe", code) == expected)


@pytest.mark.parametrize("caller", ["front", "frnt"], ids=["good", "bad"])
def test_a_rollout_plays_on_real_packets_and_metrics(caller, node_shop):
    node_shop.calling()
    node_shop.settled()
    before = node_shop.policies()
    callers = (caller, monitoring.LABEL)
    node_shop.commit(**{name: policy("callers", callers, 8080) for name in node_shop.servers})
    done = node_shop.run()
    assert done.returncode == (0 if caller == "front" else 1), done.stdout + done.stderr
    status = node_shop.rollout()["status"]
    if caller == "front":
        assert status["phase"] == "Succeeded"
        assert [rule["ports"][0]["port"] for rule in node_shop.rules()] == [8080] * 3
    else:
        assert status["phase"] == "RolledBack" and node_shop.policies() == before
        assert "front" in node_shop.why()


def test_a_killed_test_run_leaves_nothing_behind(tmp_path):
    program = (
        "import netns, subprocess, sys, time\n"
        "with netns.ground(sys.argv[1]) as ground:\n"
        "    child = subprocess.Popen([*ground.enter(), 'sleep', '600'])\n"
        "    print(ground.pid, ground.slot.number, flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": on_path.PYTHONPATH}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=env)
    pid, number = map(int, child.stdout.readline().split())
    cable = Path("/sys/class/net", netns.Slot(number).name)
    assert cable.exists()
    child.kill()
    child.communicate(timeout=ENOUGH)
    soon(lambda: not Path(f"/proc/{pid}").exists())
    soon(lambda: not cable.exists())
    soon(lambda: netns.holder(number) != str(tmp_path))
    with netns.ground(tmp_path):
        pass  # it begins again in the same folder
