"""YAML is read as Kubernetes reads it, and what would grow without bound is refused before it does."""

import json
import re
import tracemalloc
from contextlib import suppress

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.errors import BadInput
from orchestrator.policy.files import yaml_text
from orchestrator.policy.files.yaml_text import documents


def read(text):
    (found,) = documents(text.encode() if isinstance(text, str) else text, "f.yaml")
    return found.value


def refused(text):
    with pytest.raises(BadInput) as caught:
        list(documents(text.encode() if isinstance(text, str) else text, "f.yaml"))
    assert str(caught.value).startswith("f.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("'5'", "5"),
        ("! 5", "5"),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("!!float 5", 5),
        ("!!map {a: 1}", {"a": 1}),
        ("-3", -3),
        ("+3", 3),
        ("0x1F", 31),
        ("0b11", 3),
        ("010", 8),
        ("0o10", 8),
        ("1_000", 1000),
        ("08", 8),
        ("1.5", 1.5),
        ("1e3", 1000),
        (".5", 0.5),
        ("5.0", 5),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("=", "="),
        ("y", "y"),
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("", None),
        ("[~]", [None]),
        ("1.2.3", "1.2.3"),
        ("10.9.8.0/24", "10.9.8.0/24"),
        ("'<<'", "<<"),
        ("{'<<': {a: 1}}", {"<<": {"a": 1}}),
        ("{1: a, true: b, 1.5: c}", {"1": "a", "true": "b", "1.5": "c"}),
        ('"\\u00fc"', "ü"),
    ],
)
def test_values_are_those_of_kubernetes(text, value):
    found = read(f"v: {text}")["v"]
    assert found == value and type(found) is type(value)


def test_anchors_are_written_out_and_shared_by_nobody():
    text = "a: &x {list: [&y 1, *y]}\nb: *x\nc: {<<: *x, more: 2}\nd: {<<: [{k: 1}, {k: 2, l: 3}], l: 4}\n"
    found = read(text)
    assert found == {
        "a": {"list": [1, 1]},
        "b": {"list": [1, 1]},
        "c": {"list": [1, 1], "more": 2},
        "d": {"k": 1, "l": 4},
    }
    found["b"]["list"].append(3)
    assert found["a"]["list"] == found["c"]["list"] == [1, 1]


def test_an_anchor_may_be_named_anew_and_belongs_to_its_document():
    assert read("[&a 1, *a, &a 2, *a]") == [1, 1, 2, 2]
    assert "not known here" in refused("a: &x 1\n---\nb: *x\n")


@pytest.mark.parametrize("value", ["*a", "[*a]", "{b: *a}", "{<<: *a}"])
def test_an_anchor_that_holds_itself_is_refused(value):
    assert "f.yaml:2: " in refused(f"x: 1\ny: &a [1, {value}]\n")


def laughs(levels, inner="[1,1,1,1,1,1,1,1,1,1]", join="[{}]", alias="*a{}"):
    lines = [f"a0: &a0 {inner}"]
    for n in range(1, levels):
        lines.append(f"a{n}: &a{n} " + join.format(",".join([alias.format(n - 1)] * 10)))
    return "\n".join(lines)


