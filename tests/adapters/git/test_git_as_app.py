"""A repository is fetched as a GitHub App: with a token that lasts, made where one is needed and never shown."""

import base64
import os
import re
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler

import github_app
import pytest
from loopback import Quiet, serving
from raw_repository import RawRepository
from stage import Stage
from werkzeug import Response

from orchestrator.adapters.identities.github_app import GitHubApps
from orchestrator.cli.wiring import repository
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.operations.start import find_source
from orchestrator.rollout.resources.model import Git
from orchestrator.sandbox.clock import SimulatedClock


class Guarded(Quiet, SimpleHTTPRequestHandler):
    """Files, for whoever brings the token that `server.takes` names; `server.asked` has what was brought."""

    def do_GET(self):
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        user, _, token = base64.b64decode(given).decode().partition(":")
        self.server.asked.append(token)
        if (user, token) == ("x-access-token", self.server.takes):
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", f'Basic realm="{token}"')
        self.send_header("Content-Length", "0")
        return self.end_headers()


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def github(httpserver, monkeypatch, clock):
    return github_app.answering(httpserver, monkeypatch, clock)


@pytest.fixture
def raw(tmp_path):
    """A repository to be served without a program; `push()` brings another commit."""
    made = RawRepository(tmp_path / "web/shop/policies.git")

    def push(text):
        head = made.files({"a.yaml": text})
        subprocess.run(["git", "--git-dir", str(made.root), "update-server-info"], check=True)
        return head

    return push


@pytest.fixture
def server(tmp_path, raw):
    with serving(
        partial(Guarded, directory=os.fspath(tmp_path / "web")), takes=github_app.Tokens.token(1), asked=[]
    ) as found:
        yield found


@pytest.fixture
def source(httpserver, server, clock, github, monkeypatch, tmp_path):
    """`source()`: as each poll begins anew. The App's API and the Git host are one server to whoever goes by their ports."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "orchestrator.adapters.identities.github_app.App.host", property(lambda app: server.url)
    )
    stage, apps = Stage(), GitHubApps(clock)
    stage.source("app", git=Git(url=f"{server.url}/shop/policies.git", secret_ref="app"))
    found = find_source(stage.context(), "app")
    secret = github_app.secret(httpserver.url_for("/api/v3"))
    return lambda: repository(found, lambda name, where: secret if name else {}, apps)


def test_one_token_serves_many_polls_until_shortly_before_it_ends(source, server, raw, clock, github):
    head = raw("1")
    assert source().resolve() == head and source().files(head) == {"a.yaml": b"1"}
    assert source().resolve() == head and len(github.made) == 1
    clock.sleep(github_app.LIFE)
    server.takes = github_app.Tokens.token(2)
    head = raw("2")
    assert source().resolve() == head and set(server.asked) == {github_app.Tokens.token(n) for n in (1, 2)}
    assert github.made == [{"repositories": ["policies"], "permissions": {"contents": "read"}}] * 2


def test_a_token_that_is_refused_is_replaced_once(source, server, raw, github):
    head = raw("1")
    server.takes = github_app.Tokens.token(2)
    assert source().resolve() == head and len(github.made) == 2
    server.takes = "nobody's"
    with pytest.raises(RepositoryError) as error:
        source().resolve()
    assert len(github.made) == 2
    assert "ghs_" not in str(error.value) and "\n" not in str(error.value)


def test_what_is_in_the_clone_needs_no_token(source, raw, github, clock):
    head = raw("1")
    source().resolve()
    github.broken = lambda request: Response("{}", 500)
    clock.sleep(github_app.LIFE)
    assert source().resolve(head) == head and source().files(head) == {"a.yaml": b"1"}
    with pytest.raises(
        RepositoryError, match=r"policies\.git was not asked: .* answered 500 to the GitHub App"
    ):
        source().resolve()


def test_the_token_stays_out_of_the_clone_and_of_other_programs_sight(source, raw, tmp_path):
    head = raw("1")
    found = source()
    found.resolve()
    files = [f for f in (tmp_path / "cache").rglob("*") if f.is_file()]
    assert files and not any(re.search(rb"ghs_|BEGIN RSA", f.read_bytes()) for f in files)
    assert "ghs_" not in repr(found.credentials) and found.resolve(head) == head


def test_another_host_is_refused_before_anybody_is_asked(monkeypatch, source, server, httpserver, clock):
    monkeypatch.undo()
    stage, apps = Stage(), GitHubApps(clock)
    stage.source("app", git=Git(url="https://evil.example.com/shop/policies", secret_ref="app"))
    found = find_source(stage.context(), "app")
    with pytest.raises(
        BadInput, match=r"PolicySource app spec\.git\.secretRef: .* one of https://github.com, and git\.url"
    ):
        repository(found, lambda name, where: github_app.secret(), apps)
    assert not httpserver.log and not server.asked
