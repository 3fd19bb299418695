"""The size of the canary on a real node: some pods before their namespace, and what is cluster-wide by waves."""

from concurrent.futures import ThreadPoolExecutor

import cni_scene
import pytest
import reading
import yaml
from admin_scene import ADMIN, CRD, AdminScene, admin, named, pods_of, rule, shutting
from client_calls import failed, share_failed
from node_scene import eventually, policy
from node_strategy import CLIENT_SHARE, SERVERS, analyses, run, said, write
from payments_scene import CANARY, PATIENCE, REQUESTS, PaymentsScene, letting_in, payments

from orchestrator.rollout.resources import objects

pytestmark = [pytest.mark.cluster, pytest.mark.node]


@pytest.fixture(scope="module")
def pods(node):
    """The addresses of payments' pods, by name; called from the begin of these tests on, so that they have a past."""
    with payments(node) as found:
        yield found


@pytest.fixture(scope="module")
def admin_served(node, pods):
    cni_scene.installed(node.plane, CRD)
    yield
    cni_scene.removed(node.plane, CRD)


@pytest.fixture
def wide_shop(node, admin_served, tmp_path):
    found = AdminScene(node, tmp_path)
    found.furnish()
    yield found
    found.clear()


@pytest.fixture
def payments_shop(node_shop, pods, tmp_path):
    found = PaymentsScene(node_shop.node, tmp_path / "payments")
    found.repository()
    found.settled()
    return found


def met(shop, *questions):
    """What connections meet, each given as source, destination and port; tried side by side."""
    with ThreadPoolExecutor(len(questions)) as pool:
        return dict(zip(questions, pool.map(lambda ends: shop.ask(*ends), questions), strict=True))


def test_packets_follow_the_first_rule_that_speaks_of_them_and_then_network_policies(wide_shop):
    """Nothing shuts out front's own calls: the next test is about their errors."""
    above = [rule("Allow", "from", pods_of("beta"), 8080), rule("Pass", "from", named("gamma"))]
    below = [rule("Deny", "from", named(app)) for app in ("beta", "gamma")]
    wide_shop.node.apply(
        admin("z", 1, named("alpha"), ingress=above),
        admin("a", 2, named("alpha"), ingress=below),
        admin("m", 3, pods_of("beta"), egress=[rule("Deny", "to", named("gamma"), range(8080, 8082))]),
        in_alpha(policy("callers", ("front", "gamma"), 8080)),
    )
    expected = {
        ("beta", "alpha", 8080): "open",
        ("beta", "alpha", 8081): "timeout",
        ("gamma", "alpha", 8080): "open",
        ("gamma", "alpha", 8081): "timeout",
        ("front", "alpha", 8080): "open",
        ("front", "alpha", 8081): "timeout",
        ("beta", "gamma", 8081): "timeout",
        ("beta", "gamma", 8082): "refused",
    }
    eventually(lambda: met(wide_shop, *expected) == expected)


def in_alpha(text):
    found = yaml.safe_load(text)
    return {**found, "metadata": {**found["metadata"], "namespace": "alpha"}}


def reached(shop):
    """For each server, which ports packets of front get to: nobody listens on the last two, and so they are refused."""
    asked = [("front", name, port) for name in SERVERS for port in (8080, 8081, 8082)]
    answers = met(shop, *asked)
    return {
        n: [port for _, name, port in asked if name == n and answers["front", n, port] != "timeout"]
        for n in SERVERS
    }


