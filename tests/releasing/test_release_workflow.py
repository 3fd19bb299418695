"""The release workflow: nobody's text is a script, what it uses is pinned, and each right goes to the job that needs it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from release import krew, rehearsal

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
JOBS = WORKFLOW["jobs"]
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]


def used(action):
    return [step.get("with", {}) for _, step in STEPS if step.get("uses", "").startswith(f"{action}@")]


def test_other_actions_are_pinned_by_commit_and_say_their_version():
    text = (ROOT / ".github/workflows/release.yml").read_text() + (ROOT / "action.yml").read_text()
    lines = re.findall(r"uses: (.+)", text)
    assert len(lines) >= 20
    assert [n for n in lines if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", n)] == []
    pins = {}
    for line in lines:
        name, _, pin = line.partition("@")
        assert pins.setdefault(name, pin) == pin, f"{name} is pinned twice, and not to the same"


def test_no_script_holds_an_expression():
    assert [step["run"] for _, step in STEPS if "${{" in step.get("run", "")] == []


def test_rights_are_read_alone_but_where_something_is_written():
    assert WORKFLOW["permissions"] == {"contents": "read"} and WORKFLOW[True] == {"push": {"tags": ["v*"]}}
    writes = {n: {k for k, v in j.get("permissions", {}).items() if v == "write"} for n, j in JOBS.items()}
    assert {name: rights for name, rights in writes.items() if rights} == {
        "image": {"packages"},
        "chart": {"packages"},
        "release": {"contents", "id-token", "attestations"},
    }
    assert all(given == {"persist-credentials": False} for given in used("actions/checkout"))


def test_everything_waits_for_the_tag_to_be_borne_out():
    def before(name):
        needs = JOBS[name].get("needs", [])
        return {n for need in ([needs] if isinstance(needs, str) else needs) for n in (need, *before(need))}

    assert all("python" in before(name) for name in JOBS if name != "python")
    assert any('TAG="$GITHUB_REF_NAME"' in step.get("run", "") for step in JOBS["python"]["steps"])
    assert before("release") == set(JOBS) - {"release"}


def test_the_image_has_its_bill_of_materials_and_provenance():
    (given,) = used("docker/build-push-action")
    assert given["sbom"] is True and given["provenance"] == "mode=max" and given["push"] is True
    assert given["platforms"] == "linux/amd64,linux/arm64"


def test_there_is_a_machine_for_each_archive():
    assert len(JOBS["plugin"]["strategy"]["matrix"]["runner"]) == len(krew.PLATFORMS)


def test_each_part_that_it_names_is_one_of_the_rehearsal():
    scripts = "\n".join(step.get("run", "") for _, step in STEPS)
    named = [part for parts in re.findall(r'ONLY="?([\w ]+?)"? KEEP', scripts) for part in parts.split()]
    assert named and set(named) <= set(rehearsal.PARTS)
    assert all(callable(getattr(rehearsal.Rehearsal, part)) for part in rehearsal.PARTS)
    modules = re.findall(r"-m release\.(\w+)", scripts)
    assert modules and all((ROOT / f"release/{m}.py").is_file() for m in modules)


def test_its_helm_is_the_one_that_the_chart_is_tried_with():
    (given,) = used("Azure/setup-helm")
    module = (ROOT / "tests/cluster/helm/go.mod").read_text()
    assert re.search(r"helm\.sh/helm/v4 (\S+)", module)[1] == given["version"]


def test_no_page_says_that_something_is_published():
    """Until there is a version: installations are from a clone or a Git URL."""
    if re.search(r"^## \d", (ROOT / "CHANGELOG.md").read_text(), re.M):
        pytest.skip("a version went out")
    lines = rehearsal.documented()
    assert "pip install '.[notifications,oidc]'" in lines and any("git+https" in line for line in lines)
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    claimed = re.compile(
        r"(?:pip|uv tool|pipx) install netpol-canary\b|helm repo add|krew install netpol-canary\b|ghcr\.io/|oci://"
    )
    assert [p.name for p in pages if claimed.search(p.read_text())] == []


@pytest.mark.parametrize("line", rehearsal.documented())
def test_an_installation_that_is_shown_names_extras_that_there_are(line):
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"[\w-]+", (re.search(r"\[(.+)\]", line) or ["", ""])[1])) <= set(known)
