"""A merge in a real repository reaches a real API server, judged by a real Prometheus, and comes back."""

import json
import signal

import pytest
from patience import ENOUGH, KUBECTL
from restoring import seconds_are_what_the_times_say

pytestmark = pytest.mark.cluster


def good(module):
    return {n: module.policy("callers", port=8080) for n in module.SERVERS}


def bad(module):
    return {n: module.policy("callers", app="frnt") for n in module.SERVERS}


def test_a_change_is_promoted_over_five_namespaces(shop, watched):
    module, _ = watched
    revision = shop.commit(**good(module))
    plan = shop.cli("plan", "--source", str(shop.file))
    assert "5 namespaces in 3 waves; 0 to create, 5 to update, 0 to delete" in plan.stdout, plan.stderr
    done = shop.run()
    assert done.returncode == 0, done.stdout + done.stderr
    rollout = shop.rollout()
    assert rollout["status"]["phase"] == "Succeeded" and rollout["spec"]["revision"] == revision
    assert [rule["ports"][0]["port"] for rule in shop.rules()] == [8080] * 5
    shop.plane.run("wait", "--for=condition=Succeeded", "prol", "-n", module.OWN, "--all", KUBECTL)
    again = shop.run()
    assert again.returncode == 0 and "nothing to do" in again.stdout
    described = shop.cli("describe", "shop").stdout
    assert "Successful: requests in beta" in described and "Ann <ann@example.com>" in described
    table = shop.cli("get").stdout
    assert "Succeeded" in table and table.startswith("NAME")
    events = shop.plane.run("get", "events", "-n", module.OWN, "-o", "name")
    assert len(events.split()) >= 5


@pytest.mark.parametrize("touched", [False, True], ids=["as written", "changed by kubectl beforehand"])
def test_a_regression_is_rolled_back_to_what_stood_there(shop, watched, touched):
    module, _ = watched
    if touched:
        shop.plane.run("annotate", "netpol", "callers", "-n", "beta", "team=payments")
        patch = '[{"op":"add","path":"/spec/ingress/0/ports","value":[{"port":8080,"protocol":"TCP"}]}]'
        shop.plane.run("patch", "netpol", "callers", "-n", "beta", "--type=json", "-p", patch)
        shop.plane.run("label", "netpol", "callers", "-n", "alpha", "checked=yes")
    before = shop.policies()
    shop.commit(**bad(module))
    done = shop.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert shop.policies() == before
    status = shop.rollout()["status"]
    assert status["phase"] == "RolledBack"
    seconds_are_what_the_times_say(shop.plane, shop.rollout())
    assert "beta/NetworkPolicy/callers (beta/policies.yaml:" in shop.why()
    assert "by Ann <ann@example.com>" in shop.why() and "front" in shop.why()
    assert shop.phases(shop.rollout()["metadata"]["name"])["omega"] == "Pending"
    held = shop.run()
    assert held.returncode == 1 and "is blocked" in held.stderr


def _applied(shop, module, name):
    def reached():
        try:
            found = shop.rollout()
        except ValueError:
            return None
        return shop.phases(found["metadata"]["name"]).get(name) == "Applied"

    module.eventually(reached)


@pytest.mark.parametrize("change", [good, bad])
def test_a_killed_run_is_resumed_by_another_process(shop, watched, change):
    module, _ = watched
    before = shop.policies()
    shop.commit(**change(module))
    first = shop.begin("run", "--source", str(shop.file))
    name = shop.rollout()["metadata"]["name"]
    module.eventually(lambda: shop.rollout()["metadata"]["name"] != name)
    _applied(shop, module, "beta")
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=ENOUGH)
    done = shop.run()
    assert done.returncode == (0 if change is good else 1), done.stdout + done.stderr
    assert "TakenOver" in done.stdout
    if change is bad:
        assert shop.policies() == before
    else:
        assert ["ports" in rule for rule in shop.rules()] == [True] * 5


def test_a_stopped_run_says_so_and_goes_on_later(shop, watched):
    module, _ = watched
    shop.commit(**good(module))
    first = shop.begin("run", "--source", str(shop.file))
    name = shop.rollout()["metadata"]["name"]
    module.eventually(lambda: shop.rollout()["metadata"]["name"] != name)
    _applied(shop, module, "beta")
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=ENOUGH)
    assert first.returncode == 130 and "goes on from here" in said
    asked = shop.cli("abort", "shop", "--here")
    assert asked.returncode == 1, asked.stdout + asked.stderr
    assert shop.rollout()["status"]["phase"] == "RolledBack"


def test_a_deleted_rollout_loses_nothing(shop, watched):
    module, _ = watched
    before = shop.policies()
    shop.commit(**good(module))
    first = shop.begin("run", "--source", str(shop.file))
    name = shop.rollout()["metadata"]["name"]
    module.eventually(lambda: shop.rollout()["metadata"]["name"] != name)
    _applied(shop, module, "beta")
    shop.plane.run("delete", "prol", "-n", module.OWN, shop.rollout()["metadata"]["name"], "--wait=false")
    said, _ = first.communicate(timeout=ENOUGH)
    assert first.returncode == 1, said
    assert shop.policies() == before


def test_a_namespace_deleted_in_the_middle_wedges_nothing(shop, watched):
    module, _ = watched
    shop.commit(**good(module))
    first = shop.begin("run", "--source", str(shop.file))
    name = shop.rollout()["metadata"]["name"]
    module.eventually(lambda: shop.rollout()["metadata"]["name"] != name)
    _applied(shop, module, "beta")
    shop.plane.run("delete", "pod", "-n", "omega", "--all", "--force", "--grace-period=0")
    shop.plane.run("delete", "namespace", "omega", "--wait=false")
    said, _ = first.communicate(timeout=ENOUGH)
    assert first.returncode == 0, said
    assert shop.phases(shop.rollout()["metadata"]["name"])["omega"] == "Deleted"


def test_kubectl_reads_rollouts_well(scene):
    columns = scene.plane.run("get", "prol", "-n", "netpol-canary").splitlines()
    assert columns == [] or columns[0].split()[:3] == ["NAME", "SOURCE", "PHASE"]
    empty = scene.cli("get", "rollouts", "-o", "json")
    assert json.loads(empty.stdout)["items"] == []
