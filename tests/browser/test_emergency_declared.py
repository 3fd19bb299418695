"""An emergency is declared in a browser, light, dark and on a telephone, and no page of it breaks a rule of WCAG."""

import pytest
from in_a_hurry import ROLLOUT, in_a_hurry, signed_in
from playwright.sync_api import expect
from wcag_rules import DRAWN, LOOKS, violations

pytestmark = pytest.mark.browser


@pytest.fixture
def shut():
    with in_a_hurry() as url:
        yield url


@pytest.mark.parametrize("look", DRAWN)
def test_who_is_on_call_declares_one(chromium, shut, look):
    context = chromium.new_context(base_url=shut, **LOOKS[look])
    page, broken = signed_in(context.new_page()), {}

    def checked(name):
        page.wait_for_load_state()  # a click waits for the address, not for its styles
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
        broken[name] = violations(page)

    page.goto(f"{ROLLOUT}/approve")
    checked("approve")
    page.get_by_role("link", name="Declare an emergency").click()
    checked("emergency")
    page.get_by_role("button", name="Declare the emergency").click()
    expect(page.locator("textarea:invalid")).to_be_focused()  # it takes a reason
    page.get_by_label("Why, for everybody to read").fill("INC-42: checkout is down")
    page.get_by_role("button", name="Declare the emergency").click()
    expect(page.locator("p.callout[role=status]")).to_contain_text("EMERGENCY declared in your name")
    checked("declared")
    page.goto(f"{ROLLOUT}/emergency")
    expect(page.locator("main")).to_contain_text("asked for by ben: INC-42: checkout is down")
    checked("pending")
    context.close()
    assert {name: lines for name, lines in broken.items() if lines} == {}
