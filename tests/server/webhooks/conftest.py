"""A service over a cluster in memory."""

import pytest
from deliveries import Service


@pytest.fixture
def service():
    return Service()
