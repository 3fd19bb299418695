"""No two files of tests have one name: pytest would collect neither of them."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_each_file_of_tests_has_a_name_of_its_own():
    names = Counter(path.name for path in ROOT.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
