"""The pages of an installation over a cluster in memory, at a port of this machine."""

import http.client
import socket
from contextlib import ExitStack
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from stage import Stage, work

from orchestrator.cli.ui.local_pages import LocalPages
from orchestrator.cli.ui.signed_in import SignedIn
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.people import People
from orchestrator.server.http_app import create
from orchestrator.server.listen import listening
from orchestrator.server.parts import Parts
from orchestrator.server.settings import load

TOKENS = {
    "anns-token": ("ann@example.com", ("release-engineers",)),
    "bobs-token": ("bob@example.com", ("release-engineers",)),
}


@pytest.fixture
def served():
    """A function that serves them with settings of sign-in, and gives the port and the stage."""
    with ExitStack() as stack:

        def serve(**signin):
            stage = Stage(gates=[m.Gate(wave=1, approvals=1)])
            stage.change(identities=[{"email": "ann@example.com", "user": "somebody"}])
            work(stage.context(), "one")
            given = {"keys": ["k" * 32], "external_url": "https://rollouts.example.com", **signin}
            flags = {"signin": given, "controller": {"enabled": False}, "webhooks": {"enabled": False}}
            tokens = dict(TOKENS)
            parts = Parts(stage.context(), callers=People(stage.cluster, tokens=tokens))
            port = stack.enter_context(listening(create(parts, load(flags=flags)), ("127.0.0.1", 0), 64))
            return SimpleNamespace(port=port, stage=stage, tokens=tokens)

        yield serve


@pytest.fixture
def local():
    """A function that opens the pages at a port, and gives a browser that has the address."""
    with ExitStack() as stack:

        def begin(port, token="anns-token"):
            pages = SignedIn(lambda: socket.create_connection(("127.0.0.1", port)), lambda: token, 20.0)
            pages.sign_in()
            found = LocalPages(pages, 0)
            stack.enter_context(found.serving())
            return Browser(found)

        yield begin


class Browser:
    """`ask` gives the status, the headers and the text of an answer."""

    def __init__(self, pages):
        self.pages, self.cookie = pages, ""

    def welcome(self):
        address = urlsplit(self.pages.new_url())
        _, headers, _ = self.ask("GET", f"{address.path}?{address.query}")
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        return self

    def ask(self, method, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        link = http.client.HTTPConnection(*self.pages.server_address, timeout=30)
        try:
            link.request(method, path, body, {"Accept": "text/html", **cookie, **named})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            link.close()
