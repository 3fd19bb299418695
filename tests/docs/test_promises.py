"""Tests that pages name are there: a promise whose test was renamed or removed is no promise."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/.-]+?)(?:::(\w+))?`")
PAGES = [ROOT / "docs/reliability.md", ROOT / "docs/security.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_each_test_that_a_page_names_is_there(page):
    named = NAMED.findall(page.read_text())
    assert named, "no test is named"
    for path, test in named:
        file = ROOT / path
        assert file.exists(), f"{page.name} names {path}, which is not there"
        if test:
            assert f"def {test}(" in file.read_text(), f"{page.name} names {test}, which {path} lacks"


@pytest.mark.parametrize(("page", "title"), [(PAGES[0], "how it is tested"), (PAGES[1], "tested by")])
def test_no_line_of_the_table_lacks_its_test(page, title):
    lines = page.read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("|") and title in line)
    column = [cell.strip() for cell in lines[head].split("|")].index(title)
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        assert re.split(r"(?<!\\)\|", line)[column].strip(), f"no test for: {line}"
