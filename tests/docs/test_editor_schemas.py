"""What editors are told of our files is what the program takes: samples fit, and each way to misspell them does not."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from reference.schemas import FOLDER, files
from shop_manifests import TESTS

from orchestrator.cli.policies.lint import CONFIG, SECTIONS, TAKEN, severities
from orchestrator.errors import BadInput
from orchestrator.policy.author.intents import PolicyTest
from orchestrator.policy.files.yaml_text import LOADER
from orchestrator.policy.lint.findings import RULES
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import dump, new
from orchestrator.sandbox.shop_workloads import TEST
from orchestrator.sandbox.shop_workloads import files as shop_files
from orchestrator.server.settings import load

ROOT = Path(__file__).parents[2]
SCHEMAS = {name.removesuffix(".json"): json.loads(text) for name, text in files().items()}
LINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
FREE = ("labels", "annotations", "namespaceLabels", "matchLabels")  # keys below them are people's own
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def written(text):
    """The documents of a text as JSON has them: a date is a string, as it is to editors."""
    return [json.loads(json.dumps(d, default=str)) for d in yaml.load_all(text, LOADER) if d is not None]


def schema_of(document):
    """The schema by which an editor reads it; None for what is not of ours."""
    kind = str(document.get("kind", "")).lower()
    if kind:
        return kind if kind in SCHEMAS and document.get("apiVersion") == m.API_VERSION else None
    return "lint" if set(document) <= SECTIONS else None


def samples():
    """Files and blocks of pages with something whole of ours, and what else there is of it."""
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in sample_files()}
    texts |= {
        f"{page.name}-{number}": text
        for page in PAGES
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S))
    }
    texts |= {"tests": TESTS, "the shop's": shop_files()[TEST]}
    texts["an older version's"] = (ROOT / "tests/upgrade/v0.1.0/good.yaml").read_text()
    texts["a new freeze"] = yaml.safe_dump(
        new("RolloutFreeze", "x", "netpol-canary", m.RolloutFreezeSpec(reason="holidays"))
    )
    for name, text in texts.items():
        for number, document in enumerate(written(text)):
            kind = schema_of(document) if isinstance(document, dict) else None
            if kind:
                yield pytest.param(kind, document, id=f"{kind} of {name}-{number}")
    settings = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/settings.md").read_text(), re.S)
    yield pytest.param("settings", *written(settings[0]), id="settings.md")
    yield pytest.param("settings", load().model_dump(mode="json"), id="settings as they are printed")


def sample_files():
    """Files with our objects below config and docs."""
    found = [*(ROOT / "config").rglob("*.yaml"), *(ROOT / "docs").rglob("*.yaml")]
    return sorted(p for p in found if re.search(rf"^apiVersion: {m.API_VERSION}$", p.read_text(), re.M))


def wrong(kind, document):
    return [error.message for error in Draft7Validator(SCHEMAS[kind]).iter_errors(document)]


@pytest.mark.parametrize("name", files())
def test_a_schema_is_what_is_generated(name):
    assert (FOLDER / name).read_text() == files()[name], "run `make reference`"
    assert {p.name for p in FOLDER.iterdir()} == set(files())


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_and_needs_nothing_from_elsewhere(kind):
    Draft7Validator.check_schema(SCHEMAS[kind])
    assert "$ref" not in json.dumps(SCHEMAS[kind])


def described(schema, path=""):
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner.get("description", "")
        yield from described(inner, f"{path}.{name}")
        yield from described(inner.get("items", {}), f"{path}.{name}[]")


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_field_says_what_it_is_for(kind):
    fields = dict(described(SCHEMAS[kind]))
    assert len(fields) > 8
    assert [path for path, text in fields.items() if not text.strip()] == []


def test_every_sample_names_a_schema_that_is_there_and_is_its_own():
    assert len(sample_files()) > 3
    for path in sample_files():
        named = LINE.match(path.read_text())
        assert named, f"{path.relative_to(ROOT)} does not begin with its schema"
        (document,) = written(path.read_text())
        assert (path.parent / named[1]).resolve() == FOLDER / f"{schema_of(document)}.json"


@pytest.mark.parametrize(("kind", "sample"), list(samples()))
def test_a_sample_fits(kind, sample):
    assert wrong(kind, sample) == []


def test_each_kind_has_a_sample():
    assert {param.values[0] for param in samples()} == set(SCHEMAS)


def places(node, path=()):
    """The way to each field that is ours to name."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield (*path, key)
            if key not in FREE or isinstance(inner, list):
                yield from places(inner, (*path, key))
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from places(inner, (*path, number))  # an item has no name


