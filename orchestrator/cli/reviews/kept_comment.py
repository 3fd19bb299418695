"""One comment on the pull request says how its latest commit stands; what a host does not take changes no verdict."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from orchestrator.cli.printing import note
from orchestrator.cli.reviews.ci_job import CiJob
from orchestrator.errors import DeliveryError
from orchestrator.ports import Clock, Review

SECONDS = 120.0  # in which it is tried; a host that wants to be left alone for longer has its way
PAUSE = 3.0  # seconds, where a host does not say when to come again
MOST = 64_000  # characters; GitHub takes 65,536
_FORBIDDEN = (401, 403, 404)


def marker(directory: Path) -> str:
    """Its first line: the comment of this directory, of which a repository may have several checked."""
    return f"<!-- netpol-canary check {quote(str(directory))} -->"


def keep(job: CiJob, directory: Path, text: str, clock: Clock) -> None:
    """Say this of the directory; says on standard error where it cannot be."""
    why = job.why
    if job.review is not None:
        own = marker(directory)
        why = _kept(job.review, own, "\n".join([own, text[:MOST], *_from(job.link)]), clock)
    if why:
        note(f"no comment was written: {why}")


def _from(link: str) -> list[str]:
    """Where it comes from; nothing that is no plain address."""
    plain = urlsplit(link).scheme in ("http", "https") and not set(link) & set("()<> \n")
    return ["", f"<sub>[netpol-canary]({link})</sub>"] if plain else []


def _kept(review: Review, own: str, body: str, clock: Clock) -> str:
    """Empty, or why it was given up."""
    end = clock.monotonic() + SECONDS
    while True:
        try:
            review.keep_comment(own, body)
            return ""
        except DeliveryError as error:
            pause = error.retry_after or PAUSE
            if error.status in _FORBIDDEN and not error.retry_after:
                return f"{error} (a fork's pull request has no right to it; else give the token that right)"
            if (400 <= error.status < 500 and not error.retry_after) or clock.monotonic() + pause > end:
                return str(error)
        clock.sleep(pause)
