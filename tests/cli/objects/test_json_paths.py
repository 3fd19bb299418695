"""JSONPath as kubectl has it, and nothing that runs for long."""

import time

import pytest

from orchestrator.cli.objects.json_paths import JsonPath, relaxed
from orchestrator.cli.objects.path_templates import PathTemplate
from orchestrator.errors import BadInput

ROLLOUTS = {
    "kind": "List",
    "items": [
        {
            "metadata": {"name": "one", "labels": {"app.kubernetes.io/name": "shop", "app": "a"}},
            "status": {"phase": "Paused", "wave": 2, "conditions": [{"type": "Ready", "status": "True"}]},
        },
        {"metadata": {"name": "two", "labels": {}}, "status": {"phase": "Succeeded", "wave": 10}},
    ],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".kind", ["List"]),
        ("$.kind", ["List"]),
        (".items[*].metadata.name", ["one", "two"]),
        (".items[0].metadata.name", ["one"]),
        (".items[-1].metadata.name", ["two"]),
        (".items[-1:].metadata.name", ["two"]),
        (".items[0:1].status.wave", [2]),
        ("..name", ["one", "two"]),
        (r".items[0].metadata.labels.app\.kubernetes\.io/name", ["shop"]),
        (r".items[0].metadata.labels['app\.kubernetes\.io/name']", ["shop"]),
        (".items[*]['metadata.name']", ["one", "two"]),
        (
            ".items[*].metadata['name','labels']",
            ["one", ROLLOUTS["items"][0]["metadata"]["labels"], "two", {}],
        ),
        ('.items[?(@.status.phase=="Paused")].metadata.name', ["one"]),
        (".items[?(@.status.phase!='Paused')].metadata.name", ["two"]),
        (".items[?(@.status.wave>2)].metadata.name", ["two"]),
        (".items[?(@.status.conditions)].metadata.name", ["one"]),
        (r".items[?(@.metadata.labels.app\.kubernetes\.io/name=='shop')].metadata.name", ["one"]),
        ('.items[0].status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".items[0].nothing.here", []),
    ],
)
def test_what_a_path_gives(path, values):
    assert JsonPath(path, "here").values(ROLLOUTS) == values


@pytest.mark.parametrize("path", ["kind", ".kind", "{.kind}"])
def test_a_column_may_leave_out_what_stands_around_a_path(path):
    assert relaxed(path, "here").values(ROLLOUTS) == ["List"]


@pytest.mark.parametrize(
    "path",
    [
        "kind",
        ".items[",
        ".items[?(@.a[?(@.b)])]",
        ".items[?(@..a==1)]",
        ".items[?(match(@.a, '(a+)+b'))]",
        ".items[?(@.a =~ /(a+)+b/)]",
        ".items[*,*]",
        ".items[0:99999999999]",
        ".items[00]",
        "......",
        "..*..*..*",
        ".a | .b",
        "." + "a" * 2000,
        ".items['a','b.c']",
        "\x1b[2J",
    ],
)
def test_anything_else_is_bad_input(path):
    with pytest.raises(BadInput):
        JsonPath(path, "here")


def test_an_expression_that_gives_very_much_ends_soon():
    deep = {"a": 1}
    for _ in range(90):
        deep = {"x": deep, "y": [1] * 50}
    began = time.process_time()
    with pytest.raises(BadInput, match="gives more than"):
        JsonPath("..*..*", "here").values(deep)
    assert time.process_time() - began < 60
    endless = deep
    for _ in range(200):
        endless = [endless]
    with pytest.raises(BadInput, match="too deep"):
        JsonPath("..*", "here").values(endless)


def test_a_template_that_gives_very_much_ends_soon():
    wide = {"items": [{"x": n} for n in range(60_000)]}
    began = time.process_time()
    with pytest.raises(BadInput, match="gives more than"):
        PathTemplate("{range .items[*]}{$..nothing}{.x}{end}").filled(wide)
    assert time.process_time() - began < 60


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.kind}", "List"),
        ("{$.kind} of {.items[*].metadata.name}", "List of one two"),
        (
            '{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}',
            "one\tPaused\ntwo\tSucceeded\n",
        ),
        ("{range .items[*]}{$.kind}-{@.metadata.name};{end}", "List-one;List-two;"),
        ("{range .items[*].metadata.name}<{@}>{end}", "<one><two>"),
        ("{.items[1].status}", '{"phase":"Succeeded","wave":10}'),
        ("{.nothing}", ""),
        ("plain", "plain"),
        ('{"a {brace}"}', "a {brace}"),
    ],
)
def test_a_template_is_filled(template, text):
    assert PathTemplate(template).filled(ROLLOUTS) == text


@pytest.mark.parametrize(
    "template",
    ["{.kind", "{range .items[*]}", "{end}", "{nope}", "{.a}" * 3000, "{range .a}" * 5 + "{end}" * 5],
)
def test_a_template_that_cannot_be_read_is_bad_input(template):
    with pytest.raises(BadInput):
        PathTemplate(template)
