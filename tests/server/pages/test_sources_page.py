"""The sources: what is in force, blocked and orphaned, what to do next, and what a reader without rights gets."""

import pytest
from hostile_texts import LINE, assert_harmless
from stage import OWN

from orchestrator.context import SOURCE
from orchestrator.errors import Forbidden, Unreachable
from orchestrator.rollout.resources import model as m
from orchestrator.server.pages.read import Standing
from orchestrator.server.pages.standing.sources_page import MOST_NAMESPACES, MOST_SOURCES, card, headline


def say(site, **status):
    """Fields of the shop's status."""
    shop = site.stage.shop()
    site.stage.cluster.replace_status(shop.with_status(shop.status.model_copy(update=status)))


def condition(kind, status, message):
    return m.Condition(
        type=kind, status=status, reason=kind, message=message, last_transition_time="2026-01-01T00:00:00Z"
    )


def test_what_is_in_force_leads_to_its_rollout_and_its_namespaces(begun):
    site = begun()
    text = site.get("/sources").text
    assert f'by <a href="/rollouts/{site.name}">' in text and "ccccccc" in text
    for name in ("cart", "pay", "web"):
        assert f'href="/namespaces/{name}"' in text


def test_what_was_rolled_back_is_blocked_and_it_is_said_what_helps(undone):
    text = undone.get("/sources").text
    assert "One source needs somebody" in text and "release it: netpol-canary retry shop" in text
    assert "/history?source=shop&amp;commit=cccc" in text and "revert it in Git" in text


def test_what_is_orphaned_and_what_has_drifted_is_said(begun):
    site = begun()
    found = [
        condition("Orphaned", "True", "old (2 policies) left the selection"),
        condition("Drifted", "True", "cart differs"),
    ]
    say(site, conditions=found)
    text = site.get("/sources").text
    assert "old (2 policies) left the selection" in text and "cart differs" in text


def test_without_a_source_it_is_said_what_one_is_and_what_to_do(begun):
    site = begun()
    site.stage.remove(SOURCE, "shop")
    text = site.get("/sources").text
    assert "There is no source yet" in text and "config/samples/policysource.yaml" in text
    assert "A source is a directory in Git" in text


def test_the_pages_lead_to_it(waiting):
    for path in ("/", "/rollouts/NAME"):
        assert 'href="/sources#source-shop"' in waiting.get(path).text
    assert 'aria-current="page">Sources' in waiting.get("/sources").text


def test_who_may_not_see_sources_sees_none(waiting, monkeypatch):
    def refused(*args):
        raise Forbidden('User "ben" cannot list resource "policysources"')

    monkeypatch.setattr(type(waiting.stage.cluster), "list", refused)
    answer = waiting.get("/sources")
    assert answer.status_code == 403 and "source-shop" not in answer.text
    assert waiting.get("/sources", user="nobody").status_code == 401


def test_a_cluster_that_does_not_answer_is_said(waiting, monkeypatch):
    def gone(*args):
        raise Unreachable("https://10.0.0.1:6443 refused")

    monkeypatch.setattr(type(waiting.stage.cluster), "list", gone)
    answer = waiting.get("/sources")
    assert answer.status_code == 503 and "10.0.0.1" not in answer.text


def test_a_source_that_cannot_be_read_comes_first_and_hides_no_other(waiting):
    there = waiting.stage.cluster.list(SOURCE, OWN)[0]
    windows = [{"schedule": "0 9 * * *", "durationSeconds": 3600, "timeZone": "Europe/Berln"}]
    spec = {**there["spec"], "strategy": {**there["spec"].get("strategy", {}), "windows": windows}}
    waiting.stage.cluster.create({**there, "metadata": {"name": "misspelt", "namespace": OWN}, "spec": spec})
    text = waiting.get("/sources").text
    assert text.index('id="source-misspelt"') < text.index('id="source-shop"') and "Europe/Berln" in text


def test_what_others_wrote_is_harmless_and_no_password_is_shown(begun):
    site = begun()
    site.stage.change(git=m.Git(url="https://ann:hidden@git.example.com/x").model_dump(by_alias=True))
    say(site, blocked_revision="d" * 40, blocked_reason=LINE)
    text = site.get("/sources").text
    assert_harmless(text, "annotations")
    assert "https://git.example.com/x" in text and "ann:" not in text


@pytest.mark.parametrize(
    ("count", "said"), [(0, "There is no source yet"), (1, "One source needs"), (7, "7 sources need")]
)
def test_it_is_told_in_one_sentence(count, said):
    blocked = m.PolicySourceStatus(blocked_revision="d" * 40)
    assert headline([card(Standing(f"s{n}", blocked)) for n in range(count)]).startswith(said)
    assert headline([card(Standing("s", m.PolicySourceStatus()))]) == "Nothing is blocked or orphaned"


def test_what_is_blocked_beside_a_rollout_under_way_needs_somebody_still():
    status = m.PolicySourceStatus(blocked_revision="d" * 40, active_rollout="shop-2")
    found = card(Standing("shop", status))
    assert found.word == "Rolling out" and headline([found]) == "One source needs somebody"


def test_ten_thousand_namespaces_make_no_endless_page(begun, monkeypatch):
    site = begun()
    names = [f"n{n}" for n in range(10_000)]
    many = [
        Standing(f"s{n}", m.PolicySourceStatus(current_revision_namespaces=names))
        for n in range(MOST_SOURCES + 5)
    ]
    monkeypatch.setattr("orchestrator.server.pages.read.sources", lambda ctx: many)
    text = site.get("/sources").text
    assert text.count("<article") == MOST_SOURCES and "and 5 more" in text
    assert text.count('href="/namespaces/') == MOST_SOURCES * MOST_NAMESPACES and "and 9900 more" in text
