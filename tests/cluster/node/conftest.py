"""The shop on the node as most of its tests begin."""

import pytest


@pytest.fixture
def shop(node_shop):
    """The shop with its first policies in force, and traffic."""
    node_shop.settled()
    return node_shop
