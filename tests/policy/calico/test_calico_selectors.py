"""Calico's selector language: what it says of labels, what it refuses and where, and that no text of it takes long."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.policy.objects.calico_selectors import (
    ALL,
    GLOBAL,
    MOST_DEPTH,
    MOST_LENGTH,
    SelectorError,
    parsed,
)


@pytest.mark.parametrize(
    ("text", "labels", "said"),
    [
        ("", {}, True),
        ("  ", {}, True),
        ("all()", {}, True),
        ("app == 'web'", {"app": "web"}, True),
        ("app == 'web'", {}, False),
        ("app != 'web'", {}, True),
        ("app == ''", {}, False),
        ("app == ''", {"app": ""}, True),
        ("has(app)", {"app": ""}, True),
        ("!has(app)", {}, True),
        ("!!has(app)", {}, False),
        ("! has( app )", {}, True),
        ("app in {'a', \"b\"}", {"app": "b"}, True),
        ("app in{'a'}", {"app": "b"}, False),
        ("app in {}", {"app": ""}, False),
        ("app not in {'a',}", {}, True),
        ("app not\tin {'a'}", {"app": "a"}, False),
        ("app notin {'a'}", {"app": "a"}, False),
        ("app contains 'e'", {"app": "web"}, True),
        ("app contains ''", {}, False),
        ("app starts with 'we'", {"app": "web"}, True),
        ("app startswith 'eb'", {"app": "web"}, False),
        ("app ends with 'eb'", {"app": "web"}, True),
        ("a == '1' || b == '1' && c == '1'", {"a": "1"}, True),
        ("(a == '1' || b == '1') && c == '1'", {"a": "1"}, False),
        ("!(a == '1') && !(b == '1')", {"b": "2"}, True),
        ("x/y.z-1_ == 'it\\'", {"x/y.z-1_": "it\\"}, True),
        ("""a == "it's" """, {"a": "it's"}, True),
        ("in in {'in'} && has == 'has' && not not in {'x'}", {"in": "in", "has": "has"}, True),
        ("all == 'a' && global == 'b'", {"all": "a", "global": "b"}, True),
    ],
)
def test_what_a_selector_says_of_labels(text, labels, said):
    assert parsed(text).matches(labels) is said


def test_all_holds_of_what_is_in_a_namespace_and_global_of_the_rest():
    assert parsed("all()") == ALL and parsed("global( )") == GLOBAL
    assert [word.matches({}, placed) for word in (ALL, GLOBAL) for placed in (True, False)] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app == web", "a value in quotes should stand at character 8"),
        ("has(a) and has(b)", "&&, || or the end should stand at character 8"),
        ("app in 'a'", "a { with values should stand at character 8"),
        ("app in {'a' 'b'}", "a , or a } should stand at character 13"),
        ("(app == 'x'", "a ) for the ( of character 1 should stand at character 12"),
        ("app == 'x'\n", "'\\n' means nothing at character 11"),
        ("app == 'x", "a value lacks its closing quote at character 8"),
        ("app = 'x'", "'=' means nothing at character 5"),
        ("app", "==, !=, in, not in, contains, starts with or ends with should stand at character 4"),
        ("has (app)", "==, !=, in, not in, contains, starts with or ends with should stand at character 5"),
        ("app starts 'x'", '"with" after "starts" should stand at character 12'),
        ("&& has(a)", "a label should stand at character 1"),
        ("has()", "a label should stand at character 5"),
        ("all(x)", "a ) should stand at character 5"),
        ("a == 'x' b", "&&, || or the end should stand at character 10"),
        ("äpp == 'x'", "'ä' means nothing at character 1"),
        ("a" * 513 + " == 'x'", "a label of more than 512 characters at character 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(SelectorError) as raised:
        parsed(text)
    assert str(raised.value) == said


def test_parentheses_are_bounded_and_what_is_bounded_can_be_asked():
    deepest = "!(" * MOST_DEPTH + "has(a)" + ")" * MOST_DEPTH
    assert parsed(deepest).matches({"a": ""})
    with pytest.raises(SelectorError, match="more than 64 parentheses within one another at character"):
        parsed("(" * (MOST_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [
        *(sign * MOST_LENGTH for sign in ("(", "!", "'", '"', " ", "a", "{", "\t", "&&"[:1])),
        "a == 'x' && " * 5000 + "has(a)",
        "a in {" + "'x'," * 16_000 + "}",
        "(" * 1_000_000,
        "'" + "x" * 1_000_000,
    ],
    ids=lambda text: f"{len(text)} of {text[:6]!r}",
)
def test_no_text_takes_long(text):
    begun = time.process_time()
    with contextlib.suppress(SelectorError):
        parsed(text).matches({"a": "x"})
    assert time.process_time() - begun < 2


@given(st.text(alphabet="ab'\"(){},!=&| \thasinotlg", max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(SelectorError):
        parsed(text).matches({"a": "b"})
