"""The map: what policies allow now and what a rollout changes, with the viewer's own rights, and never too much of it."""

import re
from urllib.parse import quote

import pytest
from hostile_texts import assert_harmless, hostile_stage
from stage import Stage, policy

from orchestrator.context import NAMESPACE, POLICY
from orchestrator.errors import Forbidden
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Kind
from orchestrator.sandbox.people import OnePerson
from orchestrator.server.pages.connection_map import allowed as allowing
from orchestrator.server.pages.connection_map.allowed import EACH_IN_TURN, MOST_PAIRS
from orchestrator.server.pages.connection_map.map_view import MOST_ROWS

POD = Kind("v1", "Pod")
FROM_CART = {
    "podSelector": {"matchLabels": {"app": "a"}},
    "ingress": [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "cart"}}}],
            "ports": [{"port": 8080}],
        }
    ],
    "policyTypes": ["Ingress"],
}


def pod(cluster, namespace, name, **meta):
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": "a"}, **meta},
            "spec": {"containers": []},
            "status": {"phase": "Running", "podIP": "10.0.0.9"},
        }
    )


def refusing(monkeypatch, *kinds, status=403):
    listed = OnePerson.list

    def answered(self, kind, *args, **more):
        if kind in kinds:
            raise Forbidden("no", status)
        return listed(self, kind, *args, **more)

    monkeypatch.setattr(OnePerson, "list", answered)


def ways(text):
    return set(re.findall(r'data-from="([^"]*)" data-to="([^"]*)"', text))


@pytest.fixture
def site(opened):
    """Three namespaces with a pod each: a policy lets cart reach pay, and cart itself is open."""
    stage = Stage()
    stage.namespace("quiet")
    for name in ("cart", "pay", "quiet"):
        pod(stage.cluster, name, f"{name}-0")
    stage.cluster.create(policy("from-cart", FROM_CART, "pay"))
    return opened(stage)


def test_of_a_namespace_it_shows_who_may_connect_and_to_whom(site):
    text = site.get("/map?namespace=pay").text
    assert ("0 cart/cart-0[Pod]", "1 pay/pay-0[Pod]") in ways(text)
    assert not any("quiet" in end for pair in ways(text) for end in pair)
    assert ("1 pay/pay-0[Pod]", "2  everybody") in ways(text)
    assert '<td data-label="Ports">TCP 8080</td>' in text and 'href="/map?namespace=cart"' in text


def test_nothing_is_worked_out_where_no_policy_decides(site, monkeypatch):
    asked = []
    between = allowing.between
    monkeypatch.setattr(allowing, "between", lambda *ends: asked.append(ends[1:]) or between(*ends))
    site.get("/map?namespace=quiet")
    assert [(src.namespace, dst.namespace) for src, dst in asked] == [("quiet", "pay")]


def test_a_policy_of_the_whole_cluster_decides_on_every_connection(site):
    subject = {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "quiet"}}}
    rule = {
        "action": "Deny",
        "from": [{"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "cart"}}}],
    }
    made = policy("all", {"tier": "Admin", "priority": 1, "subject": subject, "ingress": [rule]})
    made |= {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy"}
    site.stage.cluster.create(made)
    text = site.get("/map?namespace=quiet").text
    into = {source for source, target in ways(text) if target == "1 quiet/quiet-0[Pod]"}
    assert "0 pay/pay-0[Pod]" in into and "0 cart/cart-0[Pod]" not in into and "0  everybody" not in into


def test_a_policy_that_cannot_be_read_is_left_out_and_said(site, monkeypatch):
    listed = OnePerson.list
    odd = policy("odd", {"podSelector": {"matchLabels": {"a": ["b"]}}}, "cart")
    monkeypatch.setattr(
        OnePerson,
        "list",
        lambda self, kind, *args, **more: listed(self, kind, *args, **more) + [odd] * (kind == POLICY),
    )
    text = site.get("/map?namespace=pay").text
    assert "1 object of the cluster cannot be read and is left out" in text


def test_a_kind_of_policies_that_may_not_be_listed_is_said_beside_the_map(site, monkeypatch):
    refusing(monkeypatch, Kind("cilium.io/v2", "CiliumNetworkPolicy"))
    text = site.get("/map?namespace=pay").text
    assert "not analysed: CiliumNetworkPolicy (cilium.io/v2): it may not be read" in text and "pay-0" in text


def test_pods_of_one_workload_are_one_place_and_may_connect_to_each_other(site):
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "1", "controller": True}
    for number in range(2):
        pod(site.stage.cluster, "web", f"db-{number}", ownerReferences=[owner])
    within = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}], "policyTypes": ["Ingress"]}
    site.stage.cluster.create(policy("within", within, "web"))
    text = site.get("/map?namespace=web").text
    assert ("0 web/db[StatefulSet]", "1 web/db[StatefulSet]") in ways(text) and "db-1" not in text


def test_where_no_policy_decides_everybody_may_and_no_line_is_drawn_for_each(site):
    text = site.get("/map?namespace=quiet").text
    assert ways(text) == {("0  everybody", "1 quiet/quiet-0[Pod]"), ("1 quiet/quiet-0[Pod]", "2  everybody")}
    assert "no policy says who may connect" in text


