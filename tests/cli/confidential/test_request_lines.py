"""`-v` as kubectl has it: from 6 on each request, from 7 on headers, from 8 on bodies; what is secret is never shown."""

import json

import pytest

from orchestrator.adapters import request_log
from orchestrator.adapters.request_log import Exchange
from orchestrator.cli.confidential import request_lines
from orchestrator.errors import BadInput

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln"
HEADERS = {"Authorization": f"Bearer {JWT}", "PRIVATE-TOKEN": "swordfish", "Accept": "application/json"}
BODIES = [
    {"kind": "Secret", "metadata": {"name": "git"}, "data": {"anything": "swordfish"}},
    {
        "kind": "SecretList",
        "items": [{"metadata": {"annotations": {"last": "swordfish"}}, "data": {"a": "swordfish"}}],
    },
    {"status": {"token": "swordfish"}, "access_token": "swordfish", "client_secret": "swordfish"},
    {"env": [{"name": "DB_PASSWORD", "value": "swordfish"}]},
    {"data": {"app.ini": "user = a\npassword = swordfish\n"}, "url": "https://ann:swordfish@host/x"},
    {"message": f"of {JWT}", "note": "ghp_swordfishswordfish"},
    {"token": {"nested": "swordfish"}, "password": 7, "list": [{"apiKey": "swordfish"}]},
]


@pytest.fixture
def said(capsys):
    """What is said of an exchange and its answer at a level."""

    def lines(level, exchange, body=b""):
        request_lines.begin(level)
        with request_log.told(exchange):
            exchange.outcome = "200"
        request_log.answered(f"{exchange.method} {exchange.url}", lambda: body)
        return capsys.readouterr().err.splitlines()

    yield lines
    request_lines.begin(0)


def test_the_levels_are_kubectls(said):
    def exchange():
        return Exchange("GET", "https://10.0.0.1/api?limit=5", HEADERS, {"a": 1})

    assert said(5, exchange()) == [] == said(0, exchange())
    (line,) = said(6, exchange(), b'{"b": 2}')
    assert line.startswith("netpol-canary: GET https://10.0.0.1/api?limit=5: 200 in ")
    assert said(7, exchange())[1:] == [
        "netpol-canary: > Authorization: <masked>",
        "netpol-canary: > PRIVATE-TOKEN: <masked>",
        "netpol-canary: > Accept: application/json",
    ]
    assert said(8, exchange(), b'{"b": 2}')[4:] == [
        'netpol-canary: > {"a": 1}',
        'netpol-canary: < GET https://10.0.0.1/api?limit=5: {"b": 2}',
    ]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: next(iter(body)))
def test_no_body_shows_a_credential(said, body):
    for sent, answer in ((body, b"{}"), (None, json.dumps(body).encode())):
        text = "\n".join(said(10, Exchange("POST", "https://host/x", HEADERS, sent), answer))
        assert ("swordfish" not in text and "eyJ" not in text and "masked" in text) or "***" in text, text


def test_no_address_shows_one(said):
    url = f"https://ann:swordfish@host:6443/x?continue=swordfish&access_token=swordfish&q={JWT}&watch=true"
    (line,) = said(6, Exchange("GET", url))
    assert "GET https://host:6443/x?continue=…&access_token=<masked>&q=<masked>&watch=true: 200" in line


def test_a_body_is_cut_as_kubectl_cuts_it_and_one_that_is_no_json_is_measured(said):
    long = json.dumps({"a": "b" * 20_000}).encode()
    assert [len(said(level, Exchange("GET", "https://h/x"), long)[1]) // 1000 for level in (8, 9, 10)] == [
        1,
        10,
        20,
    ]
    assert said(8, Exchange("GET", "https://h/x"), b"log line\n")[1].endswith(": 9 bytes that are no JSON")
    assert said(8, Exchange("GET", "https://h/x"))[1].endswith(": nothing")
    assert said(8, Exchange("GET", "https://h/x"), b"[" * 100_000)[1].endswith(
        ": 100000 bytes that are no JSON"
    )


@pytest.mark.parametrize(
    "text", ["b" * 2_000_000, "eyJaaaaaaaa-" * 200_000, "a:" * 100_000], ids=["word", "tokens", "keys"]
)
def test_a_hostile_text_takes_no_time_without_end(text):
    assert len(request_lines.content({"a": text})) > 10


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ([], []),
        (["-v"], ["--verbose=6"]),
        (["get", "-v"], ["get", "--verbose=6"]),
        (["get", "-v", "rollouts"], ["get", "--verbose=6", "rollouts"]),
        (["get", "--verbose", "-n", "x"], ["get", "--verbose=6", "-n", "x"]),
        (["get", "-v", "8"], ["get", "-v", "8"]),
        (["get", "-v=7"], ["get", "-v=7"]),
        (["x", "--", "-v"], ["x", "--", "-v"]),
    ],
)
def test_a_level_may_be_left_out(given, becomes):
    assert request_lines.leveled(given) == becomes


@pytest.mark.parametrize(("text", "level"), [("=8", 8), ("6", 6), ("10", 10), (0, 0)])
def test_a_level_is_a_number(text, level):
    assert request_lines.level(text) == level


@pytest.mark.parametrize("text", ["", "x", "-1", "1000", "٣"])
def test_what_is_no_level_is_refused(text):
    with pytest.raises(BadInput, match="is no level"):
        request_lines.level(text)


@pytest.mark.parametrize(
    "given", [["-v"], ["-v=6"], ["-v6"], ["-v", "6"], ["--verbose=6"], ["--verbose", "7"]]
)
def test_the_command_line_takes_it_in_every_way(netpol, given):
    assert netpol("get", *given, "rollouts").code == 0
    wrong = netpol("get", "-v=loud")
    assert wrong.code == 2 and "-v: loud is no level" in wrong.err.replace("=loud", "loud")
