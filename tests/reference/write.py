"""Write every generated page below docs, the schemas for editors, and the drawing of the house: `make reference`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.server import settings_reference as settings
from reference import commands, house, metrics, resources, schemas, states
from reference.api import api_page

DOCS = Path(__file__).parents[2] / "docs"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings.page,
    "reference/cli.md": commands.page,
    "reference/resources.md": resources.page,
    "reference/policytest.md": resources.policy_test,
    "reference/metrics.md": metrics.page,
    "reference/conditions.md": states.page,
    "reference/api.md": api_page.page,
    "reference/openapi.json": api_page.text,
}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(page() + "\n")
    for name, text in schemas.files().items():
        (schemas.FOLDER / name).write_text(text)
    (house.ROOT / house.FILE).write_text(house.drawing())


if __name__ == "__main__":
    main()
