"""No two files of tests have one name: pytest would collect neither of them. None takes anything from another."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_each_file_of_tests_has_a_name_of_its_own():
    names = Counter(path.name for path in ROOT.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_what_tests_share_stands_in_no_test():
    taken = re.compile(r"^\s*(from|import) test_", re.MULTILINE)
    assert [path for path in ROOT.rglob("*.py") if taken.search(path.read_text())] == []
