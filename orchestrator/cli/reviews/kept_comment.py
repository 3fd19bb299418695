"""One comment on the pull request says how its latest commit stands; what a host does not take changes no verdict."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from orchestrator.adapters.git.worktree import has_in_history
from orchestrator.cli.printing import note
from orchestrator.cli.reviews.ci_job import COMMIT, CiJob
from orchestrator.errors import DeliveryError
from orchestrator.ports import Clock, Review, Stays

SECONDS = 120.0  # in which it is tried; a host that wants to be left alone for longer has its way
PAUSE = 3.0  # seconds, where a host does not say when to come again
MOST = 64_000  # characters; GitHub takes 65,536
_COMMIT_LINE = re.compile(rf"<!-- commit ({COMMIT.pattern}) -->")
_FORBIDDEN = (401, 403, 404)


def marker(directory: Path) -> str:
    """Its first line: the comment of this directory, of which a repository may have several checked."""
    return f"<!-- netpol-canary check {quote(str(directory))} -->"


def _of(commit: str) -> list[str]:
    """Its second line: the commit that it is about, where that is known."""
    return [f"<!-- commit {commit} -->"] if commit else []


def keep(job: CiJob, directory: Path, text: str, clock: Clock) -> None:
    """Say this of the directory; says on standard error where it cannot be, or where a newer commit's comment stands."""
    why = job.why
    if job.review is not None:
        own = marker(directory)
        body = "\n".join([own, *_of(job.commit), text[:MOST], *_from(job.link)])
        why = _kept(job.review, own, body, partial(_newer, directory, job.commit), clock)
    if why:
        note(f"no comment was written: {why}")


def _newer(directory: Path, commit: str, standing: str, head: Callable[[], str]) -> bool:
    """Whether what stands is about a commit that came after this one: then this run began earlier, and ended later."""
    found = _COMMIT_LINE.fullmatch("".join(standing.splitlines()[1:2]))
    if not commit or found is None or found[1] == commit or has_in_history(directory, commit, found[1]):
        return False
    try:
        return head() != commit
    except DeliveryError as error:
        if error.status in _FORBIDDEN:  # whoever may comment only
            return False
        raise


def _from(link: str) -> list[str]:
    """Where it comes from; nothing that is no plain address."""
    plain = urlsplit(link).scheme in ("http", "https") and not set(link) & set("()<> \n")
    return ["", f"<sub>[netpol-canary]({link})</sub>"] if plain else []


def _kept(review: Review, own: str, body: str, stays: Stays, clock: Clock) -> str:
    """Empty, or why it was not written."""
    end = clock.monotonic() + SECONDS
    while True:
        try:
            if review.keep_comment(own, body, stays):
                return ""
            return "that of a newer commit stands there"
        except DeliveryError as error:
            pause = error.retry_after or PAUSE
            if error.status in _FORBIDDEN and not error.retry_after:
                return f"{error} (a fork's pull request has no right to it; else give the token that right)"
            if (400 <= error.status < 500 and not error.retry_after) or clock.monotonic() + pause > end:
                return str(error)
        clock.sleep(pause)
