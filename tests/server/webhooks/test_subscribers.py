"""A source is woken by who knows its secret; nobody learns which sources there are."""

import pytest
from deliveries import SECRET, Service, github, payload, pushed

from orchestrator.errors import Unreachable

OTHER = "https://git.example.com/team/shop"


def status(service, body, headers):
    return service.client.post("/webhooks/github", content=body, headers=headers).status_code


@pytest.fixture
def two(service):
    """Two sources of one repository: `own` has a secret of its own."""
    service.secret("own", b"old one\n\n new one \n")
    service.source("own", OTHER, webhook_secret_ref="own")
    service.source("common", OTHER)
    return service


@pytest.mark.parametrize(
    ("secret", "woken"),
    [(SECRET, ["common"]), (b"old one", ["own"]), (b"new one", ["own"]), (b"old one\n", []), (b"", [])],
)
def test_each_source_by_its_own_secret_and_during_a_rotation_by_both(two, secret, woken):
    body = pushed(OTHER)
    assert status(two, body, github(body, secret=secret)) == (202 if woken else 401)
    two.wakes.work()
    assert two.woken() == woken


def test_an_unknown_repository_looks_like_a_wrong_signature(service):
    unknown, known = pushed("https://git.example.com/no/such"), payload("github_push")
    answers = {
        service.client.post("/webhooks/github", content=body, headers=github(body, secret=b"wrong")).text
        for body in (unknown, known)
    }
    assert len(answers) == 1
    assert service.post("github", unknown, github(unknown)).status == "ignored"


def test_without_any_secret_nothing_is_taken():
    service = Service(secret_ref="")
    body = payload("github_push")
    for secret in (b"", b"x"):
        assert status(service, body, github(body, secret=secret)) == 401


def test_a_missing_secret_takes_nothing_and_stops_no_other(two):
    two.source("lost", OTHER, webhook_secret_ref="nowhere")
    body = pushed(OTHER)
    assert status(two, body, github(body)) == 202
    two.wakes.work()
    assert two.woken() == ["common"]


def test_one_look_at_the_cluster_serves_many_deliveries(service):
    calls = []
    for name in ("list", "get"):
        plain = getattr(service.stage.cluster, name)
        setattr(service.stage.cluster, name, lambda *a, plain=plain: calls.append(a) or plain(*a))
    body = pushed("https://git.example.com/no/such")
    for _ in range(50):
        status(service, body, github(body, secret=b"wrong"))
    assert len(calls) == 2
    service.stage.clock.sleep(6)
    status(service, body, github(body, secret=b"wrong"))
    assert len(calls) == 4


def test_a_new_secret_counts_after_seconds(service):
    body = payload("github_push")
    assert status(service, body, github(body)) == 202
    service.source("new", OTHER, webhook_secret_ref="late")
    service.stage.clock.sleep(6)
    late = pushed(OTHER)
    assert status(service, late, github(late, secret=b"late")) == 401
    service.secret("late", b"late")
    service.stage.clock.sleep(6)
    assert status(service, late, github(late, secret=b"late")) == 202


def test_while_the_api_server_is_out_of_reach_what_stood_lately_counts(service):
    def away(*args):
        raise Unreachable("no answer")

    body, there = payload("github_push"), service.stage.cluster.list
    service.stage.cluster.list = away
    answer = service.client.post("/webhooks/github", content=body, headers=github(body))
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "10"
    service.stage.cluster.list = there
    assert status(service, body, github(body)) == 503
    service.stage.clock.sleep(6)
    assert status(service, body, github(body)) == 202
    service.stage.cluster.list = away
    service.stage.clock.sleep(60)
    assert status(service, body, github(body)) == 202