def test_what_is_cluster_wide_comes_to_one_wave_after_the_other_and_a_bad_change_no_further_than_the_first(
    wide_shop,
):
    shop, old, new = wide_shop, [8080, 8082], [8080, 8081]
    shop.settled()
    eventually(lambda: reached(shop) == dict.fromkeys(SERVERS, old))
    shop.commit(**shop.wide(8082))
    write(shop, probes=False, clusterWide="waves", gates=[{"wave": 1, "approvals": 1}])
    done = shop.run()
    assert done.returncode == 3 and shop.rollout()["status"]["pausedFor"] == "approval", said(done)
    eventually(lambda: reached(shop) == {"alpha": old, "beta": new, "gamma": old})
    assert [p["spec"]["priority"] for p in shop.policies(ADMIN)] == [20, 20]
    assert shop.cli("approve", "shop", "-m", "packets are as they should be").returncode == 0
    done = shop.run()
    assert done.returncode == 0, said(done)
    eventually(lambda: reached(shop) == dict.fromkeys(SERVERS, new))
    [stored] = shop.policies(ADMIN)
    assert objects.canonical(objects.unowned(stored)) == objects.canonical(shutting(8082))
    waves = shop.rollout()["spec"]["waves"]
    assert [w["namespaces"][0]["covers"] for w in waves] == [["beta"], ["alpha", "gamma"]]

    shop.plane.run("annotate", CRD["metadata"]["name"], "front", "example.com/team=payments")
    before, calls = shop.policies(ADMIN), failed(shop.address("front"))
    shop.node.agent.mode("reject")
    shop.commit(**shop.wide(8080))
    share = CLIENT_SHARE | {"maximum": 0.1, "required": True}
    done = run(shop, probes=False, metrics=[share], clusterWide="waves")
    assert done.returncode == 1, said(done)
    status = shop.rollout()["status"]
    assert (status["phase"], status["wavesStarted"]) == ("RolledBack", 1), status["reason"]
    assert "client-share in front" in shop.why() and "front/app to beta/app" in shop.why(), shop.why()
    assert shop.policies(ADMIN) == before
    shop.node.agent.mode("drop")
    eventually(lambda: reached(shop) == dict.fromkeys(SERVERS, new))
    since = failed(shop.address("front"))
    assert [name for name in SERVERS if since[name] > calls[name]] == ["beta"]


def rolled_out(shop, caller, **strategy):
    """Payments and gamma let callers in on their port alone, those of payments by this label."""
    shop.commit(payments=letting_in(caller, 8080), gamma=policy("callers", port=8080))
    given = {"metrics": [REQUESTS], "canary": ["payments"], "canaryPods": CANARY, **strategy}
    return run(shop, more={"intervalSeconds": 3, "count": 1}, probes=False, **given)


def test_some_pods_come_first_and_a_bad_change_cuts_off_a_quarter_of_the_calls_until_their_siblings_tell(
    payments_shop, pods
):
    """First the pods of a canary that is there, then one pod of a workload by a label of ours."""
    shop = payments_shop
    done = rolled_out(shop, "shopper")
    assert done.returncode == 0, said(done)
    places = [
        [(n["name"], n.get("stage", 0)) for n in w["namespaces"]] for w in shop.rollout()["spec"]["waves"]
    ]
    assert places == [[("payments", 1)], [("payments", 0)], [("gamma", 0)]]
    assert [p["metadata"]["name"] for p in shop.policies()] == ["callers", "callers"]
    shopper = shop.address("shopper")
    assert not any(failed(shopper).values())

    shop.plane.run("annotate", "netpol", "callers", "-n", "payments", "example.com/team=payments")
    before = shop.policies()
    # no look is to come before a busy agent enforces it
    done = rolled_out(shop, "shoper", canaryPods={"count": 1}, settleSeconds=4)
    assert done.returncode == 1, said(done)
    status = shop.rollout()["status"]
    assert (status["phase"], status["wavesStarted"]) == ("RolledBack", 1), status["reason"]
    assert "requests in payments, its canary pods beside the others" in shop.why()
    assert shop.policies() == before
    looks = {r["time"] for r in analyses(shop)[0]["status"]["measurements"] if r["metric"] == "requests"}
    assert len(looks) <= 2, looks
    [canary] = [name for name, count in failed(shopper).items() if count]
    eventually(lambda: shop.node.ask(shopper, pods[canary]) == "open")
    listed = {
        p["metadata"]["name"]: p["metadata"]["labels"]
        for p in reading.listed(shop.plane, reading.POD, "payments")
    }
    assert listed[canary]["track"] == "stable" and listed.keys() >= pods.keys()
    assert not [name for name, labels in listed.items() if objects.CANARY_LABEL in labels]
    [place] = shop.rollout()["spec"]["waves"][0]["namespaces"]
    assert [one["key"] for one in place["pods"]] == [objects.CANARY_LABEL]
    assert share_failed(shop.metrics, "shopper", PATIENCE) <= 1 / len(pods)
