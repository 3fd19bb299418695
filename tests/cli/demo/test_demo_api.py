"""The command line asks the served demo as it asks a cluster, by a kubeconfig that its owner alone reads."""

import json
import os
import sys
from pathlib import Path

import pytest
from patience import eventually, ran
from starlette.testclient import TestClient

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.demo import demo_api, demo_server, past
from orchestrator.context import FREEZE, ROLLOUT, SOURCE
from orchestrator.errors import Conflict, Forbidden, NotFound
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new
from orchestrator.sandbox.cluster import MemoryCluster

NETPOL = Path(sys.executable).parent / "netpol-canary"
SPACE = Kind("v1", "Namespace")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The served shop's kubeconfig; where it was is gone afterwards."""
    root = tmp_path_factory.mktemp("demo") / "shop"
    with demo_server.standing(root, 10.0) as stand, demo_server.reachable(stand) as path:
        yield path
    assert not path.exists()


@pytest.fixture
def typed(shop, tmp_path):
    """`typed(*words)`: what a command says of the shop."""
    env = {**os.environ, "KUBECONFIG": str(shop), "XDG_CACHE_HOME": str(tmp_path)}
    return lambda *words: ran(NETPOL, *words, env=env)


def test_the_file_is_its_owners_and_leads_to_the_loopback_address_alone(shop):
    assert shop.stat().st_mode & 0o777 == 0o600 and shop.parent.stat().st_mode & 0o777 == 0o700
    config = json.loads(shop.read_text())
    (cluster,) = config["clusters"]
    assert cluster["cluster"]["server"].startswith("http://127.0.0.1:")
    assert config["current-context"] == "ben"
    assert {c["name"] for c in config["contexts"]} == {p.user for p in past.PEOPLE}
    assert len({u["user"]["token"] for u in config["users"]}) == len(past.PEOPLE)


@pytest.mark.exhaustive
def test_what_waits_is_shown_explained_reported_and_approved_in_ones_own_name(typed):
    listed = typed("get", "rollouts")
    assert listed.returncode == 0 and "Paused" in listed.stdout and listed.stdout.count("RolledBack") == 2
    explained = typed("explain", "shop")
    assert explained.returncode == 0 and "0 of 1 approval from release-engineers" in explained.stdout
    assert "Let callers of the other half" in typed("report", "shop").stdout
    refused = typed("approve", "shop", "-m", "x", "--context", "carol")
    assert refused.returncode == 1 and "carol is not in release-engineers" in refused.stderr
    done = typed("approve", "shop", "-m", "the canary looks good")
    assert done.returncode == 0 and "approved by ben" in done.stdout, done.stderr
    followed = typed("watch", "shop")
    assert followed.returncode == 0 and "Succeeded" in followed.stdout
    assert eventually(lambda: typed("get", "approvals").stdout.count("ben") == 2)


def test_it_answers_as_an_api_server_does(shop):
    """What the command line asks; errors are of the kinds that a real one gives."""
    cluster = connect(str(shop), "ann")
    assert cluster.user() == ("ann", ("release-engineers", "shop-developers"))
    assert cluster.get(SPACE, "payments")["metadata"]["name"] == "payments"
    assert [o["metadata"]["name"] for o in cluster.list(SPACE, labels="team=shop")]
    first = next(iter(cluster.watch(ROLLOUT, "netpol-canary", seconds=1)))
    assert first.type == "ADDED" and first.obj["kind"] == "PolicyRollout"
    with pytest.raises(NotFound):
        cluster.get(SPACE, "nowhere")
    with pytest.raises(NotFound):
        cluster.list(Kind("example.com/v1", "Thing"))
    with pytest.raises(Forbidden, match="cannot delete"):
        cluster.delete(SPACE, "payments", None, uid="", resource_version="")
    stale = cluster.list(ROLLOUT, "netpol-canary")[0]
    stale["metadata"]["resourceVersion"] = "1"
    with pytest.raises(Conflict):
        cluster.replace(stale)


def test_it_has_the_policies_of_every_api_that_a_source_may_name(shop):
    cluster = connect(str(shop), "ann")
    assert [cluster.list(Kind(k.api_version, k.kind)) for k in POLICY_KINDS] == [[]] * len(POLICY_KINDS)


def test_what_is_only_tried_is_not_kept(shop):
    cluster = connect(str(shop), "ben")
    spec = m.RolloutFreezeSpec(reason="sale", user="ben")
    made = cluster.create(new("RolloutFreeze", "tried", "netpol-canary", spec))
    exact = {"uid": made["metadata"]["uid"], "resource_version": made["metadata"]["resourceVersion"]}
    cluster.delete(FREEZE, "tried", "netpol-canary", **exact, dry_run=True)
    assert cluster.get(FREEZE, "tried", "netpol-canary") == made
    cluster.delete(FREEZE, "tried", "netpol-canary", **exact)
    (source,) = cluster.list(SOURCE, "netpol-canary")
    status = {**source["status"], "blockedRevision": "a" * 40}
    assert cluster.replace_status({**source, "status": status}, dry_run=True)["status"] == status
    assert cluster.list(SOURCE, "netpol-canary")[0]["status"].get("blockedRevision") != "a" * 40


@pytest.fixture
def bare():
    """Requests of others over an empty cluster in which `ann` has the token `t`."""
    app = demo_api.application(MemoryCluster(), {"t": ("ann", ("release-engineers",))})
    http = TestClient(app)
    return lambda method, path, token="t", **more: http.request(
        method, path, headers={"Authorization": f"Bearer {token}"} if token else {}, **more
    )


@pytest.mark.parametrize("token", ["", "x", "t ", "T"])
@pytest.mark.parametrize("path", ["/version", "/apis", "/api/v1/namespaces"])
def test_nobody_comes_in_without_a_token(bare, token, path):
    answer = bare("GET", path, token)
    assert answer.status_code == 401 and answer.json()["reason"] == "Unauthorized"


@pytest.mark.parametrize(
    ("method", "path", "more", "code"),
    [
        ("GET", "/api/v1/things", {}, 404),
        ("GET", "/api", {}, 200),
        ("GET", "/", {}, 404),
        ("GET", "/api/v1/namespaces?watch=true&timeoutSeconds=nan", {}, 400),
        ("GET", "/api/v1/namespaces/a/pods/b/log?tailLines=x", {}, 400),
        ("GET", "/apis/netpol-canary.dev/v1alpha1/namespaces/a/policyrollouts/b/c/d", {}, 404),
        ("POST", "/api/v1/namespaces/a/configmaps", {"content": b"{"}, 400),
        ("POST", "/api/v1/namespaces/a/configmaps", {"json": []}, 400),
        ("POST", "/api/v1/namespaces/a/configmaps", {"json": {"apiVersion": "v1", "kind": "Pod"}}, 400),
        (
            "PUT",
            "/apis/netpol-canary.dev/v1alpha1/namespaces/a/policyrollouts/x",
            {
                "json": {
                    "apiVersion": "netpol-canary.dev/v1alpha1",
                    "kind": "PolicyRollout",
                    "metadata": {"name": "x", "namespace": "b"},
                }
            },
            400,
        ),
        ("POST", "/api/v1/namespaces/a/configmaps", {"content": b" " * ((3 << 20) + 1)}, 413),
    ],
)
def test_a_request_that_is_none_is_refused_as_one(bare, method, path, more, code):
    answer = bare(method, path, **more)
    assert answer.status_code == code
    assert code == 200 or answer.json()["kind"] == "Status"
