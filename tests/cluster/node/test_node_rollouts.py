"""Rollouts on a real node: judged by packets, by Prometheus, by both; nothing of a probe stays or takes traffic."""

import contextlib
import json
import signal
import threading

import monitoring
import pytest
import reading
from node_scene import CUTS_CLIENT, eventually, policy
from node_strategy import CLIENT_ERRORS, SCRAPE, SERVERS, analyses, run, said, write
from patience import ENOUGH
from restoring import seconds_are_what_the_times_say

pytestmark = [pytest.mark.cluster, pytest.mark.node]

PROBE_LABEL = "netpol-canary.dev/probe"


@pytest.fixture
def shop(node_shop):
    """The shop with its first policies in force, and traffic."""
    node_shop.settled()
    return node_shop


GOOD = {name: policy("callers", port=8080) for name in SERVERS}
CUTS_SCRAPE = {name: policy("callers", callers=("front",)) for name in SERVERS}


@pytest.mark.parametrize("mode", ["drop", "reject"])
def test_a_good_change_is_promoted_on_real_probes(shop, mode):
    shop.node.agent.mode(mode)
    shop.commit(**GOOD)
    done = run(shop)
    assert done.returncode == 0, said(done)
    first = analyses(shop)[0]
    answers = {r["probe"]: r["observed"] for r in first["status"]["probes"] if r["when"] == "after"}
    roles = {p["role"] for p in first["spec"]["probes"]}
    assert {"declared", "mustPass", "mustNotPass"} <= roles
    assert all(answers[p["name"]] == p["expect"] for p in first["spec"]["probes"]), answers
    held = [r for r in first["status"]["probes"] if r["when"] == "longLived"]
    assert held and all(r["observed"] != "blocked" for r in held), held


@pytest.mark.parametrize("mode", ["drop", "reject"])
def test_a_change_that_cuts_a_client_off_is_taken_back_by_its_probes(shop, mode):
    shop.node.agent.mode(mode)
    before = shop.policies()
    shop.commit(**CUTS_CLIENT)
    done = run(shop)
    assert done.returncode == 1, said(done)
    assert shop.policies() == before
    status = shop.rollout()["status"]
    assert (
        status["phase"] == "RolledBack"
        and "probe front-beta: expected reach, seen blocked" in status["reason"]
    )
    assert "front/app to beta/app" in shop.why() and "confidence: certain" in shop.why()
    assert "beta/policies.yaml:" in shop.why() and "Ann" in shop.why()
    seconds_are_what_the_times_say(shop.plane, shop.rollout())
    verified = {c["type"]: c["status"] for c in status["conditions"]}["RollbackVerified"]
    assert verified == "True", status["conditions"]
    told = shop.cli("explain", "shop").stdout
    assert "8080: reach → blocked" in told, told


def test_a_change_that_cuts_a_client_off_is_taken_back_by_the_clients_errors(shop):
    before = shop.policies()
    shop.commit(**CUTS_CLIENT)
    # A past that is too short, or that holds the errors of the test before, would not show that these are new.
    counted = 'http_client_requests_total{namespace="front"}'
    failed = 'http_client_requests_total{namespace="front",outcome="error"}'
    eventually(lambda: shop.value(f"sum({counted} offset 40s)") > 0)
    eventually(lambda: not shop.value(f"sum(increase({failed}[70s]))"))
    # All servers at once: else two of three calls still work.
    done = run(shop, probes=False, metrics=[CLIENT_ERRORS], canary=SERVERS)
    assert done.returncode == 1, said(done) + str(analyses(shop)[0]["status"]["measurements"][-1])
    assert shop.policies() == before
    status = shop.rollout()["status"]
    assert status["phase"] == "RolledBack" and "client-errors in front" in shop.why(), shop.why()
    assert analyses(shop)[0]["spec"]["probes"] == []


@pytest.mark.parametrize("evidence", ["metrics", "probes"])
def test_a_change_that_cuts_off_the_scrape_is_recognised_as_that(shop, evidence):
    before = shop.policies()
    shop.commit(**CUTS_SCRAPE)
    given = {"metrics": [SCRAPE], "probes": False} if evidence == "metrics" else {"probes": True}
    done = run(shop, **given)
    assert done.returncode == 1, said(done)
    assert shop.policies() == before
    assert "the change cuts off the observer" in shop.rollout()["status"]["reason"]


def test_an_agent_that_is_stopped_is_noticed_by_the_control_that_must_not_pass(shop):
    shop.node.agent.stop()
    shop.commit(**GOOD)
    done = run(shop)
    assert done.returncode == 3, said(done)
    status = shop.rollout()["status"]
    assert status["pausedFor"] == "inconclusive" and "nothing is enforced there" in shop.why()
    assert any("nothing is enforced" in a for a in analyses(shop)[0]["status"]["alarms"])
    assert "nothing is enforced" in shop.cli("explain", "shop").stdout
    shop.node.agent.start()
    assert shop.cli("abort", "shop", "--here").returncode == 1


def test_an_agent_that_dies_on_the_way_promotes_nothing(shop):
    """Its rules stay as they were: what the change should cut still connects."""
    shop.commit(
        **{name: policy("callers", callers=("front", monitoring.LABEL), port=8081) for name in SERVERS}
    )
    shop.node.agent.kill()
    done = run(shop, probes=True)
    assert done.returncode in (1, 3), said(done)
    assert shop.phases(shop.rollout()["metadata"]["name"])["gamma"] == "Pending"
    shop.node.agent.start()
    if done.returncode == 3:
        assert shop.cli("abort", "shop", "--here").returncode == 1


@contextlib.contextmanager
def slices_watched(shop):
    """Every (address, pod name, ready, serving) that an EndpointSlice of the servers showed meanwhile."""
    seen, stop = set(), threading.Event()

    def look():
        while not stop.wait(0.1):
            for item in reading.listed(shop.plane, reading.SLICE):
                for end in item.get("endpoints") or []:
                    conditions = end.get("conditions") or {}
                    name = (end.get("targetRef") or {}).get("name", "")
                    seen.add((name, conditions.get("ready"), conditions.get("serving")))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(ENOUGH)


def probe_pods(shop):
    found = reading.listed(shop.plane, reading.POD, None, PROBE_LABEL)
    return {p["metadata"]["name"] for p in found}


def test_no_probe_pod_is_ever_a_ready_endpoint(shop):
    """Probes start from the servers, too: their pods carry the labels that the Services select."""
    ends = {"source": "alpha/app", "destination": "beta/app", "port": 8080}
    back = {"name": "alpha-beta", "expect": "blocked", **ends}
    shop.commit(**GOOD)
    with slices_watched(shop) as seen:
        done = run(shop, probes=False, declared=[back])
    assert done.returncode == 0, said(done)
    ours = {row for row in seen if "netpol-canary-" in row[0]}
    assert ours, "no probe pod was ever listed by an EndpointSlice"
    assert all(ready is False and serving is False for _, ready, serving in ours), ours


def test_no_probe_pod_remains_after_the_orchestrator_is_killed(shop):
    shop.commit(**GOOD)
    write(shop, probes=True)
    child = shop.begin("run", "--source", str(shop.file))
    eventually(lambda: probe_pods(shop))
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=ENOUGH)
    eventually(lambda: not probe_pods(shop), every=1.0)
    assert not json.loads(shop.plane.run("get", "jobs", "-A", "-o", "json"))["items"]
    done = shop.run()
    assert done.returncode == 0, said(done)
