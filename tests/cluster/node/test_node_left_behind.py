"""Rollouts on a real node whose agent or orchestrator stops; nothing of a probe stays or takes traffic."""

import contextlib
import json
import signal
import threading

import monitoring
import pytest
import reading
from node_scene import GOOD, eventually, policy
from node_strategy import SERVERS, analyses, run, said, write
from patience import ENOUGH

pytestmark = [pytest.mark.cluster, pytest.mark.node]

PROBE_LABEL = "netpol-canary.dev/probe"


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
    write(shop, seconds=90)  # the end of every pod
    child = shop.begin("run", "--source", str(shop.file))
    eventually(lambda: probe_pods(shop))
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=ENOUGH)
    eventually(lambda: not probe_pods(shop), every=1.0)
    assert not json.loads(shop.plane.run("get", "jobs", "-A", "-o", "json"))["items"]
    done = shop.run()
    assert done.returncode == 0, said(done)
