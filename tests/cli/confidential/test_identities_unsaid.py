"""`-v` says what is asked with an identity, and nothing of what proves it: no token, no signature, no JWT."""

import re

import clouds
import github_app
import pytest
from loopback import serving
from werkzeug import Response

from orchestrator.adapters import request_log
from orchestrator.adapters.http.client import Client
from orchestrator.adapters.identities.aws_signature import AwsSignature, GivenKeys
from orchestrator.adapters.identities.github_app import FETCH, App, GitHubApps
from orchestrator.adapters.identities.renewed_token import Bearer
from orchestrator.cli.confidential.request_lines import begin
from orchestrator.errors import MetricError
from orchestrator.sandbox.clock import SimulatedClock

SECRET = re.compile(r"ghs_|eyJ|Signature=|AKID|a-secret")


@pytest.fixture
def said(capsys):
    """`said()`: what has been said since the highest level was asked for."""
    begin(10)
    yield lambda: "".join(capsys.readouterr())
    request_log.listen(None)


@pytest.fixture
def github(httpserver, monkeypatch):
    return github_app.answering(httpserver, monkeypatch, SimulatedClock())


def test_an_apps_jwt_and_its_tokens(httpserver, github, said):
    app = App.from_secret(github_app.secret(httpserver.url_for("/api/v3")), "x")
    tokens = GitHubApps(SimulatedClock()).token(app, "policies", FETCH)
    httpserver.expect_request("/x").respond_with_handler(
        lambda r: Response(f'["{r.headers["Authorization"]}"]')
    )
    Client(httpserver.url_for("/"), MetricError, identity=Bearer(tokens)).ask("GET", "x")
    text = said()
    assert "access_tokens: 201" in text and "/x: 200" in text and not SECRET.search(text)


def test_a_signature_and_its_keys(said):
    keys = {"accesskey": b"AKIDSECRET", "secretkey": b"a-secret-of-a-Secret"}
    with serving(clouds.Prometheus, proven=lambda handler, body: "no", asked=[]) as server:
        signed = AwsSignature(GivenKeys(keys, "x"), "eu-west-1")
        Client(server.url, MetricError, identity=signed).ask("POST", "api/v1/query", form={"query": "up"})
    text = said()
    assert "/api/v1/query: 403" in text and not SECRET.search(text)
