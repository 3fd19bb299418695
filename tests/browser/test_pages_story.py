"""In a real browser: a merge appears, is read, approved by a second person, goes by; a bad one is rolled back, and said why."""

import re

import pytest
from playwright.sync_api import expect

from orchestrator.cli.demo import demo_changes

pytestmark = pytest.mark.browser
LOOK = "Review and decide"


def waiting(page):
    """The page of the decision on the change that waits."""
    page.goto("/")
    page.get_by_role("link", name=LOOK).first.click()
    page.get_by_role("heading", level=1, name=re.compile("go ahead")).wait_for()


def test_without_a_session_nothing_is_readable(visit):
    found = visit()
    for path in (
        "/",
        "/sources",
        "/namespaces/checkout",
        "/history",
        "/search?q=shop",
        "/map",
        "/rollouts/shop",
        "/rollouts/shop/why",
        "/rollouts/shop/approve",
        "/events",
    ):
        page = found.context.request.get(path, headers={"Accept": "text/html"}, max_redirects=0)
        machine = found.context.request.get(path, headers={"Accept": "application/json"}, max_redirects=0)
        assert page.status == 303 and page.headers["location"].startswith("/signin"), path
        assert machine.status == 401 and "shop" not in machine.text()
    found.page.goto("/history")
    assert found.page.url.endswith("/signin?next=%2Fhistory")


def test_the_author_cannot_approve_an_own_change(visit):
    page = visit("ann").page
    waiting(page)
    expect(page.locator("#objection")).to_contain_text("You wrote a part of this change")
    assert page.get_by_role("button", name=re.compile("^Approve")).count() == 0
    fields = {n: page.locator(f"input[name={n}]").first.input_value() for n in ("csrf", "wave", "plan")}
    answer = page.request.post(
        page.url, form={**fields, "decision": "approve", "comment": "mine"}, headers={"Origin": origin(page)}
    )
    assert answer.status == 409 and "wrote the change" in answer.text()
    page.reload()
    expect(page.get_by_text("0 of 1")).to_be_visible()


def origin(page):
    return re.match(r"https?://[^/]+", page.url).group(0)


def test_on_call_reads_everything_and_is_offered_nothing(visit):
    page = visit("carol").page
    page.get_by_role("link", name=re.compile("^shop-")).first.click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    assert page.locator("main form").count() == 0
    page.goto(page.url + "/approve")
    expect(page.get_by_text("you may not approve")).to_be_visible()


def test_a_second_person_reads_the_plan_and_approves_and_the_waves_go_by_live(visit):
    page = visit("ben").page
    waiting(page)
    page.locator("summary", has_text="checkout").click()
    expect(page.locator("#plan-checkout .diff .add").first).to_contain_text("port")
    page.get_by_label("Why, for the record").fill("the canary looks as it should")
    page.get_by_role("button", name="Approve wave 1").click()
    expect(page.get_by_text("Your approval is recorded.")).to_be_visible()
    page.evaluate("window.kept = true")
    expect(page.locator(".phases")).to_contain_text("Succeeded")
    assert page.evaluate("window.kept"), "the page was loaded anew"
    expect(page.locator("#record")).to_contain_text("the canary looks as it should")
    expect(page.locator(".waves .s-good h3")).to_have_count(2)


def nothing_waits(page):
    """Approves what still waits, where this test runs without the one before."""
    if page.get_by_role("link", name=LOOK).count():
        waiting(page)
        page.get_by_label("Why, for the record").fill("the canary looks as it should")
        page.get_by_role("button", name="Approve wave 1").click()
        page.get_by_text("Your approval is recorded.").wait_for()


def test_a_bad_merge_appears_is_put_back_and_the_page_says_why(visit, stand):
    nothing_waits(visit("ben").page)
    page = visit("carol", viewport={"width": 390, "height": 844}).page
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is being rolled out")
    page.evaluate("window.kept = true")
    revision = demo_changes.merge(stand[1], "bad")
    name = f"shop-{revision[:10]}"
    expect(page.get_by_role("link", name=name).first).to_be_visible()
    ended = page.locator(".ended li", has_text=name)
    expect(ended).to_contain_text("Rolled back")
    assert page.evaluate("window.kept"), "the page was loaded anew"
    ended.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Everything was restored in")
    main = page.locator("main")
    for text in ("client-errors in checkout", "Let accounts pay, too", "By ann", "This revision is blocked"):
        expect(main).to_contain_text(text)
    expect(main).to_contain_text("answer as before")
