"""What is installed is what was locked: packages by hash, base images by digest."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@cache
def packages():
    """The lock file's; read once, for it is large."""
    return tomllib.loads((ROOT / "uv.lock").read_text())["package"]


def test_every_package_of_the_lock_file_has_hashes():
    fetched = [p for p in packages() if "registry" in p["source"]]
    assert len(fetched) > 20
    for package in fetched:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files and all(f["hash"].startswith("sha256:") for f in files), package["name"]


def test_base_images_are_pinned_by_digest():
    bases = re.findall(r"^ARG \w+=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert bases and all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == [
        "${KUBECTL}",
        "${BASE}",
        "packages",
        "${BASE}",
    ]


def locked():
    """Name to version of every package of the lock file."""
    return {p["name"]: p.get("version") for p in packages()}


def required(name):
    """Name to version of what a file for pip asks for; fails where a line asks for no exact version."""
    lines = (ROOT / "requirements" / name).read_text().replace("\\\n", " ").splitlines()
    found = [re.match(r"([a-z0-9.-]+)==([^ ;]+)", line) for line in lines if not line.strip().startswith("#")]
    return {match[1]: match[2] for match in found}


def test_the_image_takes_its_packages_from_the_lock_file():
    assert re.findall(r"^(?:RUN|   ) uv sync (\S+)", DOCKERFILE, re.MULTILINE) == ["--frozen"]
    assert re.findall(r"\bpip .*install (.*)$", DOCKERFILE, re.MULTILINE) == [
        "--no-cache-dir --require-hashes -r requirements/build.txt",
        "--no-index --no-deps --compile /wheels/*.whl",
    ]


def test_what_builds_the_image_is_locked_by_hash():
    text = (ROOT / "requirements/build.txt").read_text()
    found = required("build.txt")
    assert {"hatchling", "uv"} <= set(found) and text.count("--hash=sha256:") >= len(found)
    assert found == {name: locked()[name] for name in found}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["build-system"]["requires"] == [f"hatchling=={found['hatchling']}"]


@pytest.mark.parametrize(("group", "tool"), [("packager", "pyinstaller"), ("contents", "cyclonedx-bom")])
def test_what_makes_a_release_is_locked_by_hash(group, tool):
    text, found = (ROOT / f"requirements/{group}.txt").read_text(), required(f"{group}.txt")
    assert tool in found and text.count("--hash=sha256:") >= len(found)
    assert found == {name: locked()[name] for name in found}


def test_an_archive_is_made_where_nothing_else_is_installed():
    """jsonschema and others load what they find: it would come along without its files."""
    assert "rfc3987-syntax" in required("contents.txt") and not required("packager.txt").keys() & {
        name for name in required("contents.txt") if name not in required("hooks.txt")
    }


def test_the_hooks_install_what_is_locked():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {tuple(h["additional_dependencies"]) for h in hooks} == {("--constraint=requirements/hooks.txt",)}
    found, wanted = required("hooks.txt"), tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert found == {name: locked()[name] for name in found}
    names = {re.match(r"[A-Za-z0-9._-]+", d)[0].lower().replace("_", "-") for d in wanted["dependencies"]}
    assert names <= set(found)
