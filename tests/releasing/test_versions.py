"""A version is stated the same everywhere, and a tag goes out only where the files bear it out."""

import pytest

from release import versions

FILES = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "0.7.0.dev0"\n',
    "orchestrator/__init__.py": '"""About it."""\n\n__version__ = "0.7.0.dev0"\n',
    "charts/netpol-canary/Chart.yaml": "name: x\nversion: 0.7.0\nappVersion: 0.7.0\n",
    "config/image/kustomization.yaml": "images:\n- {name: x, newTag: 0.7.0}\n",
    "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n- new\n\n## 0.6.0 (2027-01-01)\n\n- old\n",
}


@pytest.fixture
def copy(tmp_path):
    """`copy(file, old, new)`: files that state a version, one of them changed; their folder."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def change(file, old, new):
        text = (tmp_path / file).read_text()
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new))
        return tmp_path

    return change


def ready(change):
    """The files as they are when the version goes out."""
    change("pyproject.toml", ".dev0", "")
    change("orchestrator/__init__.py", ".dev0", "")
    return change("CHANGELOG.md", "## Unreleased", "## 0.7.0")


def test_they_say_the_same():
    assert versions.differing() == [] and len(set(versions.stated().values())) == 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("orchestrator/__init__.py", "0.7.0", "0.7.1"),
        ("charts/netpol-canary/Chart.yaml", "\nversion: 0.7.0", "\nversion: 0.8.0"),
        ("charts/netpol-canary/Chart.yaml", "appVersion: 0.7.0", "appVersion: 0.6.9"),
        ("config/image/kustomization.yaml", "newTag: 0.7.0", "newTag: latest"),
    ],
)
def test_one_that_differs_is_named(copy, file, old, new):
    (said,) = versions.differing(copy(file, old, new))
    assert "pyproject.toml 0.7.0" in said


def test_what_is_in_the_making_does_not_go_out(copy):
    root = copy("CHANGELOG.md", "- new", "- newer")
    assert versions.differing(root) == []
    assert versions.refusals("v0.7.0", root) == [
        "the tag says 0.7.0, pyproject.toml 0.7.0.dev0",
        "CHANGELOG.md has no part ## 0.7.0",
    ]


def test_what_is_ready_goes_out_by_its_own_tag_alone(copy):
    root = ready(copy)
    assert versions.refusals("v0.7.0", root) == []
    for tag in ("0.7.0", "v0.7", "v0.7.0-rc", "v0.7.0\n", "v0.6.0"):
        assert versions.refusals(tag, root), tag


def test_notes_end_where_the_next_version_begins(copy):
    root = ready(copy)
    assert versions.notes("0.7.0", root) == "- new" and versions.notes("0.6.0", root) == "- old"
    assert versions.notes("0.5.0", root) == ""
