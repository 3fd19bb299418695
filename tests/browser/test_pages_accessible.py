"""No page breaks a rule of WCAG 2.2 AA that axe-core knows: light, dark and on a telephone."""

import re

import pytest
from every_page import every_page
from wcag_rules import DRAWN, LOOKS, violations

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def factor():
    return 1.0


EMPTY = {
    "unknown": "/nothing",
    "no-rollout": "/rollouts/nothing",
    "no-namespace": "/namespaces/nothing",
    "nothing-found": "/history?commit=ffffffffff",
    "search-of-nothing": "/search",
    "search-in-vain": "/search?q=no-such-thing",
    "map-of-nothing": "/map?namespace=nothing",
}


@pytest.mark.parametrize("look", DRAWN)
def test_no_page_breaks_a_rule_of_wcag(visit, look):
    found = visit(**LOOKS[look])
    found.page.goto("/signin")
    broken = {"signin": violations(found.page)}
    found.as_("ben")
    pages = every_page(found.page)
    for name, address in {**pages, **EMPTY}.items():
        found.page.goto(address)
        broken[name] = violations(found.page)
    found.page.goto(pages["approve"])
    found.page.get_by_role("button", name="Reject").click()
    broken["reject"] = violations(found.page)
    found.problems = [text for text in found.problems if "404" not in text]
    assert {name: lines for name, lines in broken.items() if lines} == {}


def test_what_breaks_a_rule_is_found(visit):
    page = visit("ben").page
    page.evaluate(
        "document.querySelector('main').innerHTML = '<img src=\"/static/icon.svg\"><a href=\"/\"></a>'"
    )
    assert {re.match(r"[\w-]+", line)[0] for line in violations(page)} == {"image-alt", "link-name"}
