"""The reference is what the program says of itself, and leaves nothing out."""

import re

import pytest
from reference import commands, fields, metrics, resources, sources, words
from reference.write import DOCS, PAGES
from stage import Stage

from orchestrator.context import conditions
from orchestrator.policy.author.intents import PolicyTest
from orchestrator.policy.lint.accepting import Acceptance
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.crd import crd
from orchestrator.rollout.resources.resource import MODELS

KNOWN = {**resources.models(), **resources.within(PolicyTest, Acceptance)}
MODEL_FIELDS = [
    (model, field)
    for model in KNOWN.values()
    for field in model.model_json_schema(by_alias=True)["properties"]
]


@pytest.fixture(scope="module")
def page():
    """A page as it is committed."""
    return lambda name: (DOCS / "reference" / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_is_generated(name):
    assert (DOCS / name).read_text() == PAGES[name]() + "\n", "run `make reference`"


def test_no_page_tells_of_the_machine_that_it_was_made_on(page):
    for name in PAGES:
        text = (DOCS / name).read_text()
        assert not re.search(r"/(home|root|work|tmp|Users)/|site-packages", text), name


def test_every_command_has_a_section_with_what_it_does_and_an_example(page):
    text = page("cli.md")
    assert len(commands.commands()) > 40
    for name, command in commands.commands().items():
        assert f"\n## netpol-canary {name}\n" in text, "run `make reference`"
        assert command.help, name
        assert (command.epilog or "").startswith("Example: netpol-canary"), name


def test_every_option_and_argument_is_there_and_says_what_it_is_for(page):
    parts = dict(re.findall(r"\n## netpol-canary ([^\n]+)\n(.*?)(?=\n## |\Z)", page("cli.md"), re.S))
    for name, command in commands.commands().items():
        for parameter in command.params:
            if parameter.name != "help" and not parameter.hidden:
                argument = parameter.param_type_name == "argument"
                shown = (
                    [commands.label(parameter)] if argument else [*parameter.opts, *parameter.secondary_opts]
                )
                assert all(f"`{text}`" in parts.get(name, "") for text in shown), (name, shown)
                assert parameter.help, (name, parameter.name)


def test_the_exit_codes_are_those_of_the_program(page):
    said = {int(n) for n in re.findall(r"(?<![\w.])(\d+) [a-z]", commands.root().epilog)}
    assert said == set(commands.EXIT_CODES)


@pytest.mark.parametrize(("model", "field"), MODEL_FIELDS, ids=lambda v: getattr(v, "__name__", v))
def test_a_field_says_what_it_is_for(model, field):
    assert resources.described(model, field)


def test_no_words_stand_for_a_field_that_is_gone():
    known = {f"{model.__name__}.{field}" for model, field in MODEL_FIELDS}
    anywhere = {f"*.{field}" for _, field in MODEL_FIELDS}
    assert set(fields.FIELDS) <= known | anywhere
    assert all(not resources.own_text(resources.models()[name]) for name in fields.TYPES)
    assert set(fields.KINDS) == set(MODELS)


@pytest.mark.parametrize("kind", MODELS)
def test_every_field_of_a_crd_stands_on_the_page(kind, page):
    text = page("resources.md")
    schema = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for name in {*names(schema["spec"]), *names(schema["status"])}:
        assert f"| `{name}` |" in text, name


def names(schema):
    """Every field below a schema."""
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from names(inner.get("items", inner))


def test_every_metric_that_is_served_is_there_with_its_labels(page):
    text = page("metrics.md")
    for registry in (metrics.served(), metrics.GuardInstruments().registry):
        for collector in metrics.collectors(registry):
            assert f"| `{metrics.served_name(collector)}` |" in text
        assert len(metrics.collectors(registry)) == len(list(registry.collect()))


def test_the_alerts_ask_for_no_metric_that_the_page_does_not_name(page):
    text = page("metrics.md")
    known = set(re.findall(r"\| `(netpol_canary_\w+)` \|", text))
    known |= {name.removesuffix("_bucket") + end for name in known for end in ("_sum", "_count")}
    for path in (DOCS.parent / "config").rglob("*.yaml"):
        assert set(re.findall(r"\bnetpol_canary_\w+", path.read_text())) <= known, path.name


def test_every_reason_that_is_written_is_explained_and_no_other():
    explained = set(words.REASONS)
    for _, _, reasons in words.CONDITIONS.values():
        explained |= {name for name in reasons if name[0].isupper()}
    found = sources.reasons()
    assert len(found) > 50
    assert found == explained


def test_every_condition_is_explained():
    of_the_phase = {c.type for c in conditions(Stage().context(), m.PolicyRolloutStatus())}
    assert sources.conditions() | of_the_phase == set(words.CONDITIONS)


def test_every_label_annotation_and_finalizer_is_explained():
    assert sources.marks() == set(words.MARKS)
