"""The GitLab component's own script on a repository, against a Git host in memory: what a merge request gets to see of it."""

import json
import re

import component
import pytest
from git_folder import begun, commit, write
from review_hosts import STRANGER, GitLabReview, refusal
from shop_manifests import EXPOSED, MANIFESTS, POLICIES, TESTS

US = "project_7_bot"
ODD = "po '$(touch pwned)' \"`id`\""


@pytest.fixture
def host(httpserver):
    fake = GitLabReview(me=US)
    httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
    fake.url = httpserver.url_for("").rstrip("/")
    return fake


@pytest.fixture
def job(tmp_path, host):
    """`job(policies)`: a job on a merge request that makes the policies these; what it hands on is in its folder."""

    def run(policies, folder="policies", token="hunter2", **inputs):
        checkout = tmp_path / "checkout"
        begun(checkout)
        write(checkout, {f"{folder}/policy.yaml": POLICIES, f"{folder}/tests.yaml": TESTS})
        write(checkout, {f"{folder}/all.yaml": MANIFESTS})
        base = commit(checkout)
        write(checkout, {f"{folder}/policy.yaml": policies})
        commit(checkout)
        environment = {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": host.url,
            "CI_JOB_URL": "https://gitlab.example.com/shop/policies/-/jobs/99",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_PATH": "shop/policies",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "GITLAB_TOKEN": token,
        }
        given = {k.replace("_", "-"): v for k, v in inputs.items()}
        done = component.run(checkout, environment, {"directory": folder, **given})
        names = (*done.job["artifacts"]["paths"], done.job["artifacts"]["reports"]["codequality"])
        done.files = {n: (checkout / n).read_text() for n in names if (checkout / n).exists()}
        return done

    return run


def test_a_merge_request_has_one_note_code_quality_and_a_summary(job, host):
    host.said(STRANGER, "<!-- netpol-canary check policies -->\n✅ fine")
    first = job(EXPOSED)
    (body,) = host.bodies(US)
    assert first.code == 1 and "❌ blocked" in body and "❌ blocked" in first.files["netpol-canary.md"]
    found = json.loads(first.files["netpol-canary.json"])
    assert {"path": "policies/policy.yaml"}.items() <= found[0]["location"].items()
    assert all({"description", "check_name", "fingerprint", "severity", "location"} <= set(f) for f in found)
    assert "hunter2" not in first.log
    second = job(POLICIES.replace("5432}]\n", "5432}] # as before\n"))
    assert second.code == 0 and len(host.bodies(US)) == 1 and "✅ fine" in host.bodies(US)[0]
    assert host.bodies(STRANGER) == ["<!-- netpol-canary check policies -->\n✅ fine"]


@pytest.mark.exhaustive
def test_a_fork_s_pipeline_has_no_token_and_hands_on_the_rest(job, host):
    done = job(EXPOSED, token="")
    assert done.code == 1 and len(done.files) == 2 and not host.log
    assert "no comment was written: GITLAB_TOKEN holds no token" in done.log


@pytest.mark.exhaustive
def test_a_token_without_the_right_changes_no_verdict(job, host):
    host.refusals = [refusal(403, "403 Forbidden")]
    done = job(EXPOSED)
    assert done.code == 1 and len(done.files) == 2 and "no comment was written" in done.log


@pytest.mark.exhaustive
def test_what_has_to_be_reviewed_is_a_warning_unless_it_is_to_fail(job):
    wider = POLICIES.replace("ports: [{port: 5432}]\n", "ports: [{port: 5432}, {port: 5433}]\n")
    done = job(wider, comment=False)
    assert done.code == 3 == done.job["allow_failure"]["exit_codes"]
    assert job(wider, comment=False, fail_on="review").code == 1


@pytest.mark.exhaustive
def test_inputs_and_names_are_never_run(job, tmp_path):
    done = job(EXPOSED, folder=ODD, comment=False)
    assert done.code == 1 and len(done.files) == 2 and not list(tmp_path.rglob("pwned"))


@pytest.mark.exhaustive
def test_what_cannot_be_checked_fails(job, host):
    done = job("kind: [x\n")
    assert done.code == 2 and set(done.files) == {"netpol-canary.md"}
    assert "could not be checked" in host.bodies(US)[0]


def test_inputs_reach_scripts_as_variables_alone_and_each_is_described_and_used():
    name, job = component.filled({"repository": "https://x", "version": "v1", "job": "policies"})
    assert name == "policies" and job["variables"]["CHECK_REPOSITORY"] == "https://x"
    scripts = component.JOB["$[[ inputs.job ]]"]
    assert "$[[" not in str([scripts["script"], scripts["before_script"]])
    text = component.TEMPLATE.read_text().partition("\n---\n")[2]
    for one, said in component.SPEC["spec"]["inputs"].items():
        assert said["description"] and f"$[[ inputs.{one} ]]" in text, one
    assert {"repository", "version"} == {
        n for n, s in component.SPEC["spec"]["inputs"].items() if "default" not in s
    }
    assert "@sha256:" in component.SPEC["spec"]["inputs"]["image"]["default"]
