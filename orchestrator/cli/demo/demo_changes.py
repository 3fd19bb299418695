"""Changes to merge into the demo's repository, again and again: a good one, and one that hurts."""

from pathlib import Path

from orchestrator.cli.demo.shop_demo import Scenario, commit
from orchestrator.errors import BadInput
from orchestrator.sandbox import shop

AUTHOR = ("ann", "ann@example.com")
KINDS = ("good", "bad")
TYPO = "chekout"
WATCHED = ("catalog", "cart", "inventory")


def merge(root: Path, kind: str) -> str:
    """Commit the next change of a kind; gives its id. Raises BadInput."""
    if kind not in KINDS:
        raise BadInput(f"there is no change {kind}", "--merge", "take good or bad")
    if not (root / ".git").is_dir() or not (root / "payments").is_dir():
        raise BadInput("this is not the demo's repository", str(root), "take the one that --serve prints")
    change = good(root) if kind == "good" else bad(root)
    return commit(root, change.files, change.subject, AUTHOR)


def waiting() -> Scenario:
    """What waits for approval when the pages open."""
    names = ("checkout", "payments", "search", "web")
    return Scenario(
        "second-half",
        "Let callers of the other half reach the HTTP port only",
        {f"{n}/callers.yaml": shop.callers_policy(n, tight=True) for n in names},
    )


def good(root: Path) -> Scenario:
    """Let the accounts service in where it was not, or out again; what a bad change broke is mended with it."""
    here = (root / "catalog/callers.yaml").read_text()
    let_in = "accounts" not in here
    more = ("accounts",) if let_in else ()
    files: dict[str, str | None] = {
        f"{n}/callers.yaml": shop.callers_policy(n, tight=True, more=more) for n in WATCHED
    }
    subject = "Let accounts read the catalog, carts and the stock" if let_in else "Take accounts out again"
    return Scenario("good", subject, {**mended(root), **files})


def bad(root: Path) -> Scenario:
    """A misspelt caller of payments; where that stands already, a scrape that is cut off."""
    if TYPO in (root / "payments/callers.yaml").read_text():
        gone: dict[str, str | None] = {"search/scrape.yaml": None, "orders/scrape.yaml": None}
        return Scenario("bad", "Remove policies that nobody seems to need", {**mended(root), **gone})
    callers = shop.callers_policy("payments", tight=True, rename={"checkout": TYPO}, more=("accounts",))
    files: dict[str, str | None] = {
        "payments/callers.yaml": callers,
        "web/callers.yaml": shop.callers_policy("web"),
    }
    return Scenario("bad", "Let accounts pay, too", {**mended(root), **files})


def mended(root: Path) -> dict[str, str | None]:
    """The files that the bad changes spoil, as they should be."""
    files: dict[str, str | None] = {
        "payments/callers.yaml": shop.callers_policy("payments", tight=True),
        "search/scrape.yaml": shop.scrape_policy(),
        "orders/scrape.yaml": shop.scrape_policy(),
    }
    return {n: t for n, t in files.items() if not (root / n).exists() or (root / n).read_text() != t}
