"""`serve` and `controller` turn flags, environment and file into one set of settings."""

import os
import sys
from types import SimpleNamespace

import pytest
import structlog

from orchestrator.adapters.kube import cluster
from orchestrator.cli import main
from orchestrator.cli.operate import service
from orchestrator.errors import BadInput


@pytest.fixture
def given(monkeypatch, capsys):
    """`given(*args)` runs a command line up to what it would serve: the settings, code, err."""
    for name in os.environ:
        if name.startswith("NETPOL_CANARY_"):
            monkeypatch.delenv(name)
    taken = []
    monkeypatch.setattr(service, "run", lambda settings: taken.append(settings) or 0)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["netpol-canary", *args])
        taken.clear()
        with pytest.raises(SystemExit) as end:
            main.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(settings=taken[0] if taken else None, code=end.value.code, out=out, err=err)

    return run


def test_the_controller_is_serve_without_webhooks_and_pages(given, monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_WEBHOOKS__ENABLED", "true")
    found = given("controller", "--poll", "60", "--listen", ":9", "-n", "ops", "--log", "json").settings
    assert (found.controller.enabled, found.webhooks.enabled, found.pages.enabled) == (True, False, False)
    assert (found.controller.poll_seconds, found.listen, found.namespace, found.log) == (
        60,
        ":9",
        "ops",
        "json",
    )


def test_each_part_of_serve_can_be_switched_off(given, monkeypatch, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("webhooks: {secret_ref: hooks}\npages: {enabled: false}\n")
    monkeypatch.setenv("NETPOL_CANARY_CONTROLLER__ENABLED", "false")
    found = given("serve", "--config", str(file), "--no-webhooks").settings
    assert (found.controller.enabled, found.webhooks.enabled, found.pages.enabled) == (False, False, False)
    assert given("controller", "--config", str(file)).settings.webhooks.secret_ref == "hooks"
    found = given("serve", "--config", str(file), "--controller", "--pages").settings
    assert (found.controller.enabled, found.webhooks.secret_ref, found.pages.enabled) == (True, "hooks", True)


def test_a_bad_value_is_one_line(given, monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_CONTROLLER__POLL_SECONDS", "soon")
    found = given("serve")
    assert found.code == 2 and len(found.err.splitlines()) == 1
    assert "NETPOL_CANARY_CONTROLLER__POLL_SECONDS: the setting controller.poll_seconds" in found.err
    assert given("serve", "--poll", "5").settings.controller.poll_seconds == 5


def test_the_settings_are_printed_and_described(given, monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_LISTEN", ":9")
    assert "listen: :9" in given("settings").out
    assert "| `listen` | `NETPOL_CANARY_LISTEN` |" in given("settings", "--docs").out


@pytest.fixture
def logs():
    """What is logged goes to where the test looks, and later tests log as before."""
    yield
    structlog.reset_defaults()


def test_variables_that_set_nothing_are_one_warning(given, monkeypatch, capsys, logs):
    settings = given("serve", "--log", "json").settings
    monkeypatch.undo()
    monkeypatch.setenv("NETPOL_CANARY_POLL", "5")
    monkeypatch.setenv("NETPOL_CANARY_PORT_80_TCP", "tcp://10.0.0.1:80")

    def connect(*args):
        raise BadInput("no cluster")

    monkeypatch.setattr(cluster, "connect", connect)
    with pytest.raises(BadInput):
        service.run(settings)
    warned = [line for line in capsys.readouterr().err.splitlines() if "NETPOL_CANARY_" in line]
    assert len(warned) == 1 and "NETPOL_CANARY_POLL" in warned[0] and "TCP" not in warned[0]
