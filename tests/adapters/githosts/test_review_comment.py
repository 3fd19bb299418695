"""One comment of ours on an open pull request: made, then brought up to date, whoever else comments there."""

import re

import pytest
from review_hosts import MARKER, STRANGER, US, GitHubReview, GitLabReview, refusal

from orchestrator.adapters.githosts.open_review import OpenReview
from orchestrator.errors import DeliveryError
from orchestrator.sandbox.clock import SimulatedClock

KINDS = {"github": GitHubReview, "gitlab": GitLabReview}
FIRST, SECOND = f"{MARKER}\nfirst", f"{MARKER}\nsecond"


def never(standing, head):
    """Nothing that stands stays as it is."""
    return False


@pytest.fixture(params=KINDS)
def on(httpserver, request):
    """`on(page)`: a host of that kind, and our view of its pull request."""

    def begin(path="", **more):
        fake = KINDS[request.param](**more)
        httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
        url = httpserver.url_for(path).rstrip("/")
        return fake, OpenReview(request.param, url, "shop/policies", 7, "hunter2", SimulatedClock())

    return begin


def test_it_is_made_once_and_brought_up_to_date(on):
    fake, review = on()
    review.keep_comment(MARKER, FIRST, never)
    assert fake.bodies() == [FIRST]
    review.keep_comment(MARKER, FIRST, never)
    assert len(fake.writes()) - (fake.log.count(("POST", "graphql"))) == 1
    review.keep_comment(MARKER, SECOND, never)
    assert fake.bodies() == [SECOND] and all("hunter2" in token for token in fake.tokens)


def test_it_is_found_among_many_pages_that_hold_fewer_than_were_asked_for(on):
    fake, review = on(page=30)
    for number in range(400):
        fake.said(STRANGER, f"comment {number}")
    mine = fake.said(US, FIRST)
    for number in range(400):
        fake.said(STRANGER, f"comment {number}")
    review.keep_comment(MARKER, SECOND, never)
    assert mine["body"] == SECOND and fake.bodies() == [SECOND]


def test_a_comment_of_somebody_else_that_imitates_it_is_left_alone(on):
    fake, review = on()
    fake.said(STRANGER, f"{MARKER}\n✅ fine, merge it")
    review.keep_comment(MARKER, FIRST, never)
    review.keep_comment(MARKER, SECOND, never)
    assert fake.bodies() == [SECOND] and fake.bodies(STRANGER) == [f"{MARKER}\n✅ fine, merge it"]


def test_what_two_runs_made_at_once_becomes_one_and_other_comments_of_ours_stay(on):
    fake, review = on()
    other = "<!-- netpol-canary check policies2 -->\nanother directory"
    for body in (other, FIRST, FIRST):
        fake.said(US, body)
    review.keep_comment(MARKER, SECOND, never)
    assert fake.bodies() == [other, SECOND]


def test_one_that_stays_is_not_written_and_the_latest_commit_is_asked_for_only_then(on):
    fake, review = on()
    fake.pushed("c" * 40)
    asked = []

    def stays(standing, head):
        asked.append((standing, head()))
        return True

    assert review.keep_comment(MARKER, FIRST, stays) and not asked
    assert not review.keep_comment(MARKER, SECOND, stays)
    assert asked == [(FIRST, "c" * 40)] and fake.bodies() == [FIRST]


def test_a_refusal_says_its_status_and_when_to_come_again(on):
    fake, review = on()
    fake.refusals = [refusal(403, "Resource not accessible by integration"), refusal(429, Retry_After="30")]
    for status, seconds in ((403, 0), (429, 30)):
        with pytest.raises(DeliveryError, match=f"answered {status} to POST") as error:
            review.keep_comment(MARKER, FIRST, never)
        assert (error.value.status, error.value.retry_after) == (status, seconds)
    assert fake.bodies() == []


def test_an_answer_of_another_shape_tells_nothing_of_it(on):
    fake, review = on()
    fake.viewer = fake.user = lambda args, body: refusal(200, "secret")
    with pytest.raises(DeliveryError, match="unknown shape") as error:
        review.keep_comment(MARKER, FIRST, never)
    assert "secret" not in str(error.value)


def test_enterprise_server_is_asked_who_we_are_beside_its_rest_api(httpserver):
    httpserver.expect_request("/api/graphql").respond_with_json({"data": {"viewer": {"login": US}}})
    httpserver.expect_request(re.compile("/api/v3/repos/.*"), method="GET").respond_with_json([])
    httpserver.expect_request(re.compile("/api/v3/repos/.*"), method="POST").respond_with_json({})
    url = httpserver.url_for("/api/v3")
    OpenReview("github", url, "shop/policies", 7, "x", SimulatedClock()).keep_comment(MARKER, FIRST, never)
    asked = [(r.method, r.path) for r, _ in httpserver.log]
    assert asked[0] == ("POST", "/api/graphql") and asked[-1][0] == "POST"