def test_between_all_namespaces_a_line_stands_for_what_a_policy_lets_pass(site):
    text = site.get("/map").text
    assert ways(text) == {("0 cart", "1 pay")} and 'class="m-open"' in text
    starred = site.get("/map?namespace=*uie*").text
    assert ways(starred) == set() and "the namespaces *uie*" in starred


@pytest.fixture
def changed(opened):
    """A rollout went by that shuts three namespaces, each with a pod."""
    stage = Stage()
    for name in ("cart", "pay", "web"):
        pod(stage.cluster, name, f"{name}-0")
    found = opened(stage)
    ctx = stage.context()
    found.name = start(ctx, find_source(ctx, "shop")).rollout
    found.work()
    return found


def test_a_rollout_s_map_shows_before_and_after_and_what_changes(changed, monkeypatch):
    site = changed
    text = site.get(f"/map?rollout={site.name}").text
    words = set(re.findall(r'class="(g-\w+)"', text))
    assert words, "the stage's change opens or cuts something"
    for at in ("before", "after"):
        shown = site.get(f"/map?rollout={site.name}&at={at}").text
        assert f'href="/map?rollout={site.name}&amp;at={at}" aria-current="page"' in shown
        gone = {"before": "g-opened", "after": "g-cut"}[at]
        assert f'class="{gone}"' not in shown
    refusing(monkeypatch, POD)
    assert ways(site.get(f"/map?rollout={site.name}").text) == ways(text), "it needs no pods"


def test_around_a_rollout_s_change_stands_what_it_does_not_touch(changed):
    changed.stage.cluster.create(policy("from-cart", FROM_CART, "pay"))
    text = changed.get(f"/map?rollout={changed.name}&namespace=pay").text
    alone = changed.get(f"/map?rollout={changed.name}").text
    assert "g-cut" in text and ways(text) and "around them what policies allow now" in text
    assert "g-cut" in alone and 'aria-label="pay"' in alone


@pytest.mark.parametrize("kind", [POD, NAMESPACE])
def test_who_may_not_list_pods_everywhere_gets_no_map_and_is_told_why(site, monkeypatch, kind):
    refusing(monkeypatch, kind)
    text = site.get("/map?namespace=pay").text
    assert "a map needs the right to list namespaces, pods and policies everywhere" in text
    assert "pay-0" not in text and "cart-0" not in text and 'href="/namespaces/pay"' in text
    assert EACH_IN_TURN.acquire(timeout=0), "a turn was not given back"
    EACH_IN_TURN.release()


def test_an_ended_session_is_left_to_the_sign_in_and_nobody_sees_nothing(site, monkeypatch):
    assert site.get("/map", user="nobody").status_code == 401
    refusing(monkeypatch, POD, status=401)
    with pytest.raises(Forbidden):
        site.get("/map")


def test_who_has_to_wait_too_long_is_told_to_come_again(site, monkeypatch):
    monkeypatch.setattr(allowing, "PATIENCE", 0.0)
    with EACH_IN_TURN:
        answer = site.get("/map")
    assert answer.status_code == 409 and "try again in a moment" in answer.text
    assert site.get("/map").status_code == 200


def test_a_thousand_namespaces_fold_to_what_is_asked_for(site, monkeypatch):
    listed = OnePerson.list
    names = [f"team-{n:04}" for n in range(1000)]
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in names]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a-0", "namespace": n, "labels": {"app": "a"}},
            "spec": {"containers": []},
            "status": {"phase": "Running"},
        }
        for n in names
    ]
    shut = [
        policy("all", {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}, n)
        for n in names
    ]
    given = {"Namespace": spaces, "Pod": pods, "NetworkPolicy": shut}
    monkeypatch.setattr(
        OnePerson,
        "list",
        lambda self, kind, *args, **more: given.get(kind.kind) or listed(self, kind, *args, **more),
    )
    assert len(names) ** 2 > MOST_PAIRS
    whole = site.get("/map").text
    assert "1000 workloads of 1000 namespaces are too many" in whole and "<svg xmlns" not in whole
    one = site.get("/map?namespace=team-0007").text
    assert ("0 team-0007/a-0[Pod]", "1 team-0007/a-0[Pod]") not in ways(one)
    assert len(ways(one)) <= 2 * MOST_ROWS + 2 and "more namespaces" in one
    some = site.get("/map?namespace=team-000*").text
    assert "too many" not in some and 0 < len(ways(some)) <= MOST_ROWS**2
    assert max(len(whole), len(one), len(some)) < 600_000


@pytest.mark.parametrize(
    "name", ["nothing", "../x", "[", "[!", "\x00", "<script>alert(1)</script>", "*" * 253, '"><b>']
)
def test_what_is_asked_for_comes_back_harmless(site, name):
    text = site.get(f"/map?namespace={quote(name)}").text
    assert_harmless(text, "annotations")
    assert "<script>alert" not in text and '"><b>' not in text


def test_what_nobody_can_ask_for_is_said(site):
    assert site.get("/map?rollout=nothing").status_code == 404
    assert site.get("/map?at=sideways").status_code == 400
    assert site.get(f"/map?namespace={'x' * 254}").status_code == 400


def test_what_others_wrote_is_harmless(opened):
    site = opened(hostile_stage(True))
    ctx = site.stage.context()
    site.name = start(ctx, find_source(ctx, "shop")).rollout
    site.work()
    for path in ("/map", f"/map?rollout={site.name}", f"/map?rollout={site.name}&namespace=cart&at=before"):
        assert_harmless(site.get(path).text, "annotations")
