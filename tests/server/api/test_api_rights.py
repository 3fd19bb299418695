"""Who may read what, by which proof, and what everybody else gets."""

import pytest
from caller import Caller
from stage import Stage

from orchestrator.errors import Forbidden, Unreachable

PATHS = (
    "/sources",
    "/sources/shop",
    "/rollouts",
    "/rollouts/NAME",
    "/rollouts/NAME/evidence",
    "/openapi.json",
)


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["type"], found["status"]) == ("about:blank", status) and found["title"] and found["detail"]
    return found["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_without_proof_or_with_a_wrong_one_nothing_is_said(waiting, path):
    for token in ("", "another-token", "ü", "x" * 6000):
        answer = waiting.get(path, token=token)
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer" and "shop" not in answer.text


@pytest.mark.parametrize("path", PATHS[:-1])
def test_who_may_not_read_a_kind_is_told_so(path):
    stage = Stage()
    caller = Caller(stage.context(), stage.cluster, allowed=lambda user, groups, verb, resource: False)
    caller.name = "shop-1"
    assert "cannot" in problem(caller.get(path), 403)


def test_a_reader_gets_what_the_pages_show(waiting):
    assert waiting.json("/rollouts/NAME", token="carols-token")["phase"] == "Paused"


def test_a_session_is_proof_as_well(waiting):
    page = waiting.http.get("/signin", headers={"Accept": "text/html"}).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": csrf, "token": "bens-token", "next": "/"}
    origin = {"Origin": "https://rollouts.example.com"}
    assert waiting.http.post("/signin/token", data=form, headers=origin).status_code == 303
    assert waiting.json("/rollouts", token="")["items"]
    problem(waiting.get("/rollouts", token="another-token"), 401)  # never as somebody else instead


def test_a_person_without_a_session_is_sent_to_the_way_in(waiting):
    sent = waiting.get("/sources", token="", Accept="text/html")
    assert sent.status_code == 303 and sent.headers["location"].startswith("/signin?next=")


def test_a_token_is_asked_about_once_and_ends_when_the_cluster_says_so(waiting, monkeypatch):
    assert waiting.get("/sources").status_code == 200
    monkeypatch.setitem(waiting.tokens, "bens-token", ("", ()))
    assert waiting.get("/sources").status_code == 200  # this double's callers are told once who they are

    def ended(*args):
        raise Forbidden("Unauthorized", 401)

    monkeypatch.setattr(type(waiting.cluster), "list", ended)
    problem(waiting.get("/sources"), 401)
    monkeypatch.undo()
    waiting.tokens.pop("bens-token")
    problem(waiting.get("/sources"), 401)


def test_where_tokens_are_not_taken_none_is(waiting):
    caller = Caller(waiting.ctx, waiting.cluster, token=False)
    assert "not taken" in problem(caller.get("/sources"), 401)


def test_who_guesses_is_slowed_down(waiting):
    caller = Caller(waiting.ctx, waiting.cluster, attempts_per_minute=3)
    assert caller.get("/sources").status_code == 200
    found = [caller.get("/sources", token=f"guess-{n}").status_code for n in range(4)]
    assert found == [401, 401, 429, 429]
    assert caller.get("/sources").status_code == 200  # who is known already is not counted


def test_a_bearer_token_opens_no_page_and_writes_nothing(waiting):
    as_ben = {"Authorization": "Bearer bens-token", "Accept": "*/*"}
    assert waiting.http.get("/", headers=as_ben).status_code == 401
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = waiting.get("/rollouts/NAME", method=method)
        assert answer.status_code in (401, 403, 405) and "access-control-allow-origin" not in answer.headers


def test_where_everybody_may_look_everybody_gets_answers_and_no_wrong_token_does(waiting):
    caller = Caller(waiting.ctx, waiting.cluster, anonymous="read")
    assert caller.get("/rollouts", token="").status_code == 200
    problem(caller.get("/rollouts", token="another-token"), 401)


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_cluster_that_does_not_answer_is_a_problem_without_its_secrets(waiting, monkeypatch, path):
    assert waiting.get("/sources").status_code == 200

    def gone(*args):
        raise Unreachable("https://10.0.0.1:6443 refused")

    for call in ("list", "get"):
        monkeypatch.setattr(type(waiting.cluster), call, gone)
    answer = waiting.get(path)
    assert "10.0.0.1" not in problem(answer, 503) and answer.headers["retry-after"]


def test_a_cluster_that_does_not_say_who_calls_lets_nobody_in(waiting, monkeypatch):
    def gone(*args):
        raise Unreachable("https://10.0.0.1:6443 refused")

    monkeypatch.setattr("orchestrator.sandbox.people.OnePerson.user", gone)
    assert "10.0.0.1" not in problem(waiting.get("/sources"), 502)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_site_may_read(waiting, origin):
    answer = waiting.get("/sources", Origin=origin)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
