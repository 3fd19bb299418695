"""What an older version's users have in their clusters is read by this one, and no field of theirs was taken away."""

from pathlib import Path

import pytest
import yaml

from orchestrator.rollout.crd import files
from orchestrator.rollout.resource import dump, load

HERE = Path(__file__).parent
VERSIONS = sorted(p for p in HERE.iterdir() if (p / "crd").is_dir())
LOWER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")  # bounds that may only grow
UPPER = ("minLength", "minItems", "minimum", "exclusiveMinimum")


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


def schemas(text):
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda v: v.name)
def test_no_field_is_taken_away_or_narrowed_or_asked_for_anew(version):
    now = files()
    for file in sorted((version / "crd").glob("*.yaml")):
        assert broken(schemas(file.read_text()), schemas(now[file.name]), file.stem) == []


def broken(old, new, path):
    """What a client of the older schema could do and cannot any more."""
    found = [f"{path} is {new.get('type')} now"] if old.get("type") != new.get("type") else []
    found += [
        f"{path} is required now: {n}" for n in set(new.get("required", [])) - set(old.get("required", []))
    ]
    found += [
        f"{path} takes {c!r} no more" for c in old.get("enum", []) if "enum" in new and c not in new["enum"]
    ]
    found += [f"{path}: {b} is smaller" for b in LOWER if b in new and (b not in old or new[b] < old[b])]
    found += [f"{path}: {b} is larger" for b in UPPER if b in new and (b not in old or new[b] > old[b])]
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            found += broken(schema, new["properties"][name], f"{path}.{name}")
        else:
            found.append(f"{path}.{name} is gone")
    if "items" in old:
        found += broken(old["items"], new.get("items", {}), f"{path}[]")
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"properties": {}}, "is gone"),
        ({"required": ["a"]}, "is required now"),
        ({"properties": {"a": {"type": "string", "maxLength": 5}}}, "maxLength is smaller"),
        ({"properties": {"a": {"type": "integer"}}}, "is integer now"),
    ],
)
def test_what_would_break_is_found(change, said):
    old = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}}
    assert said in " ".join(broken(old, {**old, **change}, "x"))
