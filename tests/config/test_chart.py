"""The chart is written from config/, every value has a place and a sentence, and a misspelt one is refused."""

import json
from pathlib import Path

import pytest
import yaml
from chart import schema, settings_values, templates, write
from chart.values import VALUES
from jsonschema import Draft7Validator

from orchestrator.server.settings import leaves

CONFIG = Path(__file__).parents[2] / "config"
IMPERSONATED = {"enabled": True, "groups": ["oidc:engineers"]}


def committed():
    return {
        str(path.relative_to(write.CHART)): path.read_text()
        for path in write.CHART.rglob("*")
        if path.is_file()
    }


def refused(values):
    """What the schema says against these values over the defaults, as the chart's users give them."""
    held = json.loads(committed()["values.schema.json"])
    return [error.message for error in Draft7Validator(held).iter_errors(values)]


def nested(name, value):
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


def test_the_chart_is_what_config_gives():
    """`make chart` writes it."""
    made = dict(write.files())
    assert sorted(committed()) == sorted(made)
    assert [name for name, text in committed().items() if made[name] != text] == []


def test_no_base_is_left_out():
    bases = {f.parent.name for f in CONFIG.glob("*/kustomization.yaml")}
    assert bases - {"default", "image", "samples"} == set(templates.PARTS)


def test_the_defaults_are_taken_by_the_schema():
    assert refused(yaml.safe_load(committed()["values.yaml"])) == []


@pytest.mark.parametrize("value", VALUES, ids=lambda v: v.name)
def test_each_value_is_described_and_used_and_refused_where_it_is_misspelt(value):
    text = "".join(text for name, text in committed().items() if name.startswith("templates/"))
    sections = [".".join(value.name.split(".")[:n]) for n in range(1, value.name.count(".") + 1)]
    assert value.says.endswith(".") and f"`{value.name}`" in committed()["README.md"]
    assert f".Values.{value.name}" in text, sections
    assert any("ofName" in message for message in refused(nested(f"{value.name}ofName", "x")))


@pytest.mark.parametrize(
    "values",
    [
        {"settings": {"controller": {"poll_second": 60}}},
        {"settings": {"log_level": "loud"}},
        {"settings": {"namespace": "elsewhere"}},
        {"settings": {"signin": {"oidc": {"client_secret": "s3cret"}}}},
        {"image": {"repository": "x y"}},
        {"image": {"tag": "a:b"}},
        {"image": {"digest": "latest"}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"imagePullSecrets": ["mine"]},
        {"probeImages": ["x'] + ['y"]},
        {"env": [{"name": "A", "valeu": "b"}]},
        {"controller": {"replicas": "2"}},
        {"controller": {"resources": {"limit": {"cpu": 1}}}},
        {"controller": {"podLabels": {"app.kubernetes.io/name": "mine"}}},
        {"controller": {"tolerations": [{"efect": "NoExecute"}]}},
        {"guard": {"affinity": {"podAntiAfinity": {}}}},
        {"impersonation": {"enabled": True}},
        {"impersonation": {"enabled": True, "users": [], "groups": []}},
        {"impersonation": {"enabled": True, "groups": ["system:masters"]}},
        {"monitoring": {"enabled": "yes"}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(values):
    assert refused(values)


@pytest.mark.parametrize(
    "values",
    [
        {"settings": {"controller": {"poll_seconds": 60}, "webhooks": {"secret_ref": "webhooks"}}},
        {"image": {"repository": "registry.example.com:5000/a/b", "digest": "sha256:" + "a" * 64}},
        {"imagePullSecrets": [{"name": "mine"}]},
        {"probeImages": ["registry.example.com/probe:1"]},
        {"impersonation": IMPERSONATED},
        {"archive": {"enabled": True, "storage": {"size": "1Gi"}}},
        {"global": {"of": "a parent chart"}},
    ],
    ids=str,
)
def test_what_makes_sense_is_taken(values):
    assert refused(values) == []


def test_each_setting_is_taken_but_for_those_that_the_chart_sets_and_secrets():
    held, names = settings_values.settings_schema(), []

    def walk(inner, above):
        for name, one in inner["properties"].items():
            path = [*above, name]
            if "properties" in one:
                walk(one, path)
            else:
                names.append(".".join(path))

    walk(held, [])
    assert sorted(names) == sorted({leaf.name for leaf in leaves()} - set(settings_values.FIXED))


def test_whoever_writes_the_chart_learns_which_default_config_lacks():
    with pytest.raises(KeyError, match=r"controller\.replicas"):
        schema.tree({})
