"""Messages through apprise: bounded in time, to people alone, without the address in what is said."""

import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict

import pytest
from apprise import NotificationManager

from orchestrator.adapters.notify import messengers as adapter
from orchestrator.adapters.notify.apprise_child import LOCAL, is_local
from orchestrator.adapters.notify.messengers import Messengers
from orchestrator.errors import BadInput, DeliveryError
from orchestrator.ports import Message
from orchestrator.rollout.resources import model as m

MESSAGE = Message("uid/7", "netpol-canary: shop: rolled back", "probes fail", "critical")
CHAT = m.Notification(name="chat", secret_ref="chat")


def messenger(*urls, seconds=20.0):
    return Messengers(lambda name, where: {"url": "\n".join(urls).encode()}, seconds).get(CHAT)


def test_a_web_hook_gets_the_text_and_an_id_to_know_it_by(httpserver):
    httpserver.expect_request("/hook/s3cr3tpath").respond_with_data("")
    messenger(f"json://{httpserver.host}:{httpserver.port}/hook/s3cr3tpath", "").send(MESSAGE)
    ((request, _),) = httpserver.log
    assert request.headers["X-Netpol-Canary-Id"] == "uid/7"
    assert (request.json["title"], request.json["message"]) == (MESSAGE.title, MESSAGE.body)
    assert request.json["type"] == "failure"


def test_one_that_took_it_is_not_given_it_again_for_another_that_did_not(httpserver):
    base = f"json://{httpserver.host}:{httpserver.port}"
    httpserver.expect_request("/good").respond_with_data("")
    httpserver.expect_request("/s3cr3tbad").respond_with_data("no", 503)
    both = messenger(f"{base}/good", f"{base}/s3cr3tbad")
    for _ in range(2):
        with pytest.raises(DeliveryError, match="chat: address 2: ") as error:
            both.send(MESSAGE)
        assert "s3cr3t" not in str(error.value)
    assert [r.path for r, _ in httpserver.log] == ["/good", "/s3cr3tbad", "/s3cr3tbad"]


def test_addresses_of_this_machine_are_refused():
    with pytest.raises(DeliveryError) as error:
        messenger("syslog://", "dbus://", "file:///tmp/x", "SYSLOG://", "nonsense").send(MESSAGE)
    text = str(error.value)
    assert text.count("speaks to this machine") == 4 and "address 5: it is no address" in text


def test_every_plugin_that_needs_no_address_counts_as_one_of_this_machine():
    known = NotificationManager()
    found = {scheme for scheme in known.schemas() if is_local(known[scheme])}
    assert {"dbus", "macosx", "syslog", "windows", "gnome"} <= found <= LOCAL


def test_a_server_that_never_answers_costs_what_it_may():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"json://127.0.0.1:{server.getsockname()[1]}/?rto=600&cto=600"
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="no answer within 1 s"):
            messenger(url, seconds=1.0).send(MESSAGE)
        assert time.monotonic() - began < 300  # the address itself asks for 600


def test_a_sender_whose_parent_is_gone_ends_by_itself():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"json://127.0.0.1:{server.getsockname()[1]}/?rto=600&cto=600"
        text = {**asdict(MESSAGE), "urls": [[0, url]], "seconds": 0}
        command = [sys.executable, "-m", "orchestrator.adapters.notify.apprise_child"]
        done = subprocess.run(command, input=json.dumps(text), text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGALRM


def test_without_apprise_one_line_says_what_to_install(monkeypatch):
    one = messenger("json://127.0.0.1")
    monkeypatch.setattr(one.messengers, "run", lambda given: {"sent": [], "problems": ["missing"]})
    with pytest.raises(BadInput, match=r"apprise is not installed; pip install 'netpol-canary\[notif"):
        one.send(MESSAGE)


def test_a_sender_that_dies_is_a_failure_to_send(monkeypatch):
    monkeypatch.setattr(adapter.sys, "executable", "/bin/false")
    with pytest.raises(DeliveryError, match="stopped with code 1"):
        messenger("json://127.0.0.1").send(MESSAGE)


@pytest.mark.parametrize(("urls", "said"), [([], "holds no address"), (["json://x"] * 9, "more than 8")])
def test_a_secret_holds_some_addresses(urls, said):
    with pytest.raises(BadInput, match=said):
        messenger(*urls)
