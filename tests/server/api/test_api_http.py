"""What any program counts on: parts of lists, filters, tags, methods, and answers that are bounded and plain."""

import pytest
from caller import Caller
from stage import OWN, Stage
from written import plain

from orchestrator.rollout.resources import model as m

MANY = 10_000


def rollout(number, **spec):
    given = {
        "source": "shop",
        "revision": f"{number:040x}",
        "strategy": {},
        "planDigest": "sha256:1",
        "waves": [{"namespaces": [{"name": f"n{number % 7}", "before": "", "after": ""}]}],
        **spec,
    }
    made = plain("PolicyRollout", f"{OWN}/shop-{number:05}", given)
    made["metadata"]["creationTimestamp"] = f"2026-01-01T00:{number // 200:02}:00Z"
    return made


@pytest.fixture(scope="module")
def many():
    stage = Stage()
    items = [rollout(number) for number in range(MANY)]
    return Caller(stage.context(), Listed(stage.cluster, items))


class Listed:
    """A cluster that has these rollouts."""

    def __init__(self, cluster, items):
        self._cluster, self._items = cluster, items

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    def acting_as(self, user, *groups):
        return Listed(self._cluster.acting_as(user, *groups), self._items)

    def list(self, kind, namespace=None, labels=""):
        return (
            list(self._items) if kind.kind == "PolicyRollout" else self._cluster.list(kind, namespace, labels)
        )


def test_a_list_of_thousands_comes_in_parts_the_newest_first(many):
    seen, token = [], ""
    while True:
        found = many.json("/rollouts", params={"limit": 200, "namespace": "n3", "continue": token})
        seen += [item["name"] for item in found["items"]]
        token = found["continue"]
        if not token:
            break
    assert len(seen) == len(range(3, MANY, 7)) and seen == sorted(seen, reverse=True)
    assert found["remaining"] == 0


def test_one_part_is_never_large(many):
    first = many.get("/rollouts")
    assert len(first.json()["items"]) == 50 and first.json()["remaining"] == MANY - 50
    assert len(many.json("/rollouts?limit=200")["items"]) == 200
    assert len(first.content) < 100_000


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "phase=Nonsense",
        "continue=x",
        "continue=W10x",
        "continue=%FF",
        "continue=" + "e" * 2000,
        "source=" + "a" * 300,
    ],
)
def test_a_parameter_that_cannot_be_right_is_a_problem(many, query):
    answer = many.get(f"/rollouts?{query}")
    assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(query.partition("=")[0])


def test_what_goes_while_it_is_read_leaves_the_rest_in_place(many):
    first = many.json("/rollouts?limit=2")
    gone = many.cluster._items.pop()
    try:
        second = many.json("/rollouts", params={"limit": 2, "continue": first["continue"]})
        assert [i["name"] for i in second["items"]] == ["shop-09997", "shop-09996"]
    finally:
        many.cluster._items.append(gone)


def test_it_is_filtered_by_source_and_phase(waiting):
    names = lambda query: [i["name"] for i in waiting.json(f"/rollouts?{query}")["items"]]  # noqa: E731
    assert names("source=shop&phase=Paused") == [waiting.name] and names("source=other") == []
    assert names("phase=Failed") == [] and names("namespace=pay") == [waiting.name]


def test_a_rollout_that_cannot_be_read_hides_no_other(waiting):
    windows = [{"schedule": "0 9 * * *", "durationSeconds": 3600, "timeZone": "Europe/Berln"}]
    odd = rollout(1, strategy={"windows": windows})
    waiting.cluster.create(odd)
    found = {i["name"]: i["problem"] for i in waiting.json("/rollouts")["items"]}
    assert found[waiting.name] == "" and "Europe/Berln" in found["shop-00001"]
    assert waiting.get("/rollouts/shop-00001").status_code == 400


def test_an_answer_that_has_not_changed_is_not_sent_again(waiting):
    first = waiting.get("/rollouts/NAME")
    tag = first.headers["etag"]
    for known in (tag, f'W/{tag}, "x"', "*"):
        again = waiting.get("/rollouts/NAME", **{"If-None-Match": known})
        assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == tag
    assert waiting.get("/rollouts/NAME", **{"If-None-Match": '"other"'}).status_code == 200
    waiting.stage.change(suspend=True)
    assert waiting.get("/sources", **{"If-None-Match": tag}).status_code == 200
    assert (
        first.headers["cache-control"] == "no-store" and first.headers["content-type"] == "application/json"
    )


def test_a_head_is_a_get_without_its_body(waiting):
    for path in ("/sources", "/rollouts/NAME/evidence", "/openapi.json"):
        full, head = waiting.get(path), waiting.get(path, method="HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(full.content))
    assert waiting.get("/rollouts/nothing", method="HEAD").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nothing",
        "/rollouts/nothing",
        "/rollouts/%2e%2e%2fsources%2fshop",
        "/rollouts/..%2F..%2Fsecrets",
        "/rollouts/a%00b",
        "/rollouts/%3Cscript%3E",
        "/rollouts/" + "x" * 3000,
        "/sources/é",
        "/namespaces/nowhere",
        "/namespaces/UPPER",
        "/sources/shop%3Fwatch=true",
        "/rollouts/NAME/evidence/",
    ],
)
def test_what_is_not_there_is_a_problem(waiting, path):
    answer = waiting.get(path)
    assert answer.status_code in (400, 404) and answer.headers["content-type"] == "application/problem+json"


def test_what_people_wrote_comes_through_whole_and_moves_nothing_on_a_terminal(asked):
    stage = Stage()
    stage.repository.commits = lambda since, until: []
    found = asked(stage=stage)
    fresh = stage.shop()
    evil = "\x1b[2J\u202eowned\u2028<script>"
    status = fresh.status.model_copy(update={"blocked_revision": "d" * 40, "blocked_reason": evil})
    stage.cluster.replace_status({**fresh.manifest, "status": status.model_dump(mode="json", by_alias=True)})
    answer = found.get("/sources/shop")
    assert answer.content.isascii() and b"\x1b" not in answer.content
    assert answer.json()["blockedReason"] == evil


def test_a_repository_s_address_shows_no_password(asked):
    found = asked()
    found.stage.change(
        git=m.Git(url="https://ann:hidden@git.example.com/x?token=hidden").model_dump(by_alias=True)
    )
    assert found.json("/sources/shop")["repository"]["url"] == "https://git.example.com/x"


def test_evidence_comes_wave_by_wave(asked):
    found = asked()
    first = found.json("/rollouts/NAME/evidence?limit=1")
    assert [w["number"] for w in first["items"]] == [0] and first["continue"]
    rest = found.json("/rollouts/NAME/evidence", params={"continue": first["continue"]})
    assert [w["number"] for w in rest["items"]] == list(range(1, first["remaining"] + 1))
