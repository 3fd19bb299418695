"""What axe-core has to say about a page, and the looks in which pages are checked."""

from axe_playwright_python.sync_playwright import Axe
from sampling import FULL

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TELEPHONE = {"viewport": {"width": 390, "height": 844}}
LOOKS = {
    f"{scheme}-{name}": {"color_scheme": scheme, **size}
    for scheme in ("light", "dark")
    for name, size in (("wide", {}), ("telephone", TELEPHONE))
}
DRAWN = list(LOOKS) if FULL else ["light-wide", "dark-telephone"]  # each scheme and each size


def violations(page):
    """A line for each element that breaks a rule, everything that folds opened."""
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [f"{v['id']}: {n['html'][:200]} {n['failureSummary']}" for v in found for n in v["nodes"]]
