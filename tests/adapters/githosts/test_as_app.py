"""A GitHub App at the Git host: it asks for what the source's feedback needs, and its tokens go to its own host alone."""

import re

import github_app
import hosts
import pytest
from hosts import status

from orchestrator.adapters.githosts.git_host import Hosts
from orchestrator.errors import BadInput, DeliveryError
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock

MARKER = "<!-- netpol-canary:uid -->"


class Enterprise(hosts.GitHub):
    """Below /api/v3, for whoever brings a token that is taken."""

    takes = github_app.Tokens.token(1)

    def __call__(self, request):
        if request.headers.get("Authorization") != f"Bearer {self.takes}":
            return hosts.reply({"message": f"Bad credentials: {request.headers['Authorization']}"}, 401)
        request.path = request.path.removeprefix("/api/v3")
        return super().__call__(request)


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def github(httpserver, monkeypatch, clock):
    return github_app.answering(httpserver, monkeypatch, clock)


@pytest.fixture
def api(httpserver, github):
    return httpserver.url_for("/api/v3")


@pytest.fixture
def fake(httpserver, github):
    found = Enterprise()
    httpserver.expect_request(re.compile(".*")).respond_with_handler(found)
    return found


@pytest.fixture
def connected(api, clock):
    """`connected()`: the host for a source's feedback, in one process."""
    process = Hosts(clock, lambda name, where: github_app.secret(api))
    return lambda **more: process.get(
        m.Feedback(host="github", repository="shop/policies", secret_ref="app", api_url=api, **more)
    )


def test_statuses_and_comments_are_written_with_one_token(connected, fake, github):
    connected().status(hosts.HEAD, [status(hosts.WHOLE, "pending")])
    connected().comment(hosts.HEAD, MARKER, f"{MARKER}\nplanned")
    assert [s["context"] for s in fake.statuses] == [hosts.WHOLE] and len(fake.comments) == 1
    assert len(github.made) == 1 and fake.tokens == {f"Bearer {github_app.Tokens.token(1)}"}


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ({}, {"statuses": "write", "pull_requests": "write"}),
        ({"comments": False}, {"statuses": "write"}),
        ({"statuses": False}, {"pull_requests": "write"}),
        ({"statuses": False, "comments": False, "revert": True}, {"pull_requests": "write", "contents": "write"}),
        ({"revert": True}, {"statuses": "write", "pull_requests": "write", "contents": "write"}),
    ],
)  # fmt: skip
def test_it_asks_for_no_more_than_the_feedback_needs(connected, fake, github, parts, wanted):
    connected(**parts).status(hosts.HEAD, [])
    assert github.made == [{"repositories": ["policies"], "permissions": wanted}]


def test_a_token_that_was_withdrawn_is_replaced_once_and_told_to_nobody(connected, fake, github):
    fake.takes = github_app.Tokens.token(2)
    connected().status(hosts.HEAD, [status(hosts.WHOLE, "pending")])
    assert len(fake.statuses) == 1
    fake.takes = "nobody's"
    with pytest.raises(
        DeliveryError, match=r"answered 401 to GET: Bad credentials: (Bearer )?\*\*\*$"
    ) as error:
        connected().status(hosts.HEAD, [status(hosts.WHOLE, "success")])
    assert "ghs_" not in str(error.value) and len(github.made) == 2


@pytest.mark.parametrize(
    "url", ["https://evil.example.com/api/v3", "https://api.github.com", "https://api.github.com.evil.example.com", ""]
)  # fmt: skip
def test_an_address_that_is_not_the_apps_gets_nothing(clock, api, httpserver, url):
    process = Hosts(clock, lambda name, where: github_app.secret(api))
    given = m.Feedback(host="github", repository="shop/policies", secret_ref="app", api_url=url)
    with pytest.raises(BadInput, match=r"the Secret's GitHub App is one of .* is to be asked"):
        process.get(given)
    assert not httpserver.log


def test_an_app_is_nobody_on_another_kind_of_host(clock):
    process = Hosts(clock, lambda name, where: github_app.secret())
    with pytest.raises(BadInput, match="a GitHub App is nobody on gitlab"):
        process.get(m.Feedback(host="gitlab", repository="shop/policies", secret_ref="app"))
