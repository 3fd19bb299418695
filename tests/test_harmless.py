"""Text of others at the edge of each output."""

import re
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import harmless

ANY = st.text(st.characters(), max_size=60)
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@given(ANY)
def test_nothing_steers_a_terminal(text):
    for edge in (harmless.visible, harmless.printed, harmless.one_line):
        assert not STEERING.search(edge(text))
        edge(text).encode()


@given(ANY)
def test_one_line_is_one(text):
    assert len(harmless.one_line(text).splitlines()) <= 1
    assert len(harmless.markdown(text).splitlines()) <= 1


@given(ANY)
def test_what_goes_into_xml_can_be_read_back(text):
    assert ET.fromstring(f"<a>{escape(harmless.xml(text))}</a>") is not None


@pytest.mark.parametrize(
    "text",
    [
        "plain text",
        "dépôt – 東京 🎉",
        "a\n\tb",
        "shop/cart: spec.ingress[0].ports (all.yaml:3)",
        "10.0.0.0/8, fd00::/8",
    ],
)
def test_honest_text_stays_as_it_is(text):
    assert harmless.visible(text) == harmless.printed(text) == text


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("closes #12", "#12"),
        ("fixes GH-13", "GH-13"),
        ("see group/project!7", "!7"),
        ("thanks @ann and.@everyone", "@ann"),
        ("and.@everyone", "@everyone"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("[pay](javascript:x)", "](j"),
        ("[pay][1]", "][1"),
        ("[1]: https://evil.example.com", "[1]: "),
        ("![i](https://evil.example.com/x.png)", "](h"),
        ("https://evil.example.com", "https://"),
        ("www.evil.example.com", " www."),
        ("a | b", " | b"),
        ("`code`", " `c"),
        ("~~struck~~ **bold** $x$", " **b"),
        ("--> <!-- hidden -->", "<!--"),
    ],
)
def test_markdown_of_others_is_text(text, gone):
    made = f" {harmless.markdown(text)}"
    assert gone not in made or made[made.index(gone) - 1] == "\\"


@pytest.mark.parametrize("text", ["# heading", "- item", "1. item", "=====", "+ item", "12) item"])
def test_no_text_begins_a_block_of_its_own(text):
    made = harmless.markdown(text)
    assert made != text and made.replace("\\", "") == text


@pytest.mark.parametrize("text", ["a`b", "``", "`", "a```b``c", "plain", "a|b"])
def test_a_code_span_ends_where_it_should(text):
    made = harmless.code(text)
    ticks = re.match("`+", made).group()
    inner = made[len(ticks) : -len(ticks)]
    assert not re.search(f"(?<!`){ticks}(?!`)", inner)
    assert inner.strip().replace("\\|", "|") == text


def test_an_annotation_holds_its_message():
    message = harmless.annotation("x%0A\n::set-output name=a::b")
    made = f"::error file={harmless.annotation_property('a,b:c%.yaml')}::{message}"
    assert made == "::error file=a%2Cb%3Ac%25.yaml::x%250A%0A::set-output name=a::b"


@pytest.mark.parametrize(
    "line",
    [
        "::set-output name=a::b",
        "  ::stop-commands::x",
        "##[group]x",
        "##vso[task.setvariable]x",
        "a\n::ERROR::b",
    ],
)
def test_no_line_is_a_command_to_a_ci(line):
    made = harmless.printed(line)
    assert not re.search(r"^\s*::(?=[a-zA-Z])|##\[|##vso\[", made, re.MULTILINE)


def test_addresses_are_no_commands():
    assert harmless.printed("::1\n::/0\n::ffff:10.0.0.1") == "::1\n::/0\n::ffff:10.0.0.1"


def test_texts_of_a_status_are_cleaned_and_its_data_is_not():
    status = {
        "reason": "a\x1b[2Jb",
        "conditions": [{"message": "x\u202ey"}],
        "query": "up\u202e",
        "notes": ["n\x07"],
        "count": 3,
    }
    assert harmless.texts(status) == {
        "reason": "a\ufffd[2Jb",
        "conditions": [{"message": "x\ufffdy"}],
        "query": "up\u202e",
        "notes": ["n\ufffd"],
        "count": 3,
    }
