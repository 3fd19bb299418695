"""A namespace: which policies, whose, since when, who may connect, what changed; and what a reader without rights gets."""

import pytest
from hostile_texts import LINE, assert_harmless, hostile_stage
from stage import policy

from orchestrator.context import NAMESPACE_ROLLOUT, POLICY, ROLLOUT
from orchestrator.errors import Forbidden, Unreachable
from orchestrator.operations.start import find_source, start
from orchestrator.sandbox.people import OnePerson
from orchestrator.server.pages.standing.namespace_view import MOST_CHANGES, MOST_POLICIES


@pytest.fixture
def blind(monkeypatch):
    """Nobody may read what is beyond the orchestrator's own kinds."""
    listed, got = OnePerson.list, OnePerson.get

    def refuse(call, own):
        def answered(self, kind, *args, **more):
            if kind.api_version != NAMESPACE_ROLLOUT.api_version:
                raise Forbidden('User "ben" cannot list resource')
            return call(self, kind, *args, **more)

        return answered

    monkeypatch.setattr(OnePerson, "list", refuse(listed, "list"))
    monkeypatch.setattr(OnePerson, "get", refuse(got, "get"))


def test_it_says_which_policies_whose_and_since_which_rollout(begun):
    site = begun()
    text = site.get("/namespaces/cart").text
    assert "2 policies, of which 2 of a source" in text
    for wanted in (
        "allow",
        "deny",
        'href="/sources#source-shop"',
        f'<td data-label="Since"><a href="/rollouts/{site.name}">',
    ):
        assert wanted in text, wanted
    assert "+2" in text and "−1" in text and "applied" in text


def test_who_may_connect_is_said_in_words(begun):
    text = begun().get("/namespaces/pay").text
    assert "pods with app=a" in text and "every pod of this namespace" in text and "nobody" in text
    assert "they may connect to anybody" in text


def test_a_policy_that_no_rollout_brought_says_who_manages_it(begun):
    site = begun()
    site.stage.cluster.create(policy("mine", {"podSelector": {}}, "pay"))
    text = site.get("/namespaces/pay").text
    assert "no source's: " in text and "3 policies, of which 2" in text


def test_a_change_that_was_rolled_back_brought_nothing(undone):
    text = undone.get("/namespaces/cart").text
    assert "restored" in text and "Rolled back" in text
    assert '<td data-label="Since"><a' not in text and "before the rollouts below" in text


def test_where_policies_may_not_be_read_the_rollouts_are_still_there(begun, blind):
    site = begun()
    text = site.get("/namespaces/cart").text
    assert "you may not list NetworkPolicy in this namespace" in text and site.name in text
    assert "pods with app=a" not in text and "anybody may" not in text


def test_what_is_not_there_and_what_may_not_be_seen_get_the_same_words(begun, blind):
    site = begun()
    site.stage.namespace("hushed")
    there, nowhere = site.get("/namespaces/hushed"), site.get("/namespaces/nowhere")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("hushed", "") == nowhere.text.replace("nowhere", "")


def test_a_namespace_without_policies_says_what_that_means_and_what_to_do(begun):
    site = begun()
    site.stage.namespace("quiet")
    text = site.get("/namespaces/quiet").text
    assert "None stands here, so that everybody may" in text and "anybody may" in text
    assert "What to do next" in text and "No rollout that is still kept" in text


@pytest.mark.parametrize(
    "name",
    [
        "nowhere",
        "%2e%2e",
        "a%00b",
        "UPPER",
        "-a",
        "x" * 64,
        "x" * 3000,
        "%3Cscript%3E",
        "é",
        "a%0d%0ab",
        "a.b",
    ],
)
def test_what_is_no_namespace_asks_nothing_of_the_cluster_by_its_name(begun, name):
    answer = begun().get(f"/namespaces/{name}")
    assert answer.status_code == 404 and "<script>" not in answer.text.split("<main")[-1]


def test_the_pages_lead_to_it(begun):
    site = begun()
    for path in ("/sources", "/history", "/rollouts/NAME"):
        assert 'href="/namespaces/cart"' in site.get(path).text, path


