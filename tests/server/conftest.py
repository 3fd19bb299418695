"""What is logged goes to where the test looks, whatever earlier tests have set."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs():
    structlog.reset_defaults()
