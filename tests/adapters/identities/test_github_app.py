"""Tokens of a GitHub App are made for one repository and what is needed, kept until shortly before they end, and shown to nobody."""

import re
from datetime import timedelta

import github_app
import pytest
from werkzeug import Response
from werkzeug.serving import WSGIRequestHandler

from orchestrator.adapters.identities.github_app import FETCH, App, GitHubApps
from orchestrator.adapters.identities.renewed_token import EARLY
from orchestrator.errors import BadInput, IdentityError
from orchestrator.sandbox.clock import SimulatedClock

WHERE = "spec.git.secretRef"


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def github(httpserver, monkeypatch):
    """Its own clock goes with nobody's."""
    return github_app.answering(httpserver, monkeypatch, SimulatedClock())


@pytest.fixture
def api(httpserver, github):
    return httpserver.url_for("/api/v3")


@pytest.fixture
def tokens(api, clock):
    """`tokens(repository)` of one process."""
    apps = GitHubApps(clock)
    return lambda repository="policies", permissions=FETCH, **more: apps.token(
        App.from_secret(github_app.secret(api, **more), WHERE), repository, permissions
    )


def test_a_token_is_for_one_repository_and_what_is_needed(tokens, github):
    assert tokens().token() == github_app.Tokens.token(1)
    assert github.made == [{"repositories": ["policies"], "permissions": {"contents": "read"}}]


def test_it_is_kept_until_shortly_before_it_ends_by_installation_repository_and_permissions(
    tokens, github, clock
):
    assert {tokens().token() for _ in range(5)} == {github_app.Tokens.token(1)}
    tokens("other").token()
    tokens(permissions={"statuses": "write"}).token()
    assert len(github.made) == 3
    for time in (clock, github.clock):
        time.sleep(github_app.LIFE - EARLY)
    assert tokens().token() == github_app.Tokens.token(4)


def test_a_thousand_sources_do_not_take_each_others_place(tokens):
    first = [tokens(f"policies-{number}") for number in range(1000)]
    assert [tokens(f"policies-{number}") for number in range(1000)] == first


@pytest.mark.parametrize("skew", [-86_400, -3_600, -90, 45, 90, 3_600, 86_400])
def test_a_machine_whose_clock_is_wrong_goes_by_the_hosts(tokens, github, clock, skew):
    clock.set(skew)
    assert tokens().token() == github_app.Tokens.token(1)
    assert len(github.said) <= 2 and tokens().token() == github_app.Tokens.token(1)
    clock.sleep(github_app.LIFE - EARLY - 5)
    assert tokens().token() == github_app.Tokens.token(
        1
    )  # its life is what the host says, by the host's clock
    clock.sleep(10)
    github.clock.sleep(github_app.LIFE)
    assert tokens().token() == github_app.Tokens.token(2)


@pytest.mark.parametrize(
    "date", ["", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +1400", "1" * 5000]
)
def test_a_time_that_cannot_be_is_not_gone_by(tokens, github, clock, monkeypatch, date):
    monkeypatch.setattr(WSGIRequestHandler, "date_time_string", lambda handler, timestamp=None: date)
    assert tokens().token() == github_app.Tokens.token(1)
    clock.set(-86_400)
    with pytest.raises(IdentityError, match=r"answered 401 to the GitHub App"):
        tokens("other").token()


def test_another_key_of_the_app_is_another_token(tokens, github):
    tokens().token()
    other = github_app.key.__wrapped__()
    with pytest.raises(
        IdentityError, match=r"answered 401 to the GitHub App: .*check githubAppID and"
    ) as error:
        tokens(githubAppPrivateKey=other).token()
    assert len(github.said) == 2 and "eyJ" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (404, "Not Found", r"answered 404 to the GitHub App: Not Found; check githubAppInstallationID"),
        (422, "The permissions requested are not granted", r"are not granted.*; give the App the repository"),
        (403, "This installation has been suspended", r"answered 403 to the GitHub App: This installation"),
        (500, "", r"answered 500 to the GitHub App:$"),
    ],
)
def test_why_there_is_no_token_is_one_line(tokens, github, status, message, said):
    github.broken = lambda request: Response(f'{{"message": "{message}"}}', status)
    with pytest.raises(IdentityError, match=said) as error:
        tokens().token()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"token": "a b", "expires_at": "2026-01-05T09:00:00Z"}', '{"token": "t"}',
             '{"token": "t", "expires_at": "soon"}', '{"token": "t", "expires_at": "2026-01-05T09:00:00"}',
             '{"token": null, "expires_at": 5}', "<html>"]
)  # fmt: skip
def test_an_answer_of_another_shape_is_an_error_of_ours(tokens, github, body):
    github.broken = lambda request: Response(body, 201)
    with pytest.raises(IdentityError) as error:
        tokens().token()
    assert "\n" not in str(error.value)


