"""Which pull request a CI job checks, by the variables that GitHub Actions and GitLab set, and with which token it is spoken to."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.adapters.githosts.open_review import OpenReview
from orchestrator.errors import BadInput
from orchestrator.ports import Clock, Review

TOKENS = {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN"}
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
MOST_EVENT = 25 << 20  # bytes; what GitHub sends with a webhook is no larger
_PULL = re.compile(r"refs/pull/(\d+)/(?:merge|head)")


@dataclass(frozen=True)
class CiJob:
    """`review` is None where nobody can be told, and `why` says why not; `link` leads to the job.

    `commit` is the one that the pull request ended with when the job began; empty where that is not known.
    """

    review: Review | None
    link: str
    why: str = ""
    commit: str = ""


def ci_job(env: Mapping[str, str], clock: Clock) -> CiJob:
    """Raises BadInput outside of both, and for `pull_request_target`: a fork's change would meet the rights of its target."""
    if env.get("GITHUB_ACTIONS") == "true":
        return _github(env, clock)
    if env.get("GITLAB_CI") == "true":
        return _gitlab(env, clock)
    raise BadInput("this is no job of GitHub Actions or of GitLab", "--comment", "leave it out elsewhere")


def _github(env: Mapping[str, str], clock: Clock) -> CiJob:
    """GitHub's "Variables reference", Default environment variables."""
    event = env.get("GITHUB_EVENT_NAME", "")
    if event == "pull_request_target":
        text = f"{event} gives what a fork wrote the rights of this repository"
        raise BadInput(text, "--comment", "use on: pull_request")
    repository = env.get("GITHUB_REPOSITORY", "")
    link = f"{env.get('GITHUB_SERVER_URL', '')}/{repository}/actions/runs/{env.get('GITHUB_RUN_ID', '')}"
    pull = _PULL.fullmatch(env.get("GITHUB_REF", ""))
    if pull is None:
        return CiJob(None, link, f"{event or 'this event'} is of no pull request")
    token = _token(env, "github")
    if not token:
        return CiJob(None, link, f"{TOKENS['github']} holds no token")
    url = env.get("GITHUB_API_URL", "https://api.github.com")
    review = OpenReview("github", url, repository, int(pull[1]), token, clock)
    return CiJob(review, link, commit=_head(env.get("GITHUB_EVENT_PATH", "")))


def _head(event: str) -> str:
    """The commit of the webhook's payload: the one that is checked out is its merge with the branch that it goes to."""
    try:
        with open(event, "rb") as file:
            return _commit(str(json.loads(file.read(MOST_EVENT))["pull_request"]["head"]["sha"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _commit(text: str) -> str:
    return text if COMMIT.fullmatch(text) else ""


def _gitlab(env: Mapping[str, str], clock: Clock) -> CiJob:
    """GitLab's "Predefined CI/CD variables reference"; a job of a fork has none of the project's own."""
    link, number = env.get("CI_JOB_URL", ""), env.get("CI_MERGE_REQUEST_IID", "")
    if not (number.isascii() and number.isdigit()):
        return CiJob(None, link, "this pipeline is of no merge request")
    token = _token(env, "gitlab")
    if not token:
        return CiJob(None, link, f"{TOKENS['gitlab']} holds no token, as in a fork's pipeline")
    project = env.get("CI_MERGE_REQUEST_PROJECT_PATH", "")  # where it goes to, not where it comes from
    url, authorities = env.get("CI_API_V4_URL", ""), env.get("CI_SERVER_TLS_CA_FILE", "")
    # In a pipeline of merged results the commit is that of the merge.
    commit = env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or env.get("CI_COMMIT_SHA", "")
    review = OpenReview("gitlab", url, project, int(number), token, clock, authorities)
    return CiJob(review, link, commit=_commit(commit))


def _token(env: Mapping[str, str], host: str) -> str:
    """Empty where it could not stand in a header."""
    token = env.get(TOKENS[host], "").strip()
    return token if token.isascii() and token.isprintable() else ""
