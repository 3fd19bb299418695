"""One sandbox behind real HTTP, looked at with Debian's Chromium; skipped where that is missing."""

import os
import shutil
from contextlib import contextmanager

import pytest
from answering_server import answering
from patience import MILLISECONDS

CHROMIUM = shutil.which("chromium")
QUICK = 40.0  # as many times the wall's time runs in the sandbox, for tests that see a rollout go on


def pytest_collection_modifyitems(items):
    skip = pytest.mark.skip(reason="needs Chromium: apt-get install chromium")
    if CHROMIUM or os.environ.get(
        "NETPOL_CANARY_BROWSER"
    ):  # there, or asked for: then its absence is a failure
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


@contextmanager
def serving(keep, factor=QUICK):
    """The sandbox at work; gives where it is served, and the repository."""
    from orchestrator.cli.demo import demo_server

    with demo_server.standing(keep, factor) as stand, answering(demo_server.server(stand.app)) as url:
        yield url, stand.root


@pytest.fixture(scope="module")
def factor():
    """How many times quicker the sandbox's time runs; a module that only looks at pages says 1, and spares their upkeep."""
    return QUICK


@pytest.fixture(scope="module")  # what a later test takes away from the product would be missing here as well
def stand(tmp_path_factory, factor):
    with serving(tmp_path_factory.mktemp("demo") / "shop", factor) as found:
        yield found


@pytest.fixture(scope="module")
def chromium():
    """Of a module, not of the session: while playwright is up, no other test can run an event loop in this thread."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """One person's browser; `problems` is what its console complained of."""

    def __init__(self, chromium, base, **options):
        self.context = chromium.new_context(base_url=base, **options)
        self.context.set_default_timeout(MILLISECONDS)
        self.page = self.context.new_page()
        self.problems = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _said(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def as_(self, user):
        self.page.goto("/")
        self.page.get_by_role("button", name=user, exact=True).click()
        self.page.get_by_role("heading", level=1).wait_for()
        return self.page


@pytest.fixture
def visit(chromium, stand):
    made = []

    def begin(user="", **options):
        made.append(Visit(chromium, stand[0], **options))
        if user:
            made[-1].as_(user)
        return made[-1]

    yield begin
    for found in made:
        found.context.close()
        assert found.problems == []
