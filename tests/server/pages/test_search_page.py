"""The search finds each kind by a part of its name, and shows nobody what they may not read."""

import pytest
from hostile_texts import LINE, assert_harmless, hostile_stage
from stage import policy

from orchestrator.context import NAMESPACE, POLICY, ROLLOUT
from orchestrator.errors import Forbidden
from orchestrator.operations.start import find_source, start
from orchestrator.sandbox.people import OnePerson
from orchestrator.server.pages.finding.finds import MOST_FOUND


def refusing(monkeypatch, *kinds, status=403):
    listed = OnePerson.list

    def answered(self, kind, *args, **more):
        if kind in kinds:
            raise Forbidden("no", status)
        return listed(self, kind, *args, **more)

    monkeypatch.setattr(OnePerson, "list", answered)


def section(text, title):
    return text.partition(f'<h2 id="h-{title}">')[2].partition("</section>")[0]


def test_each_kind_is_found_by_a_part_of_its_name(begun):
    site = begun()
    site.stage.cluster.create(policy("only-dns", {"podSelector": {}}, "pay"))
    asked = {"sources": "sho", "namespaces": "CAR", "rollouts": site.name[2:9], "policies": "y-dn"}
    pages = {
        "sources": "/sources#source-shop",
        "namespaces": "/namespaces/cart",
        "rollouts": f"/rollouts/{site.name}",
        "policies": "/namespaces/pay",
    }
    for title, words in asked.items():
        found = section(site.get("/search", params={"q": words}).text, title)
        assert f'href="{pages[title]}"' in found, title


def test_a_commit_is_found_by_its_first_digits_its_subject_and_its_author(begun):
    site = begun()
    spec = site.stage.cluster.list(ROLLOUT)[0]["spec"]
    for words in (
        spec["revision"][:4],
        spec["revision"].upper(),
        spec["authors"][0].removeprefix("user:")[:4],
    ):
        found = section(site.get("/search", params={"q": words}).text, "commits")
        assert f"/history?commit={spec['revision']}" in found, words
    short = section(site.get("/search", params={"q": spec["revision"][:3]}).text, "commits")
    assert spec["revision"] not in short


def test_what_is_called_so_exactly_comes_first_and_the_rest_is_counted(begun):
    site = begun()
    for number in range(MOST_FOUND + 4):
        site.stage.namespace(f"a-cart-{number:02}")
    found = section(site.get("/search", params={"q": "cart"}).text, "namespaces")
    assert found.index('href="/namespaces/cart"') < found.index("a-cart-00")
    assert "and 5 more" in found and found.count("<li>") == MOST_FOUND


def test_what_may_not_be_listed_is_not_found_and_said(begun, monkeypatch):
    site = begun()
    site.stage.namespace("hushed")
    site.stage.cluster.create(policy("secret-name", {"podSelector": {}}, "hushed"))
    refusing(monkeypatch, POLICY, NAMESPACE)
    for words in ("hushed", "secret"):
        text = site.get("/search", params={"q": words}).text
        assert "you may not list NetworkPolicy in all namespaces" in text
        assert "you may not list Namespace in all namespaces" in text
        assert "/namespaces/hushed" not in text and "secret-name" not in text
    assert 'href="/namespaces/cart"' in site.get("/search", params={"q": "cart"}).text


def test_who_may_not_read_rollouts_finds_nothing(begun, monkeypatch):
    refusing(monkeypatch, ROLLOUT)
    assert begun().get("/search", params={"q": "cart"}).status_code == 403


def test_an_ended_session_is_left_to_the_sign_in(begun, monkeypatch):
    site = begun()
    refusing(monkeypatch, POLICY, status=401)
    with pytest.raises(Forbidden):
        site.get("/search", params={"q": "cart"})


def test_nothing_asked_reads_nothing_and_nothing_found_says_what_to_do(begun, monkeypatch):
    site = begun()
    text = site.get("/search", params={"q": "no-such-thing"}).text
    assert "Nothing that you may see is called so" in text and 'href="/map"' in text
    monkeypatch.setattr(OnePerson, "list", lambda *args, **more: pytest.fail("something was read"))
    for words in ("", "   "):
        assert "Search" in site.get("/search", params={"q": words}).text
    assert site.get("/search", params={"q": "x" * 254}).status_code == 400


def test_what_is_asked_for_and_what_is_found_is_harmless(opened):
    site = opened(hostile_stage(True))
    ctx = site.stage.context()
    site.name = start(ctx, find_source(ctx, "shop")).rollout
    for words in (LINE, "owned", "<script>", '"><b>'):
        text = site.get("/search", params={"q": words}).text
        assert_harmless(text, "annotations")
        assert "<script>alert" not in text and '"><b>' not in text
    assert "owned" in section(site.get("/search", params={"q": "owned"}).text, "commits")


def test_without_a_viewer_nothing_is_searched(begun):
    assert begun().get("/search?q=cart", user="nobody").status_code == 401
