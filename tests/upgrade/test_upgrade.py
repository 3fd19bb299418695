"""What an older version's users have in their clusters is read by this one, and nothing of it is lost."""

from pathlib import Path

import pytest
import yaml

from orchestrator.rollout.resources.resource import dump, load

HERE = Path(__file__).parent
VERSIONS = sorted(p for p in HERE.iterdir() if (p / "crd").is_dir())


def objects():
    for version in VERSIONS:
        for file in sorted(version.glob("*.yaml")):
            for number, obj in enumerate(yaml.safe_load_all(file.read_text())):
                yield pytest.param(obj, id=f"{version.name}-{file.stem}-{obj['kind']}-{number}")


def test_a_version_is_frozen():
    assert [v.name for v in VERSIONS][:1] == ["v0.1.0"]


@pytest.mark.parametrize("obj", list(objects()))
def test_an_object_is_read_and_written_back_as_it_was(obj):
    found = load(obj)
    for part, model in (("spec", found.spec), ("status", found.status)):
        again = dump(model)
        assert lost(obj.get(part) or {}, again) == []


def lost(old, new, path=""):
    """What an older object says and the one that would be written back does not."""
    if isinstance(old, dict):
        missing = [f"{path}.{k}" for k in old if k not in new]
        return missing + [x for k in old if k in new for x in lost(old[k], new[k], f"{path}.{k}")]
    if isinstance(old, list):
        if len(old) != len(new):
            return [path]
        return [x for n, item in enumerate(old) for x in lost(item, new[n], f"{path}[{n}]")]
    same = old == new or str(old).replace("+00:00", "Z") == str(new).replace("+00:00", "Z")
    return [] if same else [f"{path}: {old} is now {new}"]
