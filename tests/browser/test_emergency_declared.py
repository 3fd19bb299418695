"""An emergency is declared in a browser, light, dark and on a telephone, and no page of it breaks a rule of WCAG."""

import pytest
from answering_server import answering
from playwright.sync_api import expect
from stage import Stage, work
from wcag_rules import LOOKS, violations

from orchestrator.cli.demo import demo_server
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.people import People
from orchestrator.server import http_app
from orchestrator.server.parts import Parts
from orchestrator.server.settings import load

pytestmark = pytest.mark.browser

TOKEN = "a-token-of-the-cluster"


@pytest.fixture
def shut():
    """Where the pages are served over a rollout that waits for an approval; whoever comes is on call."""
    hurry = m.Emergency(skip=["windows", "waits", "waves"])
    stage = Stage(gates=[m.Gate(wave=1)], steps=[m.WaveStep(count=1)], settle_seconds=300, emergency=hurry)
    work(stage.context(), "one")
    people = People(stage.cluster, lambda *asked: True, {TOKEN: ("ben", ("on-call",))})
    settings = load(flags={"signin": {"keys": ["k" * 32], "insecure": True}})
    app = http_app.create(Parts(stage.context(), callers=people), settings)
    with answering(demo_server.server(app)) as url:
        yield url


@pytest.mark.parametrize("look", LOOKS)
def test_who_is_on_call_declares_one(chromium, shut, look):
    context = chromium.new_context(base_url=shut, **LOOKS[look])
    page, broken = context.new_page(), {}
    page.route("**/events*", lambda route: route.abort())  # the cluster's clock stands still

    def checked(name):
        page.wait_for_load_state()  # a click waits for the address, not for its styles
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
        broken[name] = violations(page)

    page.goto("/signin")
    page.locator("#token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/rollouts/shop-cccccccccc/approve")
    checked("approve")
    page.get_by_role("link", name="Declare an emergency").click()
    checked("emergency")
    page.get_by_role("button", name="Declare the emergency").click()
    expect(page.locator("textarea:invalid")).to_be_focused()  # it takes a reason
    page.get_by_label("Why, for everybody to read").fill("INC-42: checkout is down")
    page.get_by_role("button", name="Declare the emergency").click()
    expect(page.locator("p.callout[role=status]")).to_contain_text("EMERGENCY declared in your name")
    checked("declared")
    page.goto("/rollouts/shop-cccccccccc/emergency")
    expect(page.locator("main")).to_contain_text("asked for by ben: INC-42: checkout is down")
    checked("pending")
    context.close()
    assert {name: lines for name, lines in broken.items() if lines} == {}
