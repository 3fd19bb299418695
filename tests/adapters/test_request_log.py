"""Each request of the API server's client and of the one HTTP client is told, with its outcome."""

import json
from types import SimpleNamespace

import pytest

from orchestrator.adapters import request_log
from orchestrator.adapters.git.program import Credentials
from orchestrator.adapters.git.repository import GitRepository
from orchestrator.adapters.http.client import Client
from orchestrator.adapters.kube import cluster
from orchestrator.errors import MetricError, RepositoryError


class Heard:
    def __init__(self):
        self.exchanges, self.bodies = [], []

    def asked(self, exchange):
        self.exchanges.append((exchange.method, exchange.url, exchange.outcome))

    def answered(self, what, body):
        self.bodies.append((what, body()))


@pytest.fixture
def heard():
    found = Heard()
    request_log.listen(found)
    yield found
    request_log.listen(None)


class Answering:
    def __init__(self, error=None):
        self._error = error

    def request(self, method, url, headers=None, body=None):
        if self._error:
            raise self._error
        return SimpleNamespace(status=201)


class Refusal(Exception):
    status = 403


def asked(error=None):
    api = SimpleNamespace(rest_client=Answering(error))
    cluster._tell_requests(api)
    return api.rest_client.request("post", "https://10.0.0.1/api", headers={"a": "b"}, body={"c": "d"})


def test_a_request_to_the_api_server_is_told_with_its_status(heard):
    assert asked().status == 201
    assert heard.exchanges == [("POST", "https://10.0.0.1/api", "201")]


@pytest.mark.parametrize(("error", "outcome"), [(Refusal("hidden"), "403"), (OSError("hidden"), "no answer")])
def test_what_fails_is_told_and_fails(heard, error, outcome):
    with pytest.raises(type(error)):
        asked(error)
    assert heard.exchanges == [("POST", "https://10.0.0.1/api", outcome)]


def test_a_metric_provider_is_told_without_what_the_caller_was_given_in_confidence(heard, httpserver):
    httpserver.expect_request("/api/v1/query").respond_with_json({"echo": "Bearer swordfish"}, 404)
    client = Client(
        httpserver.url_for("/api"), MetricError, credentials={"Authorization": "Bearer swordfish"}, plain=True
    )
    client.ask("POST", "v1/query", {"x": "swordfish"}, form={"query": "up"})
    ((method, url, outcome),), ((what, body),) = heard.exchanges, heard.bodies
    assert (method, outcome) == ("POST", "404") and url.endswith("/api/v1/query?x=***")
    assert what == f"POST {url}" and json.loads(body) == {"echo": "***"}


def test_a_provider_that_does_not_answer_is_told_too(heard):
    with pytest.raises(MetricError):
        Client("http://127.0.0.1:1/", MetricError, plain=True).ask("GET", "x")
    assert [outcome for _, _, outcome in heard.exchanges] == ["no answer"]


def test_what_is_fetched_from_a_git_host_is_told(heard, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(RepositoryError):
        GitRepository(str(tmp_path / "none"), tmp_path / "cache", credentials=Credentials()).resolve("main")
    assert heard.exchanges == [("git fetch", str(tmp_path / "none"), "failed")]


def test_nobody_is_told_where_nobody_listens(heard):
    request_log.listen(None)
    asked()
    assert heard.exchanges == []
