"""A door to a small application, and a browser before it."""

import pytest
from door import Door


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def browser(door):
    return door.browser()


@pytest.fixture
def signed_in(browser):
    assert browser.sign_in().status_code == 303
    return browser
