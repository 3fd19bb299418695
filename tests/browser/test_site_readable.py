"""The documentation can be read on a telephone, and asks for nothing from elsewhere."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from loopback import serving
from patience import ENOUGH, MILLISECONDS
from playwright.sync_api import TimeoutError
from private_https import Files

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
TELEPHONE = 390
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
# Every page has the same head; that of the one that is open serves for the body of another, so that the theme begins once.
NEXT = """async (address) => {
  const text = await (await fetch(address)).text(), page = new DOMParser().parseFromString(text, "text/html");
  history.replaceState(null, "", address);
  document.body.replaceWith(document.adoptNode(page.body));
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
  return [document.querySelector("h1").textContent, document.documentElement.scrollWidth];
}"""
LABELS = "[...document.querySelectorAll('td')].map(td => getComputedStyle(td, '::before').content)"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, and where it is served."""
    to = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(ROOT / "mkdocs.yml"), "-d", str(to)]
    subprocess.run(command, check=True, timeout=2 * ENOUGH, capture_output=True)
    with serving(partial(Files, directory=str(to))) as server:
        yield to, f"{server.url}/"


@pytest.fixture
def page(chromium, site):
    """A telephone's page. Afterwards it has asked for nothing outside the site."""
    context = chromium.new_context(viewport={"width": TELEPHONE, "height": 844})
    found = context.new_page()
    asked = []
    found.on("request", lambda r: asked.append(r.url) if not r.url.startswith((site[1], "data:")) else None)
    yield found
    context.close()
    assert asked == []


def fits(page):
    """Whether it does, soon."""
    try:
        page.wait_for_function(FITS, timeout=MILLISECONDS)  # the theme's search box slides to its place
    except TimeoutError:
        return False
    return True


def test_no_page_is_wider_than_a_telephone_s_screen(page, site):
    """The first page with all its scripts, the others' content in its place."""
    page.goto(site[1])
    assert fits(page)
    found = {
        p.name: page.evaluate(NEXT, f"{site[1]}{p.relative_to(site[0])}") for p in site[0].rglob("*.html")
    }
    assert [name for name, (_, width) in found.items() if width > TELEPHONE] == []
    assert len({title for title, _ in found.values()}) > len(found) / 2  # they are other pages


def test_on_a_telephone_a_value_stands_beside_its_column_s_name(page, site):
    page.goto(f"{site[1]}reference/resources.html")
    assert any("default" in text for text in page.evaluate(LABELS))
    assert page.locator("thead").first.is_hidden()
