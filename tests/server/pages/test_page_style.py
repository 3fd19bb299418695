"""A dark scheme changes the values of colours alone: a page is checked in one width for each scheme, not in all of both."""

import re
from pathlib import Path

import pytest

from orchestrator.record.drawings.stylesheet import PLOT_CSS
from orchestrator.server import pages

SHEETS = {
    "pages": (Path(pages.__file__).parent / "static/style.css").read_text(),
    "drawings": PLOT_CSS,
}
SCHEME = "prefers-color-scheme"
DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*([^{}]*)\{([^{}]*)\}\s*\}")


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_dark_scheme_changes_colours_alone(sheet):
    text = SHEETS[sheet]
    blocks = DARK.findall(text)
    assert blocks and len(blocks) == text.count(SCHEME)
    declared = [d.strip() for _, body in blocks for d in body.split(";") if d.strip()]
    assert [d for d in declared if not re.fullmatch(r"--[\w-]+: #[0-9a-f]{3,8}", d)] == []