def test_what_the_host_writes_back_of_the_jwt_is_blotted_out(tokens, github):
    github.broken = lambda request: Response(f'{{"message": "{request.headers["Authorization"]}"}}', 403)
    with pytest.raises(IdentityError, match=r"to the GitHub App: \*\*\*$"):
        tokens().token()


def test_the_jwt_goes_nowhere_else(tokens, github, httpserver):
    github.broken = lambda request: Response("", 307, {"Location": "http://127.0.0.1:1/"})
    with pytest.raises(IdentityError, match="a redirect, which is not followed"):
        tokens().token()
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"githubAppID": b""}, "githubAppID is missing, or is none"),
        ({"githubAppID": b"seven apps"}, "githubAppID is missing, or is none"),
        ({"githubAppInstallationID": b"../1"}, "githubAppInstallationID is missing, or is none"),
        ({"githubAppPrivateKey": b""}, "githubAppPrivateKey is no RSA key of 2048 bits or more"),
        ({"githubAppPrivateKey": b"hunter2" * 10_000}, "githubAppPrivateKey is no RSA key"),
        ({"githubAppPrivateKey": b"-----BEGIN RSA PRIVATE KEY-----\nhunter2\n"}, "is no RSA key"),
        ({"githubAppPrivateKey": github_app.key(1024)}, "githubAppPrivateKey is no RSA key of 2048 bits"),
        ({"githubAppBaseURL": b"http://git.example.com/api/v3"}, "githubAppBaseURL is no https address"),
        ({"githubAppBaseURL": b"https://ann:hunter2@x/api/v3"}, "githubAppBaseURL holds credentials"),
        ({"githubAppBaseURL": b"https://169.254.169.254/api/v3"}, "is the machine's own metadata"),
        ({"token": b"hunter2"}, "holds a GitHub App and token; leave one of them out"),
    ],
)
def test_a_secret_that_cannot_be_meant_is_named_by_its_key(given, said):
    with pytest.raises(BadInput, match=re.escape(said)) as error:
        App.from_secret({**github_app.secret(), **given}, WHERE)
    assert "hunter2" not in str(error.value) and str(error.value).startswith(WHERE)


def test_a_secret_without_an_app_has_none_and_an_app_is_not_printed():
    assert App.from_secret({"token": b"x"}, WHERE) is None
    assert "BEGIN" not in repr(App.from_secret(github_app.secret(), WHERE))


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://GIT.example.com/api/v3", "https://git.example.com"),
        ("https://git.example.com:8443/api/v3/", "https://git.example.com:8443"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com"),
    ],
)
def test_an_app_belongs_to_one_host(api, host):
    found = App.from_secret(github_app.secret(api), WHERE)
    assert found.host == host
    for url in (f"{host}/shop/policies", f"{host}/shop/policies.git", f"{host}/shop/policies/"):
        assert found.repository(url, WHERE) == "policies"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/shop/policies",
        "https://github.com.evil.example.com/shop/policies",
        "https://github.com:8443/shop/policies",
        "http://github.com/shop/policies",
        "https://github.com@evil.example.com/shop/policies",
        "https://evil.example.com\\@github.com/shop/policies",
        "https://github.com%2eevil.example.com/shop/policies",
        "https://github.com/shop/../policies",
        "https://github.com/policies",
        "https://github.com?/shop/policies",
        "https://github.com/shop/policies#x",
        "https://github.com\n/shop/policies",
        "https://api.github.com/shop/policies",
        "ssh://git@github.com/shop/policies",
        "git@github.com:shop/policies",
        "/srv/shop/policies",
        "https://127.0.0.1/shop/policies",
        "https://[::1]/shop/policies",
        "https://github.com./shop/policies",
        "https://gıthub.com/shop/policies",
    ],
)
def test_its_token_goes_to_no_other(url):
    with pytest.raises(BadInput, match=r"git\.url leads to|reads https://HOST/OWNER/NAME alone"):
        App.from_secret(github_app.secret(), WHERE).repository(url, WHERE)


def test_the_jwt_lasts_for_less_than_ten_minutes_whoever_reads_it():
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    now = SimulatedClock().now()
    app = App.from_secret(github_app.secret(), WHERE)
    token = jwt.decode(app.assertion(now), RSAKey.import_key(github_app.key()), algorithms=["RS256"])
    assert token.claims["exp"] - token.claims["iat"] < timedelta(minutes=10).total_seconds()
    assert token.claims["iat"] < now.timestamp() < token.claims["exp"] and token.claims["iss"] == "7"
