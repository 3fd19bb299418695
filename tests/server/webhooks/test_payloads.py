"""What each host sends wakes the source of its repository, and nothing else does."""

import json
from urllib.parse import urlencode

import pytest
from deliveries import SECRET, Service, github, payload, pushed, signature


def gitea(name):
    return lambda body: {
        f"X-{name}-Event": "push",
        f"X-{name}-Signature": signature(body),
        "Content-Type": "application/json",
    }


def gitlab(body, token=SECRET.decode()):
    return {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": token, "Content-Type": "application/json"}


GITLAB, GITEA = "https://gitlab.example.com/platform/policies", "ssh://git@git.example.com/platform/policies"
CASES = [
    ("github", "github_push", github, "git@github.com:Platform/policies.git"),
    ("gitlab", "gitlab_push", gitlab, GITLAB),
    ("gitea", "gitea_push", gitea("Gitea"), GITEA),
    ("forgejo", "gitea_push", gitea("Forgejo"), GITEA),
]


@pytest.mark.parametrize(("host", "name", "headers", "url"), CASES, ids=[c[0] for c in CASES])
def test_a_push_wakes_the_source(host, name, headers, url):
    service = Service()
    service.source("mine", url)
    service.source("side", url, branch="side")
    body = payload(name)
    answer = service.post(host, body, headers(body))
    assert (answer.code, answer.status) == (202, "accepted")
    assert service.woken() == (["mine", "policies"] if host == "github" else ["mine"])


@pytest.mark.parametrize(("host", "name", "headers", "url"), CASES, ids=[c[0] for c in CASES])
def test_a_wrong_and_a_missing_signature_wake_nothing(host, name, headers, url):
    service = Service()
    service.source("mine", url)
    body = payload(name)
    good = headers(body)
    proof = next(h for h in good if "Signature" in h or "Token" in h)
    wrong = [{**good, proof: value} for value in ("", "x", good[proof][:-1] + "!", "ä".encode().hex())]
    wrong.append({k: v for k, v in good.items() if k != proof})
    for given in wrong:
        assert service.client.post(f"/webhooks/{host}", content=body, headers=given).status_code == 401
    service.wakes.work()
    assert service.woken() == []


@pytest.mark.parametrize("host", ["github", "gitea", "forgejo"])
def test_a_signature_is_of_this_very_body(service, host):
    body = payload("github_push")
    headers = github(body) if host == "github" else gitea(host.title())(body)
    answer = service.client.post(f"/webhooks/{host}", content=body + b" ", headers=headers)
    assert answer.status_code == 401


def test_github_may_send_a_form(service):
    body = urlencode({"payload": payload("github_push").decode()}).encode()
    headers = {**github(body), "Content-Type": "application/x-www-form-urlencoded"}
    assert service.post("github", body, headers).status == "accepted"
    assert service.woken() == ["policies"]


def test_a_ping_is_answered_and_another_event_ignored(service):
    ping, body = payload("github_ping"), pushed()
    assert service.post("github", ping, github(ping, "ping")).status == "pong"
    assert service.post("github", body, github(body, "issues")).status == "ignored"
    push_of_tag = pushed("https://github.com/platform/policies", "refs/tags/v1")
    assert service.post("github", push_of_tag, github(push_of_tag)).status == "ignored"
    assert service.woken() == []
    unsigned = {"X-GitHub-Event": "ping", "Content-Type": "application/json"}
    assert service.client.post("/webhooks/github", content=ping, headers=unsigned).status_code == 401


def test_a_tag_wakes_a_source_that_waits_for_signed_ones():
    service = Service()
    service.source("tagged", "https://git.example.com/team/shop", verify={"mode": "tag"})
    body = pushed(ref="refs/tags/v1")
    service.post("github", body, github(body))
    assert service.woken() == ["tagged"]


def test_a_gitlab_system_hook_is_a_push(service):
    service.source("mine", GITLAB)
    given = json.loads(payload("gitlab_push"))
    del given["object_kind"]
    body = json.dumps(given).encode()
    assert service.post("gitlab", body, gitlab(body) | {"X-Gitlab-Event": "System Hook"}).status == "accepted"
    other = json.dumps({**given, "event_name": "project_create"}).encode()
    assert service.post("gitlab", other, gitlab(other)).status == "ignored"


@pytest.mark.parametrize(
    "given",
    [
        {"url": "git@github.com:platform/policies", "branch": "main"},
        {"url": "https://github.com/platform/policies"},
        {"url": "https://github.com/platform/policies", "ref": "refs/heads/main"},
        {"sources": ["policies", "unknown"]},
    ],
)
@pytest.mark.parametrize("proof", ["bearer", "signature"])
def test_anything_else_may_name_a_repository_or_sources(service, given, proof):
    body = json.dumps(given).encode()
    bearer = {"Authorization": f"Bearer {SECRET.decode()}"}
    headers = bearer if proof == "bearer" else {"X-Signature-256": f"sha256={signature(body)}"}
    assert service.post("generic", body, headers).status == "accepted"
    assert service.woken() == ["policies"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {SECRET.decode()}"])
def test_a_wrong_bearer_wakes_nothing(service, header):
    answer = service.client.post(
        "/webhooks/generic", json={"sources": ["policies"]}, headers={"Authorization": header}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("host", "body", "headers", "said"),
    [
        ("github", b"{}", {}, "X-GitHub-Event is missing"),
        ("github", b"{", {"X-GitHub-Event": "push"}, "is not JSON"),
        ("github", b"[]", {"X-GitHub-Event": "push"}, "is not a JSON object"),
        ("github", b"[" * 100_000, {"X-GitHub-Event": "push"}, "is not JSON"),
        (
            "github",
            b"\xff",
            {"X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"},
            "form",
        ),
        ("gitlab", b"{}", {}, "X-Gitlab-Event is missing"),
        ("gitea", b"{}", {}, "X-Gitea-Event is missing"),
        ("forgejo", b"a=b", {"X-Forgejo-Event": "push", "Content-Type": "text/plain"}, "application/json"),
        ("generic", b"{}", {}, "the body is"),
        ("generic", b'{"sources": "a"}', {}, "a list of names"),
        ("generic", b'{"sources": [' + b'"a",' * 200 + b'"a"]}', {}, "at most 100"),
    ],
)
def test_a_body_of_another_shape_is_said(service, host, body, headers, said):
    answer = service.client.post(f"/webhooks/{host}", content=body, headers=headers)
    assert answer.status_code == 400 and said in answer.json()["error"]


@pytest.mark.parametrize("odd", [None, 3, [], {"clone_url": ["x"]}, {"clone_url": "https://["}])
def test_odd_members_match_nothing(service, odd):
    body = json.dumps({"ref": odd, "repository": odd}).encode()
    assert service.post("github", body, github(body)).status == "ignored"


def test_only_the_paths_of_hosts_exist(service):
    assert service.client.post("/webhooks/bitbucket").status_code == 404
    assert service.client.get("/webhooks/github").status_code == 405
