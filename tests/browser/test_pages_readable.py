"""Every page in a real browser: nothing is complained of, nothing sticks out, everything has a name."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def factor():
    return 1.0


# What a screen reader needs; each finding is a line.
NAMELESS = """() => {
  const found = [], name = (node) => (node.getAttribute("aria-label") || node.title || node.textContent || "").trim();
  if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
  if (!document.documentElement.lang) found.push("no language");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");
  let last = 1;
  for (const node of document.querySelectorAll("main :is(h1,h2,h3,h4)")) {
    const level = Number(node.tagName[1]);
    if (level > last + 1) found.push(`${node.tagName} after h${last}: ${node.textContent}`);
    last = level;
  }
  for (const node of document.querySelectorAll("input:not([type=hidden]),textarea,select"))
    if (!node.labels.length) found.push(`no label: ${node.outerHTML}`);
  for (const node of document.querySelectorAll("a[href],button,summary"))
    if (!name(node)) found.push(`no name: ${node.outerHTML}`);
  for (const node of document.querySelectorAll("svg:not([aria-hidden])"))
    if (!node.querySelector("title") && !node.getAttribute("aria-label")) found.push("a picture without a title");
  for (const node of document.querySelectorAll("table:not([aria-hidden] table)"))
    if (!node.querySelector("th[scope]")) found.push("a table without headings");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push(`twice: ${id}`);
  for (const node of document.querySelectorAll("[aria-labelledby]"))
    for (const id of node.getAttribute("aria-labelledby").split(" "))
      if (!document.getElementById(id)) found.push(`nothing is called ${id}`);
  return found;
}"""


def addresses(page):
    """Each kind of page once."""
    page.goto("/")
    links = [a.get_attribute("href") for a in page.locator("main a[href^='/rollouts/']").all()]
    why = [link for link in links if link.endswith("/why")][-1]
    plain = [link for link in links if not link.endswith(("/why", "/approve"))]
    return [
        "/",
        "/history",
        "/history?outcome=rolledback&namespace=pay*",
        why,
        why.removesuffix("/why"),
        plain[-1],
        f"{plain[-1]}/approve",
        "/rollouts/nothing",
        "/sources",
        "/namespaces/checkout",
        "/namespaces/nothing",
        "/search?q=pay",
        "/map",
        "/map?namespace=checkout",
        f"/map?rollout={plain[-1].rpartition('/')[2]}",
    ]


def test_nothing_sticks_out_on_a_telephone_and_everything_has_a_name(visit):
    found = visit("ben", viewport={"width": 390, "height": 844})
    page = found.page
    for address in addresses(page):
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, (scheme, address)
            assert page.evaluate(NAMELESS) == [], (scheme, address)
    found.problems = [text for text in found.problems if "404" not in text]


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(visit):
    page = visit("ben").page
    page.goto("/history")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_without_scripts_the_plots_are_pictures_and_the_forms_work(visit):
    page = visit("ben", java_script_enabled=False).page
    for address in addresses(page)[3:6]:
        page.goto(address)
        assert page.get_by_role("heading", level=1).count() == 1
    page.goto(addresses(page)[4])
    assert page.locator(".curve svg.plot").first.is_visible()
    page.goto("/history")
    page.locator("select[name=outcome]").select_option("succeeded")
    page.get_by_role("button", name="Search").click()
    assert "outcome=succeeded" in page.url and page.locator("tbody tr").count() >= 1


def test_with_scripts_the_plots_answer_to_a_pointer(visit):
    page = visit("ben").page
    page.goto(addresses(page)[4])
    plot = page.locator(".curve svg.plot").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    expect(page.locator(".curve .reading").first).to_contain_text("21.2 %")


def test_the_keyboard_walks_the_map_and_what_is_focused_stands_out(visit):
    page = visit("ben").page
    page.goto("/map")
    page.get_by_role("button", name="200 %").focus()
    wide = page.evaluate("document.querySelector('.mapped svg').clientWidth")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('.mapped svg').clientWidth") == pytest.approx(
        2 * wide, abs=2
    )
    for _ in range(3):  # past 300 % and the map itself, to its first place
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "accounts"
    lit = page.evaluate("[...document.querySelectorAll('.lit')].map((way) => way.dataset.from)")
    assert lit and set(lit) == {"0 accounts"}
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who may connect with accounts")


def test_without_scripts_the_map_is_drawn_and_asked_by_its_form(visit):
    page = visit("ben", java_script_enabled=False).page
    page.goto("/map")
    assert page.locator(".mapped .way").count() > 10 and not page.locator(".zooms").is_visible()
    page.get_by_label("Namespace", exact=True).fill("checkout")
    page.get_by_role("button", name="Draw").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who may connect with checkout")


def test_the_search_of_every_page_finds_what_has_a_name(visit):
    page = visit("ben").page
    page.goto("/history")
    page.get_by_role("searchbox").fill("checkout")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="checkout", exact=True)).to_have_attribute(
        "href", "/namespaces/checkout"
    )
