"""Two replicas on a real API server: the one that works is killed, the other finishes, and no status is set twice."""

import contextlib
import itertools
import re
import signal
import subprocess

import hosts
import pytest
import reading
import yaml
from patience import ENOUGH
from scene import OWN, PROGRAM, Scene, eventually, policy, source

pytestmark = pytest.mark.cluster
WHOLE = "netpol-canary/shop"


@pytest.fixture
def node_shop(plane, tmp_path):
    """A scene without traffic: what is told is looked at here, not what is measured."""
    found = Scene(plane, tmp_path, "")
    found.furnish()
    yield found
    found.clear()


@pytest.fixture
def host(httpserver):
    """A Git host in memory, on this machine."""
    fake = hosts.GitHub()
    httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
    return fake


def asked_for(node_shop, url):
    """The source in the cluster, with feedback."""
    analysis = {"count": 2, "intervalSeconds": 4, "probing": {"edges": False}}
    given = source(node_shop.git, "", node_shop.servers, analysis=analysis)
    feedback = {"host": "github", "apiUrl": url, "repository": "shop/policies", "secretRef": "host"}
    given["spec"]["feedback"] = feedback
    given["metadata"]["namespace"] = OWN
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"token": "hunter2"}}
    secret["metadata"] = {"name": "host", "namespace": OWN}
    node_shop.plane.run("apply", "-f", "-", stdin=yaml.safe_dump_all([secret, given]))


@contextlib.contextmanager
def replica(node_shop, harness, number):
    """A controller; the process."""
    command = [PROGRAM, "controller", "--poll", "1", "--listen", f"127.0.0.1:{harness.free_port()}"]
    command += ["--kubeconfig", str(node_shop.plane.kubeconfig)]
    with (node_shop.folder / f"replica-{number}.log").open("w") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield child
        finally:
            child.kill()
            child.wait(ENOUGH)


def leader(node_shop):
    """The id of the process that holds the controller's Lease."""
    parts = reading.holder(node_shop.plane, "controller", OWN).split("-")
    return int(parts[-2]) if len(parts) > 2 else 0


def ended(node_shop):
    items = reading.listed(node_shop.plane, reading.ROLLOUT, OWN)
    status = items[0].get("status", {}) if items else {}
    return status.get("phase") == "Succeeded" and not status.get("outbox")


def test_the_other_replica_finishes_and_no_status_is_set_twice(node_shop, harness, host, httpserver):
    asked_for(node_shop, httpserver.url_for("/"))
    with replica(node_shop, harness, 1) as first, replica(node_shop, harness, 2) as second:
        by_id = {first.pid: first, second.pid: second}
        eventually(lambda: leader(node_shop) in by_id)
        host.head = node_shop.commit(**{n: policy("callers") for n in node_shop.servers})
        eventually(lambda: any(s["context"].endswith("wave-0") for s in host.statuses))
        by_id[leader(node_shop)].send_signal(signal.SIGKILL)
        eventually(lambda: ended(node_shop), every=1)
    by_context = {}
    for item in host.statuses:
        assert item["sha"] == host.head
        by_context.setdefault(item["context"], []).append((item["state"], item["description"]))
    assert by_context[WHOLE][-1][0] == "success" and len(by_context) == 4
    for context, told in by_context.items():
        assert all(a != b for a, b in itertools.pairwise(told)), (context, told)
    assert len(host.comments) == 1 and "promoted everywhere" in host.comments[1]["body"]