@pytest.mark.parametrize(
    "bomb",
    [
        laughs(9),
        laughs(9, "{a: 1}", "{{<<: [{}]}}"),
        laughs(9, "{a: 1}", "[{}]", "{{<<: *a{}}}"),
        "a: &a " + "x" * 1000 + "\nb: [" + ",".join(["*a"] * 120_000) + "]",
        "a: &a " + "x" * 100_000 + "\nb: [" + ",".join(["*a"] * 1_000) + "]",
        "[" * 200_000,
        "{a: " * 5_000,
        "- " * 5_000 + "a",
        "? " * 5_000 + "a",
        "[" + "1," * 300_000 + "]",
        "---\n" * 6_000,
        "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40,
    ],
    ids=[
        "lists",
        "merges",
        "merges in lists",
        "one text",
        "one large text",
        "deep",
        "deep maps",
        "deep blocks",
        "deep keys",
        "many",
        "documents",
        "deep by an anchor",
    ],
)
def test_bombs_are_refused_before_they_grow(bomb):
    tracemalloc.start()
    try:
        said = refused(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert any(word in said for word in ("more than", "deeper than", "nesting depth")), said
    assert peak < 64 << 20


def test_what_stays_within_the_bounds_is_read():
    deep = "[" * yaml_text.MOST_DEPTH + "]" * yaml_text.MOST_DEPTH
    assert read(deep)
    assert len(read("[" + "1," * 90_000 + "]")) == 90_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: !!omap [x: 1]", "f.yaml:2: the YAML tag tag:yaml.org,2002:omap is not taken"),
        ("a: !!timestamp x", "timestamp is not taken"),
        ("a: !!set {x}", "set is not taken"),
        ("a: !!binary aGk=", "binary is not taken"),
        ("a: !!python/object/apply:os.system [id]", "is not taken"),
        ("a: !mine 1", "the YAML tag !mine is not taken"),
        ("a: !!int x", "'x' is no int"),
        ("a: !!seq {}", "is not taken"),
        ("a: !!map 1", "'1' is no map"),
        ("a: .nan", "no number that Kubernetes takes"),
        ("a: -.inf", "no number that Kubernetes takes"),
        ("a: 1e999", "too large"),
        ("a: 0x" + "f" * 100_000, "too large"),
        ("a: " + "9" * 5_000, "too large"),
        ("a: 99999999999999999999", "too large"),
        ("a: 1\na: 2", "f.yaml:2: the key a stands twice"),
        ("1: a\n'1': b", "the key 1 stands twice"),
        ("{[a]: b}", "a key is a text"),
        ("{~: b}", "a key is a text"),
        ("{{a: 1}: b}", "a key is a text"),
        ("a: {<<: 1}", "<< takes a mapping"),
        ("a: {<<: [1]}", "<< takes a mapping"),
        ("a: [1", "not YAML"),
        ("\ta: 1", "not YAML"),
        ("a: *no", "f.yaml:1: the anchor 'no' is not known here"),
        (b"a: \xff", "not YAML"),
        (b"a: \x00", "not YAML"),
        ('a: "\\ud800"', "not YAML"),
        ("%YAML 3.0\n---\na: 1", "not YAML"),
    ],
)
def test_what_is_not_taken_is_said_with_its_line(text, said):
    assert said in refused(text)


def test_lines_are_those_of_the_documents():
    text = "# first\na: 1\n---\n\n# more\nb: 2\n---\n---\n[1]\n"
    assert [d.line for d in documents(text.encode(), "f")] == [2, 6, 8, 9]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def texts(value):
    """Every string in it, keys included."""
    if isinstance(value, str):
        return [value]
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in inner for text in texts(item)]


@given(json_values)
@example(["0E0"])
def test_json_and_what_yaml_writes_come_back_as_they_were(value):
    """PyYAML leaves quotes off what is a number to Kubernetes and none to it (0E0, 0o7): such are held in JSON alone."""
    written = [json.dumps(value, ensure_ascii=False)]
    if not any(re.match(r"[-+.]?[0-9]", text) for text in texts(value)):
        written.append(yaml.safe_dump(value, allow_unicode=True))
    for text in written:
        try:
            (wanted,) = yaml.safe_load_all(text)
        except yaml.YAMLError:
            continue  # characters that YAML does not hold
        if wanted == value:
            assert read(text) == value


@given(st.binary(max_size=200) | st.text(alphabet="[]{}:,-?&*!|>'\"%@` \nab<1.~#", max_size=60))
def test_whatever_comes_is_read_or_refused(text):
    with suppress(BadInput):
        list(documents(text.encode() if isinstance(text, str) else text, "f"))
