"""Each request is told with its outcome, and nothing that is secret."""

import re
from types import SimpleNamespace

import pytest

from orchestrator.adapters.kube.request_log import tell_requests


class Answering:
    def __init__(self, error=None):
        self._error = error

    def request(self, method, url, headers=None, body=None):
        if self._error:
            raise self._error
        return SimpleNamespace(status=201)


class Refusal(Exception):
    status = 403


def told(url, error=None):
    lines = []
    api = SimpleNamespace(rest_client=Answering(error))
    tell_requests(api, lines.append)
    api.rest_client.request("post", url, headers={"authorization": "Bearer hidden"}, body={"key": "hidden"})
    return lines


def test_a_request_is_one_line_without_credentials():
    (line,) = told("https://ann:hidden@10.0.0.1:6443/api/v1/pods?limit=500&continue=hidden&watch=true")
    said = "POST https://10.0.0.1:6443/api/v1/pods?limit=500&continue=…&watch=true: 201 in "
    assert line.startswith(said) and re.search(r"in \d+ ms$", line) and "hidden" not in line


@pytest.mark.parametrize(("error", "outcome"), [(Refusal("hidden"), "403"), (OSError("hidden"), "no answer")])
def test_what_fails_is_told_and_fails(error, outcome):
    lines = []
    api = SimpleNamespace(rest_client=Answering(error))
    tell_requests(api, lines.append)
    with pytest.raises(type(error)):
        api.rest_client.request("GET", "https://10.0.0.1/api")
    assert f": {outcome} in" in lines[0] and "hidden" not in lines[0]
