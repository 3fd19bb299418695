"""The comment on a pull request is tried again as its host asks, for so long, and what comes of it changes no verdict."""

from pathlib import Path

import pytest

from orchestrator.cli.reviews.ci_job import CiJob
from orchestrator.cli.reviews.kept_comment import MOST, SECONDS, keep, marker
from orchestrator.errors import DeliveryError
from orchestrator.sandbox.clock import SimulatedClock

LINK = "https://git.example.com/runs/1"


class Review:
    """Refuses as often as it is told to, in turn."""

    def __init__(self, *refusals):
        self.refusals, self.bodies = list(refusals), []

    def keep_comment(self, marker, body):
        if self.refusals:
            raise self.refusals.pop(0)
        assert body.startswith(marker)
        self.bodies.append(body)


@pytest.fixture
def kept(capsys):
    """`kept(review)`: the seconds that it took, and what was said of it."""

    def run(review, text="said", link=LINK, why=""):
        clock = SimulatedClock()
        start = clock.monotonic()
        keep(CiJob(review, link, why), Path("a b/-->"), text, clock)
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
