"""The application answers for the process, whichever parts of it are switched on."""

from fastapi.testclient import TestClient
from stage import Stage

from orchestrator.engine.instruments import Instruments
from orchestrator.server.http_app import create
from orchestrator.server.parts import Parts
from orchestrator.server.settings import Settings


def client(ready=lambda: True, **settings):
    parts = Parts(Stage().context(), ready, registry=Instruments().registry)
    return TestClient(create(parts, Settings(**settings)), raise_server_exceptions=False)


def test_it_is_alive_while_it_answers_and_ready_once_it_works():
    known = []
    found = client(ready=lambda: bool(known))
    assert (found.get("/healthz").status_code, found.get("/readyz").status_code) == (200, 503)
    known.append(1)
    assert found.get("/readyz").text == "ok\n"


def test_its_metrics_can_be_scraped():
    text = client().get("/metrics").text
    assert "netpol_canary_rollouts" in text and "netpol_canary_webhooks" in text


def test_webhooks_can_be_switched_off():
    assert client(webhooks={"enabled": False}).post("/webhooks/github").status_code == 404
    assert client().post("/webhooks/github").status_code == 400


def test_without_pages_nothing_else_is_served_and_with_them_nobody_sees_it():
    other = ("/docs", "/openapi.json", "/signin", "/other")
    found = client(pages={"enabled": False})
    assert [found.get(path).status_code for path in other] == [404] * 4
    found = client()
    assert [found.get(path).status_code for path in other] == [401, 401, 200, 401]


def test_what_goes_wrong_inside_is_said_and_keeps_its_secrets(capsys):
    def ready():
        secret = "hidden"
        raise ValueError("broken" + secret[:0])

    answer = client(ready=ready).get("/readyz")
    assert answer.status_code == 500 and "the log says how" in answer.text
    said = capsys.readouterr()
    assert "broken" in said.out + said.err and "'hidden'" not in said.out + said.err


def test_what_runs_beside_it_begins_and_ends_with_it():
    found = client()
    (wakes,) = found.app.state.background
    with found:
        assert wakes._thread.is_alive()
    assert not wakes._thread.is_alive()
