"""Which pull request a job checks is read from what GitHub Actions and GitLab say of it, and from nothing else."""

import json

import pytest
from review_hosts import GITHUB

from orchestrator.cli.reviews.ci_job import ci_job
from orchestrator.errors import BadInput
from orchestrator.sandbox.clock import SimulatedClock

SHA = "a" * 40
GITLAB = {
    "GITLAB_CI": "true",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_PATH": "shop/policies",
    "CI_PROJECT_PATH": "mallory/policies",
    "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
    "CI_JOB_URL": "https://gitlab.example.com/mallory/policies/-/jobs/99",
    "GITLAB_TOKEN": "hunter2",
}


def job(**variables):
    return ci_job(variables, SimulatedClock())


def test_github_names_the_pull_request_by_its_ref():
    found = job(**GITHUB)
    review = found.review
    assert (review.host, review.number, review.repository) == ("github", 7, "shop/policies")
    assert review.api_url == GITHUB["GITHUB_API_URL"] and review.token == "hunter2"
    assert found.link == "https://github.example.com/shop/policies/actions/runs/99"
    assert "hunter2" not in repr(review)


def test_gitlab_names_the_project_that_the_change_goes_to():
    review = job(**GITLAB, CI_SERVER_TLS_CA_FILE="/builds/ca.crt").review
    assert review.ca_file == "/builds/ca.crt"
    assert (review.host, review.number, review.repository) == ("gitlab", 7, "shop/policies")


@pytest.mark.parametrize(
    ("payload", "commit"),
    [
        ({"pull_request": {"head": {"sha": SHA}}}, SHA),
        ({"pull_request": {"head": {"sha": "--upload-pack=x"}}}, ""),
        ({"pull_request": None}, ""),
        ([], ""),
    ],
)
def test_github_s_payload_names_the_commit(tmp_path, payload, commit):
    event = tmp_path / "event.json"
    event.write_text(json.dumps(payload))
    assert job(**GITHUB, GITHUB_EVENT_PATH=str(event)).commit == commit


def test_without_a_payload_no_commit_is_known(tmp_path):
    (tmp_path / "broken").write_text("{")
    for path in ("", str(tmp_path / "none"), str(tmp_path / "broken"), str(tmp_path)):
        assert job(**GITHUB, GITHUB_EVENT_PATH=path).commit == ""


def test_gitlab_names_the_commit_of_the_branch_not_that_of_a_merge():
    assert job(**GITLAB, CI_COMMIT_SHA=SHA).commit == SHA
    of_branch = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "b" * 64}
    assert job(**GITLAB, CI_COMMIT_SHA=SHA, **of_branch).commit == "b" * 64


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        (
            {**GITHUB, "GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_NAME": "push"},
            "push is of no pull request",
        ),
        ({**GITHUB, "GITHUB_REF": "refs/pull/7/../8/merge"}, "of no pull request"),
        ({**GITHUB, "GITHUB_TOKEN": ""}, "GITHUB_TOKEN holds no token"),
        ({**GITHUB, "GITHUB_TOKEN": "two\nlines"}, "GITHUB_TOKEN holds no token"),
        ({**GITLAB, "CI_MERGE_REQUEST_IID": ""}, "of no merge request"),
        ({**GITLAB, "CI_MERGE_REQUEST_IID": "²"}, "of no merge request"),
        ({**GITLAB, "GITLAB_TOKEN": " "}, "GITLAB_TOKEN holds no token, as in a fork's pipeline"),
    ],
)
def test_where_nobody_can_be_told_it_says_why(variables, why):
    found = job(**variables)
    assert found.review is None and why in found.why


def test_a_fork_s_change_never_meets_the_rights_of_its_target():
    with pytest.raises(BadInput, match="use on: pull_request"):
        job(**{**GITHUB, "GITHUB_EVENT_NAME": "pull_request_target"})


def test_elsewhere_there_is_no_pull_request():
    with pytest.raises(BadInput, match="no job of GitHub Actions or of GitLab"):
        job(GITHUB_REF="refs/pull/7/merge")
