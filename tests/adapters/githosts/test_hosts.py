"""Statuses, comments and the way back, on hosts that answer as the real ones do."""

import re

import hosts
import pytest
from hosts import connected, status

from orchestrator.errors import BadInput, DeliveryError
from orchestrator.ports import Reversal

KINDS = {"github": hosts.GitHub, "gitlab": hosts.GitLab, "gitea": hosts.Gitea}
WHOLE, WAVE = hosts.WHOLE, f"{hosts.WHOLE}/wave-0"
MARKER = "<!-- netpol-canary:uid -->"


@pytest.fixture
def on(httpserver):
    """`on(kind)`: a host in memory, and what opens a new conversation with it."""

    def begin(kind, **more):
        fake = KINDS[kind](**more)
        httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
        return fake, lambda: connected(httpserver.url_for(""), kind)

    return begin


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_is_set_once_however_often_it_is_asked_for(on, kind):
    fake, host = on(kind)
    wanted = [status(WAVE, "pending"), status(WHOLE, "pending")]
    host().status(hosts.HEAD, wanted)
    host().status(hosts.HEAD, wanted)
    host().status(hosts.HEAD, [status(WAVE, "success"), status(WHOLE, "pending")])
    host().status(hosts.HEAD, [status(WAVE, "failure")])
    states = {"pending": "running", "failure": "failed"} if kind == "gitlab" else {}
    expected = [(WAVE, "pending"), (WHOLE, "pending"), (WAVE, "success"), (WAVE, "failure")]
    assert [(s["context"], s["state"]) for s in fake.statuses] == [(c, states.get(s, s)) for c, s in expected]
    assert fake.statuses[0]["target_url"] == hosts.LINK and fake.statuses[0]["description"] == "watched"
    assert fake.tokens == {{"github": "Bearer hunter2", "gitlab": "hunter2", "gitea": "token hunter2"}[kind]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_is_found_behind_many_others(on, kind):
    fake, host = on(kind, page=20)
    contexts = [status(f"{WHOLE}/wave-{n}", "pending") for n in range(30)]
    host().status(hosts.HEAD, contexts)
    before = len(fake.statuses)
    if kind == "github":  # which gives as many as are asked for
        fake.page = 100
    host().status(hosts.HEAD, contexts)
    assert len(fake.statuses) == before == 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_rollout_has_one_comment_that_is_kept_up_to_date(on, kind):
    fake, host = on(kind)
    fake.add_comment({}, {"body": f"I quote {MARKER}"}, 7)
    host().comment(hosts.HEAD, MARKER, f"{MARKER}\nplanned")
    host().comment(hosts.HEAD, MARKER, f"{MARKER}\nplanned")
    host().comment(hosts.HEAD, MARKER, f"{MARKER}\nrolled back")
    assert [c["body"].splitlines()[-1] for c in fake.comments.values()][1:] == ["rolled back"]
    assert len(fake.writes()) == 2
    assert {c["number"] for c in fake.comments.values()} == {7 if kind != "gitlab" else 4, 7}


def test_a_commit_that_no_pull_request_brought_gets_no_comment(on):
    fake, host = on("github")
    fake.merged = False
    host().comment(hosts.HEAD, MARKER, MARKER)
    assert not fake.writes()


def way_back(before="b" * 40, path="net"):
    return Reversal(
        "netpol-canary/revert-c", "main", path, hosts.HEAD, before, "Revert", "It was rolled back."
    )


@pytest.mark.parametrize("before", ["b" * 40, ""])
def test_a_revert_puts_back_what_the_change_altered_below_the_path(on, before):
    fake, host = on("github")
    fake.put({"net/a.yaml": "1!", "net/c.yaml": "3", "docs/x": "10"}, "d" * 40, [hosts.HEAD])
    fake.refs["main"] = "d" * 40
    host().revert(way_back(before))
    assert fake.files("netpol-canary/revert-c") == {"net/a.yaml": "1", "net/in/b.yaml": "2", "docs/x": "10"}
    assert fake.refs["main"] == "d" * 40
    made = fake.objects[fake.refs["netpol-canary/revert-c"]]
    assert made["parents"] == [{"sha": "d" * 40}]
    assert [(p["head"]["ref"], p["base"]) for p in fake.opened] == [("netpol-canary/revert-c", "main")]


def test_what_was_altered_again_is_left_to_a_person(on):
    fake, host = on("github")
    fake.put({"net/a.yaml": "2!", "net/c.yaml": "3", "docs/x": "9"}, "d" * 40, [hosts.HEAD])
    fake.refs["main"] = "d" * 40
    host().revert(way_back())
    assert fake.files("netpol-canary/revert-c") == {"net/a.yaml": "2!", "net/in/b.yaml": "2", "docs/x": "9"}
    assert "left as they are" in fake.opened[0]["body"] and "`net/a.yaml`" in fake.opened[0]["body"]


def test_nothing_is_opened_where_git_has_it_back_already(on):
    fake, host = on("github")
    fake.put({"net/a.yaml": "1", "net/in/b.yaml": "2", "docs/x": "9"}, "d" * 40, [hosts.HEAD])
    fake.refs["main"] = "d" * 40
    host().revert(way_back())
    assert not fake.writes()


@pytest.mark.parametrize("after", [True, False])
def test_a_revert_that_was_broken_off_anywhere_is_opened_once(on, httpserver, after):
    fake, host = on("github")
    host().revert(way_back())
    for stop in range(int(after), len(fake.log), 2):
        httpserver.clear()
        fake, host = on("github")
        fake.dies(stop, after)
        with pytest.raises(DeliveryError, match="answered 500"):
            host().revert(way_back())
        host().revert(way_back())
        assert len(fake.opened) == 1, stop
        assert fake.files("netpol-canary/revert-c") == {
            "net/a.yaml": "1",
            "net/in/b.yaml": "2",
            "docs/x": "9",
        }


def test_a_closed_revert_is_not_opened_again(on):
    fake, host = on("github")
    host().revert(way_back())
    fake.opened[0]["state"] = "closed"
    del fake.refs["netpol-canary/revert-c"]
    host().revert(way_back())
    assert len(fake.opened) == 1 and "netpol-canary/revert-c" not in fake.refs


@pytest.mark.parametrize("secret", [{}, {"token": b" \n"}, {"token": "hünter".encode()}, {"token": b"a\nb"}])
def test_a_secret_without_a_token_is_said(secret):
    with pytest.raises(BadInput, match="the Secret x holds no token"):
        connected("https://git.example.com", secret=secret)


@pytest.mark.parametrize(
    "url", ["http://git.example.com", "https://ann:x@git.example.com", "ftp://x", "https://x?y=1"]
)
def test_a_token_goes_to_https_addresses_alone(url):
    with pytest.raises(BadInput, match=r"feedback\.apiUrl"):
        connected(url)


def test_what_gitlab_says_of_a_status_is_told_without_the_token(httpserver):
    httpserver.expect_request(re.compile(".*"), "GET").respond_with_json([])
    httpserver.expect_request(re.compile(".*"), "POST").respond_with_json({"message": "hunter2 is bad"}, 400)
    with pytest.raises(DeliveryError, match=r"refuses the status netpol-canary/shop: \*\*\* is bad"):
        connected(httpserver.url_for(""), "gitlab").status(hosts.HEAD, [status(WHOLE, "pending")])


@pytest.mark.parametrize(
    "answer", [{"merged_at": 1, "number": "hunter2"}, {"merged_at": 1, "number": ["hunter2"]}]
)
def test_an_answer_of_another_shape_is_told_without_what_is_in_it(httpserver, answer):
    httpserver.expect_request(re.compile(".*")).respond_with_json([answer])
    with pytest.raises(DeliveryError, match="answered with data of an unknown shape"):
        connected(httpserver.url_for("")).comment(hosts.HEAD, MARKER, MARKER)


def test_another_host_has_no_way_back(on):
    for kind in ("gitlab", "gitea"):
        with pytest.raises(DeliveryError, match="opened"):
            connected("https://git.example.com", kind).revert(way_back())
