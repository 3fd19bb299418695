"""Two rollouts of the demo's shop, played once: one that was promoted, one that was rolled back."""

from datetime import UTC, datetime

import pytest

from orchestrator.cli.demo import shop_demo
from orchestrator.record.build import view

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture(scope="package")
def played(tmp_path_factory):
    """By scenario."""
    cache = tmp_path_factory.mktemp("cache")
    chosen = [s for s in shop_demo.scenarios() if s.name in ("good-change", "breaks-checkout")]
    with shop_demo.repository(None) as root:
        return {s.name: shop_demo.play(root, s, cache)[0] for s in chosen}


@pytest.fixture(scope="package")
def good(played):
    return view(played["good-change"], NOW)


@pytest.fixture(scope="package")
def bad(played):
    return view(played["breaks-checkout"], NOW)