def test_a_cluster_that_does_not_answer_is_said(begun, monkeypatch):
    site = begun()

    def gone(*args):
        raise Unreachable("https://10.0.0.1:6443 refused")

    monkeypatch.setattr(type(site.stage.cluster), "list", gone)
    answer = site.get("/namespaces/cart")
    assert answer.status_code == 503 and "10.0.0.1" not in answer.text


def test_a_token_that_is_no_longer_accepted_is_left_to_the_sign_in(begun, monkeypatch):
    site = begun()
    listed = OnePerson.list

    def ended(self, kind, *args, **more):
        if kind == POLICY:
            raise Forbidden("Unauthorized", 401)
        return listed(self, kind, *args, **more)

    monkeypatch.setattr(OnePerson, "list", ended)
    with pytest.raises(Forbidden):
        site.get("/namespaces/cart")


def test_what_others_wrote_is_harmless(opened):
    stage = hostile_stage(True)
    site = opened(stage)
    ctx = stage.context()
    site.name = start(ctx, find_source(ctx, "shop")).rollout
    site.work()
    odd = {
        "podSelector": {"matchLabels": {"app": "a"}},
        "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    }
    made = policy("odd", odd, "cart")
    made["metadata"]["managedFields"] = [{"manager": LINE, "operation": "Update"}]
    stage.cluster.create(made)
    text = site.get("/namespaces/cart").text
    assert_harmless(text, "annotations")
    assert "owned" in text and "10.0.0.0/8" in text


def test_ten_thousand_policies_make_no_endless_page(begun, monkeypatch):
    site = begun()
    many = [policy(f"p{n:05}", {"podSelector": {}, "ingress": [{}] * 20}, "cart") for n in range(10_000)]
    listed = OnePerson.list
    monkeypatch.setattr(
        OnePerson,
        "list",
        lambda self, kind, *args, **more: many if kind == POLICY else listed(self, kind, *args, **more),
    )
    text = site.get("/namespaces/cart").text
    assert f"and {10_000 - MOST_POLICIES} more" in text and len(text) < 200_000


def test_a_slow_api_server_is_asked_for_fewer_changes(begun, monkeypatch):
    site = begun()
    there = site.stage.cluster.list(ROLLOUT)[0]
    many = [{**there, "metadata": {**there["metadata"], "name": f"shop-{n}"}} for n in range(5)]
    got, listed = OnePerson.get, OnePerson.list

    def slow(self, kind, name, *args):
        site.stage.clock.sleep(4)
        return got(self, kind, name, *args)

    monkeypatch.setattr(OnePerson, "get", slow)
    monkeypatch.setattr(
        OnePerson,
        "list",
        lambda self, kind, *args, **more: many if kind == ROLLOUT else listed(self, kind, *args, **more),
    )
    text = site.get("/namespaces/cart").text
    assert text.count('data-label="Rollout"') == 2 and "and 3 more" in text


def test_no_more_than_the_latest_changes_are_read(begun, monkeypatch):
    site = begun()
    there = site.stage.cluster.list(
        NAMESPACE_ROLLOUT.__class__(NAMESPACE_ROLLOUT.api_version, "PolicyRollout")
    )[0]
    many = [{**there, "metadata": {**there["metadata"], "name": f"shop-{n}"}} for n in range(500)]
    asked = []
    got, listed = OnePerson.get, OnePerson.list

    def counted(self, kind, name, *args):
        asked.append(name)
        return got(self, kind, name, *args)

    monkeypatch.setattr(OnePerson, "get", counted)
    monkeypatch.setattr(
        OnePerson,
        "list",
        lambda self, kind, *args, **more: many if kind == ROLLOUT else listed(self, kind, *args, **more),
    )
    text = site.get("/namespaces/cart").text
    assert len(asked) == MOST_CHANGES + 1 and "and 490 more" in text


def test_without_a_viewer_nothing_is_shown(begun):
    assert begun().get("/namespaces/cart", user="nobody").status_code == 401
