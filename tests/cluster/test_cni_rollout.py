"""Policies of Cilium's and of Calico's API reach a real API server namespace by namespace, and come back exactly."""

import json

import cni_scene
import pytest
import reading
from cni_scene import APIS, WIDE, ByWavesScene, CniScene, WideScene
from sampling import FULL
from scene import SERVERS, watching

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def watched_apis(plane, harness, tmp_path_factory):
    """Prometheus over traffic that these policies decide of as well."""
    if not plane.server:
        pytest.skip("it deletes CRDs of Cilium and Calico: only on a control plane of our own")
    folder, apis = tmp_path_factory.mktemp("cni"), [*APIS.values(), WIDE]
    crds = [api.crd for api in apis]
    cni_scene.installed(plane, *crds)
    with watching(plane, harness, folder, *(api.kind for api in apis)) as url:
        yield url
    cni_scene.removed(plane, *crds)


@pytest.fixture(params=APIS if FULL else ["cilium"])
def shop(plane, watched_apis, tmp_path, request):
    """Of each API; sampled, of Cilium's: what differs between them is read and evaluated in memory."""
    yield from furnished(CniScene(plane, tmp_path, watched_apis, APIS[request.param]))


@pytest.fixture
def wide_shop(plane, watched_apis, tmp_path):
    yield from furnished(WideScene(plane, tmp_path, watched_apis, APIS["cilium"]))


@pytest.fixture
def shop_by_waves(plane, watched_apis, tmp_path):
    yield from furnished(ByWavesScene(plane, tmp_path, watched_apis, APIS["cilium"]))


def furnished(found):
    """A scene while it lasts."""
    found.furnish()
    found.settled()
    yield found
    found.clear()


def test_a_change_is_promoted_over_five_namespaces_and_the_next_one_rolled_back_exactly(shop):
    api = shop.api
    assert len(shop.policies()) == 2 * len(SERVERS)
    shop.commit(**dict.fromkeys(SERVERS, shop.policies_of(callers=api.tight)))
    plan = shop.cli("plan", "--source", str(shop.file))
    assert "5 namespaces in 3 waves; 0 to create, 5 to update, 5 to delete" in plan.stdout, plan.stderr
    done = shop.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert shop.rollout()["status"]["phase"] == "Succeeded"
    stored = [{k: o["spec"][k] for k in api.tight} for o in shop.policies()]
    assert stored == [api.tight] * len(SERVERS)

    for word, mark in (("annotate", "example.com/team=payments"), ("label", "checked=yes")):
        shop.plane.run(word, api.crd["metadata"]["name"], "callers", "-n", "beta", mark)
    before = shop.policies()
    shop.commit(beta=shop.policies_of(shut=api.denial), omega=shop.policies_of(callers=api.denial))
    done = shop.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "client-errors in front" in shop.why() and f"beta/{api.kind.kind}/shut" in shop.why()
    assert json.dumps(shop.policies()) == json.dumps(before)
    assert shop.rollout()["status"]["phase"] == "RolledBack"
    assert shop.phases(shop.rollout()["metadata"]["name"]) == {"beta": "Restored", "omega": "Pending"}
    assert reading.found(shop.plane, api.kind, "shut", "beta") == {}


def test_one_of_the_whole_cluster_is_promoted_last_and_the_next_one_rolled_back_exactly(wide_shop):
    shop, api = wide_shop, WIDE
    shop.commit(beta=shop.policies_of(callers=api.tight), **shop.wide(callers=api.tight))
    done = shop.run()
    assert done.returncode == 0, done.stdout + done.stderr
    waves = shop.rollout()["spec"]["waves"]
    assert [w["why"] for w in waves] == ["canary, by name", "cluster-wide, at once"]
    [stored] = reading.listed(shop.plane, api.kind)
    assert stored["spec"] == api.tight and "namespace" not in stored["metadata"]
    assert shop.cli("drift", "shop").returncode == 0

    for word, mark in (("annotate", "example.com/team=payments"), ("label", "checked=yes")):
        shop.plane.run(word, api.crd["metadata"]["name"], "callers", mark)
    before, spaces = (shop.policies(kind) for kind in (api.kind, shop.kind))
    shop.commit(**shop.wide(callers=api.denial, shut=api.denial))
    done = shop.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "client-errors in front" in shop.why() and f"_cluster/{api.kind.kind}/shut" in shop.why()
    assert json.dumps(shop.policies(api.kind)) == json.dumps(before)
    assert json.dumps(shop.policies()) == json.dumps(spaces)
    assert shop.rollout()["status"]["phase"] == "RolledBack"
    assert shop.phases(shop.rollout()["metadata"]["name"]) == {"_cluster": "Restored"}


def test_one_of_the_whole_cluster_is_promoted_by_waves_and_the_next_one_rolled_back_from_the_canary(
    shop_by_waves,
):
    shop, api = shop_by_waves, WIDE
    shop.commit(**shop.wide(callers=api.tight))
    done = shop.run()
    assert done.returncode == 0, done.stdout + done.stderr
    waves = shop.rollout()["spec"]["waves"]
    assert [w["namespaces"][0]["covers"] for w in waves[:2]] and waves[0]["namespaces"][0]["covers"] == [
        "beta"
    ]
    [stored] = reading.listed(shop.plane, api.kind)
    assert stored["spec"] == api.tight and "annotations" not in stored["metadata"]

    for word, mark in (("annotate", "example.com/team=payments"), ("label", "checked=yes")):
        shop.plane.run(word, api.crd["metadata"]["name"], "callers", mark)
    before = shop.policies(api.kind)
    shop.commit(**shop.wide(callers=api.denial, shut=api.denial))
    done = shop.run()
    assert done.returncode == 1, done.stdout + done.stderr
    status = shop.rollout()["status"]
    assert (status["phase"], status["wavesStarted"]) == ("RolledBack", 1)
    assert "client-errors in front" in shop.why()
    assert json.dumps(shop.policies(api.kind)) == json.dumps(before)
