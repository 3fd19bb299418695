"""Settings come from flags, the environment and a file, in this order; what is wrong is named."""

from pathlib import Path

import pytest
import yaml

from orchestrator.errors import BadInput
from orchestrator.server import settings_reference
from orchestrator.server.settings import PREFIX, leaves, load, unknown


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    import os

    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        return path

    return write


def test_a_flag_wins_over_the_environment_and_that_over_the_file(file, monkeypatch):
    given = file("controller: {poll_seconds: 10, most_poll_seconds: 20}\nlisten: ':1'\nlog: json\n")
    monkeypatch.setenv("NETPOL_CANARY_CONTROLLER__POLL_SECONDS", "11")
    monkeypatch.setenv("NETPOL_CANARY_LISTEN", ":2")
    found = load(given, {"listen": ":3", "webhooks": {"enabled": False}})
    assert (found.listen, found.log, found.controller.poll_seconds) == (":3", "json", 11)
    assert found.controller.most_poll_seconds == 20 and not found.webhooks.enabled and found.pages.enabled


def test_without_anything_everything_runs(file):
    found = load(file(""))
    assert found.controller.enabled and found.webhooks.enabled and found.pages.enabled
    assert found.namespace == "netpol-canary" and found.probe_image == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("controller: {poll_seconds: 0}", "settings.yaml:1: the setting controller.poll_seconds: .*1, not 0"),
        ("controller: {poll: 3}", "settings.yaml:1: the setting controller.poll: unknown field"),
        ("# ours\n\ncontroler: {}", "settings.yaml:3: the setting controler: unknown field; did you mean"),
        ("log: xml", 'settings.yaml:1: the setting log: "xml" is not one of json, console'),
        ("[a]", "settings.yaml:1: a mapping of settings is wanted"),
        ("a: [", "settings.yaml:2: not YAML: .*; close the bracket"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(file, text, said):
    with pytest.raises(BadInput, match=said):
        load(file(text))


def test_what_is_wrong_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_WEBHOOKS__MAX_BYTES", "many")
    with pytest.raises(BadInput, match=r"NETPOL_CANARY_WEBHOOKS__MAX_BYTES: the setting webhooks.max_bytes"):
        load()


def test_a_variable_that_is_no_list_is_named(monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_LISTEN", ":1")
    monkeypatch.setenv("NETPOL_CANARY_SIGNIN__TRUSTED_PROXIES", "10.0.0.0/8")
    with pytest.raises(BadInput, match=r"^NETPOL_CANARY_SIGNIN__TRUSTED_PROXIES: this is no list; .*JSON"):
        load()


@pytest.mark.parametrize(
    "text",
    ["{keys: hunter2}", "{keys: [hunter2]}", "{keys: {a: hunter2}}", "{oidc: {client_secret: [hunter2]}}"],
)
def test_what_was_given_as_a_secret_is_told_to_nobody(file, text):
    with pytest.raises(BadInput, match=r"settings.yaml:1: the setting signin\.") as error:
        load(file(f"signin: {text}"))
    assert "hunter2" not in str(error.value)


def test_a_missing_or_huge_file_is_said(file, tmp_path):
    with pytest.raises(BadInput, match=r"no\.yaml: cannot be read"):
        load(tmp_path / "no.yaml")
    with pytest.raises(BadInput, match="larger than 256 KiB"):
        load(file("#" * 300_000))


def test_unknown_variables_are_found_and_those_of_the_kubelet_are_not():
    known = {leaf.variable: "x" for leaf in leaves()}
    foreign = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR"]
    strange = ["POLL", "CONTROLLER__POL_SECONDS", "WEBHOOKS_ENABLED"]
    given = {**known, **{PREFIX + name: "x" for name in (*foreign, *strange)}, "PATH": "x"}
    assert unknown(given) == sorted(PREFIX + name for name in strange)
    assert "NETPOL_CANARY_PROBE_IMAGE" in known and "NETPOL_CANARY_NAMESPACE" in known


def test_an_unknown_variable_stops_nothing(monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_CONTROLLER__POL_SECONDS", "3")
    monkeypatch.setenv("NETPOL_CANARY_PORT", "tcp://10.0.0.1:80")
    assert load().controller.poll_seconds == 30


def test_every_setting_is_described_and_the_page_is_current():
    for leaf in leaves():
        assert (leaf.field.description or "").endswith("."), leaf.name
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text() == settings_reference.page() + "\n", (
        "run `netpol-canary settings --docs > docs/settings.md`"
    )


def test_the_settings_that_hold_are_printed_as_a_file_that_gives_the_same(file, cli_settings):
    text = cli_settings(file("controller: {poll_seconds: 12}"))
    again, first = load(file(text)), load(file("controller: {poll_seconds: 12}"))
    assert again.model_dump() == first.model_dump()
    assert yaml.safe_load(text)["controller"]["poll_seconds"] == 12


@pytest.fixture
def cli_settings(capsys):
    from orchestrator.cli.commands.serve import settings

    def run(path):
        settings(config=path)
        return capsys.readouterr().out

    return run
