"""A repository is fetched as a GitHub App: with a token that lasts, made where one is needed and never shown."""

import base64
import re
import subprocess

import github_app
import pytest
from raw_repository import RawRepository
from stage import Stage
from werkzeug import Response

from orchestrator.adapters.identities.github_app import GitHubApps
from orchestrator.cli.wiring import repository
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.operations.start import find_source
from orchestrator.rollout.resources.model import Git
from orchestrator.sandbox.clock import SimulatedClock


class Guarded:
    """Files of a folder, for whoever brings the token that `takes` names; `asked` has what was brought."""

    def __init__(self, folder):
        self.folder, self.takes, self.asked = folder, github_app.Tokens.token(1), []

    def __call__(self, request):
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        user, _, token = base64.b64decode(given).decode().partition(":")
        self.asked.append(token)
        if (user, token) != ("x-access-token", self.takes):
            return Response("", 401, {"WWW-Authenticate": f'Basic realm="{token}"'})
        file = self.folder / request.path.lstrip("/")
        return Response(file.read_bytes()) if file.is_file() else Response("", 404)


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
def server(httpserver, tmp_path, raw):
    found = Guarded(tmp_path / "web")
    httpserver.expect_request(re.compile("/shop/.*")).respond_with_handler(found)
    return found


@pytest.fixture
def source(httpserver, server, clock, github, monkeypatch, tmp_path):
    """`source()`: as each poll begins anew, on a GitHub Enterprise Server."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stage, apps = Stage(), GitHubApps(clock)
    stage.source("app", git=Git(url=httpserver.url_for("/shop/policies.git"), secret_ref="app"))
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


def test_another_host_is_refused_before_anybody_is_asked(httpserver, clock):
    stage, apps = Stage(), GitHubApps(clock)
    stage.source("app", git=Git(url="https://evil.example.com/shop/policies", secret_ref="app"))
    found = find_source(stage.context(), "app")
    with pytest.raises(
        BadInput, match=r"PolicySource app spec\.git\.secretRef: .* one of https://github.com, and git\.url"
    ):
        repository(found, lambda name, where: github_app.secret(), apps)
    assert not httpserver.log