def holder(document, path):
    for part in path[:-1]:
        document = document[part]
    return document


@pytest.mark.parametrize(("kind", "sample"), list(samples()))
def test_a_misspelt_field_or_a_value_of_another_shape_is_refused_wherever_it_stands(kind, sample):
    for path in places({k: v for k, v in sample.items() if k not in ("metadata", "status")}):
        shape = copy.deepcopy(sample)
        holder(shape, path)[path[-1]] = {"a": [1]}
        assert wrong(kind, shape), f"{path} may be anything"
        misspelt = copy.deepcopy(sample)
        fields = holder(misspelt, path)
        fields[f"{path[-1]}s"] = fields.pop(path[-1])
        assert wrong(kind, misspelt), f"{path} may be misspelt"


GOOD = {
    "policysource": {"git": {"url": "https://x/y"}, "namespaces": {"names": ["a"]}},
    "policytest": {
        "intents": [{"name": "a", "expect": "reach", "from": {}, "to": {}, "ports": [{"port": 1}]}]
    },
}
MISTAKES = {
    "a wrong word": ("policysource", "drift", "fix"),
    "a number in quotes": ("policysource", "driftIntervalSeconds", "60"),
    "a number out of bounds": ("policysource", "driftIntervalSeconds", 1),
    "yes in quotes": ("policysource", "suspend", "yes"),
    "a step that is two": ("policysource", "strategy", {"steps": [{"count": 1, "percent": 5}]}),
    "a step that is none": ("policysource", "strategy", {"steps": [{}]}),
    "labels as a mapping": ("policysource", "namespaces", {"matchLabels": {"team": "shop"}}),
    "no namespaces": ("policysource", "namespaces", None),
    "an unknown host": ("policysource", "feedback", {"host": "hub", "repository": "a/b", "secretRef": "c"}),
    "a feedback without a Secret": ("policysource", "feedback", {"host": "github", "repository": "a/b"}),
    "an intent without an end": ("policytest", "intents", [{"name": "a", "expect": "reach", "ports": []}]),
    "a list that is none": ("policytest", "only", {"name": "a"}),
    "an unknown word of intents": (
        "policytest",
        "intents",
        [{**GOOD["policytest"]["intents"][0], "expect": "allow"}],
    ),
    "a label that is a number": (
        "policytest",
        "internet",
        [{"name": "a", "onlyTo": [{"labels": {"tier": 1}}]}],
    ),
}


@pytest.mark.parametrize(("kind", "field", "value"), MISTAKES.values(), ids=MISTAKES)
def test_a_typical_mistake_is_refused_by_the_schema_and_by_the_program(kind, field, value):
    model = {"policysource": m.PolicySourceSpec, "policytest": PolicyTest}[kind]
    spec = {**GOOD[kind], field: value}
    document = {
        "apiVersion": m.API_VERSION,
        "kind": {"policysource": "PolicySource", "policytest": "PolicyTest"}[kind],
        "metadata": {"name": "x"},
    }
    assert wrong(kind, {**document, "spec": GOOD[kind]}) == []
    assert wrong(kind, {**document, "spec": spec})
    # Steps are the CRD's to refuse; texts for numbers the program takes, and the API server does not.
    if field not in ("strategy", "driftIntervalSeconds", "suspend") or value == 1:
        with pytest.raises(ValueError):
            model.model_validate(spec)


def test_a_whole_source_with_every_default_fits():
    spec = m.PolicySourceSpec(git=m.Git(url="https://x/y"), namespaces=m.NamespaceScope(names=["a"]))
    assert wrong("policysource", {**new("PolicySource", "x", "y", spec), "spec": dump(spec)}) == []


@pytest.mark.parametrize("level", [*TAKEN, False, "loud", True, 1, None])
def test_severities_are_those_that_lint_takes(level, tmp_path):
    for rule in (*RULES, "NPC999"):
        document = {"lint": {rule: level}}
        (tmp_path / CONFIG).write_text(yaml.safe_dump(document))
        try:
            severities(tmp_path, None)
            taken = True
        except BadInput:
            taken = False
        assert taken is (not wrong("lint", document)), (rule, level)


def test_an_acceptance_of_nothing_that_is_found_is_refused():
    entry = {"finding": "NPC003", "subject": "NetworkPolicy a/b", "reason": "c", "until": "2027-01-01"}
    assert wrong("lint", {"accepted": [entry]}) == []
    for change in (
        {"finding": "many"},
        {"finding": "NPC999"},
        {"until": 2027},
        {"ports": [{}]},
        {"reason": ""},
    ):
        assert wrong("lint", {"accepted": [{**entry, **change}]}), change
