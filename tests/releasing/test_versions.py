"""A version is stated the same everywhere, and a tag goes out only where the files bear it out."""

import shutil

import pytest

from release import versions

FILES = (
    "pyproject.toml",
    "orchestrator/__init__.py",
    "charts/netpol-canary/Chart.yaml",
    "config/image/kustomization.yaml",
    "CHANGELOG.md",
)


@pytest.fixture
def copy(tmp_path):
    """`copy(file, old, new)`: the files that state a version, one of them changed; its folder."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(versions.ROOT / name, tmp_path / name)

    def change(file, old, new):
        text = (tmp_path / file).read_text()
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new))
        return tmp_path

    return change


def ready(change):
    """The files as they are when 0.1.0 goes out."""
    change("pyproject.toml", 'version = "0.1.0.dev0"', 'version = "0.1.0"')
    change("orchestrator/__init__.py", "0.1.0.dev0", "0.1.0")
    return change("CHANGELOG.md", "## Unreleased", "## 0.1.0")


def test_they_say_the_same():
    assert versions.differing() == [] and len(set(versions.stated().values())) == 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("orchestrator/__init__.py", "0.1.0", "0.1.1"),
        ("charts/netpol-canary/Chart.yaml", "\nversion: 0.1.0", "\nversion: 0.2.0"),
        ("charts/netpol-canary/Chart.yaml", "appVersion: 0.1.0", "appVersion: 0.0.9"),
        ("config/image/kustomization.yaml", "newTag: 0.1.0", "newTag: latest"),
    ],
)
def test_one_that_differs_is_named(copy, file, old, new):
    (said,) = versions.differing(copy(file, old, new))
    assert "pyproject.toml 0.1.0" in said


def test_what_is_in_the_making_does_not_go_out():
    said = versions.refusals("v0.1.0")
    assert said == [
        "the tag says 0.1.0, pyproject.toml 0.1.0.dev0",
        "CHANGELOG.md has no part ## 0.1.0",
    ]


def test_what_is_ready_goes_out_by_its_own_tag_alone(copy):
    root = ready(copy)
    assert versions.refusals("v0.1.0", root) == []
    assert versions.notes("0.1.0", root).startswith("- ")
    for tag in ("0.1.0", "v0.1", "v0.1.0-rc", "v0.1.0\n", "v0.2.0"):
        assert versions.refusals(tag, root), tag


def test_notes_end_where_the_next_version_begins(copy):
    root = ready(copy)
    copy("CHANGELOG.md", "## 0.1.0", "## 0.2.0 (2027-01-01)\n\n- new\n\n## 0.1.0")
    assert versions.notes("0.2.0", root) == "- new" and versions.notes("0.3.0", root) == ""
