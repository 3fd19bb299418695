"""Before anything was rolled out, each page says what it is and what to do next, and breaks no rule of WCAG either."""

import pytest
from answering_server import answering
from playwright.sync_api import expect
from stage import Stage
from wcag_rules import DRAWN, LOOKS, violations

from orchestrator.cli.demo import demo_server
from orchestrator.context import SOURCE
from orchestrator.sandbox.people import People
from orchestrator.server import http_app
from orchestrator.server.parts import Parts
from orchestrator.server.settings import load

pytestmark = pytest.mark.browser

TOKEN = "a-token-of-the-cluster"
PAGES = {
    "/": ("Nothing is being rolled out", "There is no PolicySource yet"),
    "/sources": ("There is no source yet", "Write a PolicySource"),
    "/history": ("History", "There is none yet. What to do next"),
    "/map": ("Who may connect to whom", "No pod runs yet. What to do next"),
    "/search": ("Search", "by a part of their name"),
    "/namespaces/web": ("web", "None stands here, so that everybody may"),
}


@pytest.fixture(scope="module")
def empty():
    """Where the pages are served over a cluster without a source; whoever comes needs a token."""
    stage = Stage()
    stage.remove(SOURCE, "shop")
    people = People(stage.cluster, tokens={TOKEN: ("ben", ("engineers",))})
    settings = load(flags={"signin": {"keys": ["k" * 32], "insecure": True}})
    app = http_app.create(Parts(stage.context(), callers=people), settings)
    with answering(demo_server.server(app)) as url:
        yield url


@pytest.mark.parametrize("look", DRAWN)
def test_an_empty_page_says_what_it_is_and_what_to_do(chromium, empty, look):
    context = chromium.new_context(base_url=empty, **LOOKS[look])
    page = context.new_page()
    page.route(
        "**/events*", lambda route: route.abort()
    )  # the clock of the cluster stands still, and so would they
    page.goto("/signin")
    expect(page.locator("main")).to_contain_text("Changes of network policies go from Git to the namespaces")
    expect(page.locator("#token-help")).to_contain_text("kubectl -n netpol-canary create token")
    broken = {"/signin": violations(page)}
    page.locator("#token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    for address, (heading, said) in PAGES.items():
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.locator("main")).to_contain_text(said)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], address
        broken[address] = violations(page)
    context.close()
    assert {address: lines for address, lines in broken.items() if lines} == {}
