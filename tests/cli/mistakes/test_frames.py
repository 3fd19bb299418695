"""Below an error stands the line of the file with a caret under the mistake, in at most five lines that harm no terminal."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cli.mistakes.frames import FRAMES, LEAST_WIDE, frame, show
from orchestrator.errors import BadInput, Cited
from orchestrator.harmless import visible
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.files.yaml_text import documents

POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: allow\nspec:\n"


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    """A terminal of a known width."""
    monkeypatch.setenv("COLUMNS", "80")
    return lambda number: monkeypatch.setenv("COLUMNS", str(number))


def cited(text, line=1, column=1, hint="", field=""):
    raw = text if isinstance(text, bytes) else text.encode()
    return BadInput("wrong", "a.yaml:1", hint, Cited(raw, "a.yaml", line, column, field))


def of_field(text, message, hint=""):
    document = parse(text.encode(), "a.yaml")[0]
    return frame(BadInput(message, document.where, hint, document.cited(message)))


def test_the_line_stands_with_its_number_and_a_caret_below_the_key():
    assert of_field(f"{POLICY}  ingres: []\n", "spec.ingres: unknown field", "did you mean it?") == [
        " --> a.yaml:6:3",
        "  |",
        "6 |   ingres: []",
        "  |   ^^^^^^",
        "  = help: did you mean it?",
    ]


@pytest.mark.parametrize(
    ("line", "message", "marked"),
    [
        ("policyTypes: Ingress  # alone", "spec.policyTypes: must be a list", "Ingress"),
        ("ingress: [{ports: [{port: 70000}]}]", "spec.ingress[0].ports[0].port: too large", "70000"),
        ('schedule: "0 9 * * 8" # odd', "spec.schedule: no schedule", '"0 9 * * 8"'),
        ("schedule: 0 9 * * 8", "spec.schedule: no schedule", "0 9 * * 8"),
        ("egress: [{to: [{}]}]", "spec.egress[0].to[0]: must hold a podSelector", "{"),
    ],
)
def test_the_caret_is_below_the_value_where_that_is_wrong(line, message, marked):
    text, carets = of_field(f"{POLICY}  {line}\n", message)[2:4]
    begin = carets.index("^")
    assert text[begin : carets.rindex("^") + 1] == marked


def test_a_mistake_at_the_end_of_a_file_is_shown_where_it_begins():
    with pytest.raises(BadInput) as error:
        list(documents(b"a: 1\nkind: [\n", "a.yaml"))
    assert str(error.value).startswith("a.yaml:3: not YAML")
    assert frame(error.value)[:4] == [" --> a.yaml:2:7", "  |", "2 | kind: [", "  |       ^"]


@pytest.mark.parametrize(
    ("line", "column", "text", "caret"),
    [
        ("\tkey: 1", 2, "    key: 1", "    ^^^"),
        ("数据: x", 5, "数据: x", "      ^"),
        ("e\u0301: x", 5, "e\u0301: x", "   ^"),
        ("\x1b[31mred: x", 11, "\ufffd[31mred: x", "          ^"),
        ("a\u202eb: x", 6, "a\ufffdb: x", "     ^"),
        ("::error::x y", 12, "::error::x y", "           ^"),
    ],
)
def test_characters_that_are_wide_or_do_harm_do_not_move_the_caret(line, column, text, caret):
    assert frame(cited(line, column=column))[2:] == [f"1 | {text}", f"  | {caret}"]


@pytest.mark.parametrize("at", [0, 5_000, 9_995])
def test_a_long_line_is_cut_around_the_caret(columns, at):
    columns(60)
    line = f"{'a ' * (at // 2)}{'x' * 4}{' b' * 5_000}"[:10_000]
    text, carets = frame(cited(line, column=at // 2 * 2 + 1))[2:]
    assert len(text) <= 60 and len(carets) <= 60
    assert text[carets.index("^") :].startswith("xxxx")
    assert text.endswith("…") == (at < 9_000) and ("… | " in text or "| …" in text) == (at > 0)


@pytest.mark.parametrize(
    "text",
    [
        "kind: Secret\nstringData: {a: hunter2}\nb: [hunter2",
        '{"kind": "Secret", "data": {"a": hunter2}}',
        "kind: !!str Secret\na: hunter2",
        "a: hunter2\n---\nkind: List\nitems:\n- kind:\n    Secret",
        "stringData:\n  a: hunter2",
    ],
)
def test_no_line_of_a_file_with_a_secret_is_shown(text):
    for number in range(1, 5):
        lines = frame(cited(text, number, 1, "what helps"))
        assert lines[0] == f" --> a.yaml:{number}:1" and lines[-1] == "  = help: what helps"
        assert "since a Secret stands in the file" in lines[1] and "hunter2" not in "".join(lines)


@pytest.mark.parametrize(
    "line",
    [
        "url: https://ann:hunter2@example.com/x",
        "password: hunter2 hunter2",
        '{"apiToken": "hunter2"}',
        "pasword: hunter2",
        "prometheus: {url: http://p, bearer: hunter2}",
        "headers: [{Authorization: Bearer hunter2}]",
        "private-key: hunter2",
        "keys: [hunter2]",
        "signin: {key: [hunter2], tken: true}",
    ],
)
def test_what_looks_like_a_credential_is_stars(line):
    assert "hunter2" not in "".join(frame(cited(line))) and "***" in "".join(frame(cited(line)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("git:\n  token: |\n\thunter2\n", 3),  # of a tab, which breaks the block
        ("git:\n  token:\n    - hunter2: : x\n", 3),
        ("git:\n  pasword: >\n    more\n\thunter2\n", 4),
        ("password: # as it is\nhunter2\n", 2),
    ],
)
def test_a_line_that_may_belong_to_a_credential_above_is_not_shown(text, line):
    lines = frame(cited(text, line=line, hint="what helps"))
    assert "hunter2" not in "".join(lines) and "a credential may stand there" in lines[1]
    assert lines[-1] == "  = help: what helps"


@pytest.mark.parametrize(
    "text", ["secretRef: {name: shop}\nspecs: 1\n", "secretRef:\n  nme: shop\n", "token: x\nspecs: 1\n"]
)
def test_what_only_names_a_secret_or_stands_beside_a_credential_is_shown(text):
    assert "^" in frame(cited(text, line=2, column=3))[-1]


@pytest.mark.parametrize(
    ("said", "terminal", "drawn"),
    [("", True, True), ("", False, False), ("1", False, True), ("0", True, False)],
)
def test_it_is_drawn_on_a_terminal_and_where_somebody_asks_for_it(monkeypatch, capsys, said, terminal, drawn):
    monkeypatch.setenv(FRAMES, said)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    show(cited("a: 1"))
    assert bool(capsys.readouterr().err) == drawn


@settings(max_examples=200)
@given(st.text(max_size=300), st.integers(1, 5), st.integers(0, 400), st.text(max_size=40))
def test_whatever_stands_in_a_file_is_drawn_within_the_terminal_and_does_no_harm(text, line, column, field):
    error = cited(text.encode("utf-8", "surrogatepass"), line, column, "help\nand more", field)
    lines = frame(error)
    assert len(lines) <= 5
    for drawn in lines:
        assert "\n" not in drawn and visible(drawn) == drawn
    assert all(len(drawn) <= 80 + LEAST_WIDE for drawn in lines)


def test_a_file_in_another_encoding_is_drawn_all_the_same():
    assert frame(cited("a: é".encode("utf-16")))[2] == "1 | a: é"
    assert frame(cited(b"a: \xff\xff"))[2] == "1 | a: \ufffd\ufffd"
