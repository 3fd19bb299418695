"""Changes for the served demo can be merged again and again, and are each another one."""

import pytest

from orchestrator.cli.demo import shop_demo
from orchestrator.cli.demo.demo_changes import TYPO, merge
from orchestrator.errors import BadInput


def test_good_and_bad_changes_alternate_and_mend_each_other(tmp_path):
    with shop_demo.repository(tmp_path / "shop") as root:
        payments = root / "payments/callers.yaml"
        revisions = [merge(root, "good"), merge(root, "bad")]
        assert TYPO in payments.read_text()
        revisions.append(merge(root, "bad"))
        assert TYPO not in payments.read_text() and not (root / "search/scrape.yaml").exists()
        revisions.append(merge(root, "good"))
        assert (root / "search/scrape.yaml").exists()
        revisions.append(merge(root, "good"))
    assert len(set(revisions)) == 5


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="take good or bad"):
        merge(tmp_path, "ugly")
    with pytest.raises(BadInput, match="not the demo's repository"):
        merge(tmp_path, "good")
