"""Rollouts on a real node, judged by packets, by Prometheus, by both."""

import pytest
from node_scene import CUTS_CLIENT, GOOD, eventually, policy
from node_strategy import CLIENT_ERRORS, SCRAPE, SERVERS, analyses, run, said
from restoring import seconds_are_what_the_times_say
from sampling import FULL

pytestmark = [pytest.mark.cluster, pytest.mark.node]


CUTS_SCRAPE = {name: policy("callers", callers=("front",)) for name in SERVERS}


@pytest.mark.parametrize("mode", ["drop", "reject"] if FULL else ["drop"])
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


@pytest.mark.parametrize("mode", ["drop", "reject"] if FULL else ["reject"])
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
    done = run(shop, probes=False, metrics=[CLIENT_ERRORS | {"required": True}], canary=SERVERS)
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
