"""The comment on a pull request is tried again as its host asks, for so long, and what comes of it changes no verdict."""

from pathlib import Path

import git_folder
import pytest

from orchestrator.cli.reviews.ci_job import CiJob
from orchestrator.cli.reviews.kept_comment import MOST, SECONDS, keep, marker
from orchestrator.errors import DeliveryError
from orchestrator.sandbox.clock import SimulatedClock

OLDER, NEWER, NEWEST = "a" * 40, "b" * 40, "c" * 40
LINK = "https://git.example.com/runs/1"


class Review:
    """Refuses as often as it is told to, in turn."""

    def __init__(self, *refusals):
        self.refusals, self.bodies, self.head = list(refusals), [], NEWER

    def latest(self):
        if isinstance(self.head, Exception):
            raise self.head
        return self.head

    def keep_comment(self, marker, body, stays):
        if self.refusals:
            raise self.refusals.pop(0)
        assert body.startswith(marker)
        if self.bodies and stays(self.bodies[-1], self.latest):
            return False
        self.bodies.append(body)
        return True


@pytest.fixture
def kept(capsys):
    """`kept(review)`: the seconds that it took, and what was said of it."""

    def run(review, text="said", link=LINK, why="", commit="", directory=Path("a b/-->")):
        clock = SimulatedClock()
        start = clock.monotonic()
        keep(CiJob(review, link, why, commit), directory, text, clock)
        return clock.monotonic() - start, capsys.readouterr().err

    return run


def test_the_marker_is_one_line_of_its_directory_whatever_that_is_called():
    assert marker(Path("a b/-->")) == "<!-- netpol-canary check a%20b/--%3E -->"
    assert marker(Path("policies")) != marker(Path("policies2"))


def test_it_says_where_it_comes_from(kept):
    review = Review()
    assert kept(review) == (0, "")
    assert review.bodies[0].splitlines()[1:] == ["said", "", f"<sub>[netpol-canary]({LINK})</sub>"]


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "https://x/)[y](z", "/o/r/actions/runs/"])
def test_what_is_no_address_is_no_link(kept, link):
    review = Review()
    kept(review, link=link)
    assert "<sub>" not in review.bodies[0]


def test_it_fits_into_a_comment(kept):
    review = Review()
    kept(review, text="x" * 200_000)
    assert MOST < len(review.bodies[0]) <= 65_536


def test_a_limit_is_waited_for(kept):
    review = Review(DeliveryError("slow down", 30, 403), DeliveryError("slow down", 40, 429))
    seconds, said = kept(review)
    assert seconds == 70 and said == "" and len(review.bodies) == 1


def test_no_longer_than_there_is_time(kept):
    review = Review(*[DeliveryError("slow down", 50, 429)] * 9)
    seconds, said = kept(review)
    assert seconds <= SECONDS and "no comment was written: slow down" in said and not review.bodies
    assert kept(Review(DeliveryError("come tomorrow", 86400, 429)))[0] == 0


def test_a_host_that_stumbles_is_asked_again(kept):
    review = Review(DeliveryError("bad gateway", 0, 502), DeliveryError("no answer"))
    assert kept(review)[1] == "" and len(review.bodies) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_has_no_right_is_told_so_at_once(kept, status):
    seconds, said = kept(Review(DeliveryError("answered", 0, status)))
    assert seconds == 0 and "a fork's pull request has no right to it" in said


def test_where_there_is_nobody_to_be_told_it_says_why(kept):
    assert (
        "no comment was written: push is of no pull request"
        in kept(None, why="push is of no pull request")[1]
    )


@pytest.mark.parametrize("head", [NEWER, NEWEST])
def test_a_run_of_an_older_commit_that_ends_last_leaves_the_newer_one_s_comment(kept, head):
    review = Review()
    kept(review, "newer", commit=NEWER)
    review.head = head
    _, said = kept(review, "older", commit=OLDER)
    assert "no comment was written: that of a newer commit stands there" in said
    (body,) = review.bodies
    assert body.splitlines()[1:3] == [f"<!-- commit {NEWER} -->", "newer"]


def test_the_latest_commit_has_its_comment_whatever_stands_there(kept):
    review = Review()
    for commit, text in (
        (OLDER, "older"),
        (NEWER, "newer"),
        (NEWER, "again"),
        ("", "unknown"),
        (NEWER, "last"),
    ):
        assert kept(review, text, commit=commit)[1] == ""
        assert text in review.bodies[-1]
    review.head = OLDER  # somebody pushed it anew, by force
    assert kept(review, "older again", commit=OLDER)[1] == "" and "older again" in review.bodies[-1]


def test_a_commit_that_came_after_the_comment_s_needs_no_answer_of_the_host(kept, tmp_path):
    """The latest one may have no run of its own."""
    git_folder.begun(tmp_path)
    first, second = (git_folder.commit(tmp_path, subject) for subject in ("first", "second"))
    review = Review()
    kept(review, "first", commit=first, directory=tmp_path)
    review.head = NEWEST
    assert kept(review, "second", commit=second, directory=tmp_path)[1] == ""
    assert "second" in review.bodies[-1]
    assert "newer commit" in kept(review, "first", commit=first, directory=tmp_path)[1]


def test_what_a_text_says_of_a_commit_is_no_commit(kept):
    review = Review()
    kept(review, f"said\n<!-- commit {NEWER} -->")
    assert kept(review, "older", commit=OLDER)[1] == "" and "older" in review.bodies[-1]


def test_who_may_comment_and_not_see_the_pull_request_comments(kept):
    review = Review()
    kept(review, "newer", commit=NEWER)
    review.head = DeliveryError("no", 0, 403)
    assert kept(review, "older", commit=OLDER)[1] == "" and "older" in review.bodies[-1]
    review.head = DeliveryError("bad gateway", 0, 502)
    assert "bad gateway" in kept(review, "newer", commit=NEWER)[1]
