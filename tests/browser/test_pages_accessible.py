"""No page breaks a rule of WCAG 2.2 AA that axe-core knows: light, dark and on a telephone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from every_page import every_page

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TELEPHONE = {"viewport": {"width": 390, "height": 844}}
LOOKS = {
    f"{scheme}-{name}": {"color_scheme": scheme, **size}
    for scheme in ("light", "dark")
    for name, size in (("wide", {}), ("telephone", TELEPHONE))
}
EMPTY = {
    "unknown": "/nothing",
    "no-rollout": "/rollouts/nothing",
    "no-namespace": "/namespaces/nothing",
    "nothing-found": "/history?commit=ffffffffff",
    "search-of-nothing": "/search",
    "search-in-vain": "/search?q=no-such-thing",
    "map-of-nothing": "/map?namespace=nothing",
}


def violations(page):
    """A line for each element that breaks a rule, everything that folds opened."""
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [f"{v['id']}: {n['html'][:200]} {n['failureSummary']}" for v in found for n in v["nodes"]]


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_breaks_a_rule_of_wcag(visit, look):
    found = visit(**LOOKS[look])
    found.page.goto("/signin")
    broken = {"signin": violations(found.page)}
    found.as_("ben")
    for name, address in {**every_page(found.page), **EMPTY}.items():
        found.page.goto(address)
        broken[name] = violations(found.page)
    found.problems = [text for text in found.problems if "404" not in text]
    assert {name: lines for name, lines in broken.items() if lines} == {}


def test_what_breaks_a_rule_is_found(visit):
    page = visit("ben").page
    page.evaluate(
        "document.querySelector('main').innerHTML = '<img src=\"/static/icon.svg\"><a href=\"/\"></a>'"
    )
    assert {re.match(r"[\w-]+", line)[0] for line in violations(page)} == {"image-alt", "link-name"}
