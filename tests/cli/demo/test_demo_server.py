"""The served demo: a sandbox with a past, people to be, and a controller that works what is merged."""

import socket

import pytest
from starlette.testclient import TestClient

from orchestrator.cli.demo import demo_server
from orchestrator.errors import BadInput


def test_the_past_is_there_and_a_change_waits_for_a_second_person(tmp_path):
    with demo_server.standing(tmp_path / "shop", 10.0) as stand, TestClient(stand.app) as http:
        closed = http.get("/", headers={"Accept": "text/html"}, follow_redirects=False)
        assert closed.status_code == 303 and "shop" not in closed.text
        form = http.get("/signin").text
        assert all(name in form for name in ("ann", "ben", "carol")) and "Token" not in form
        csrf = form.split('name="csrf" value="')[1].split('"')[0]
        sent = {"csrf": csrf, "person": "1", "next": "/"}
        text = http.post("/signin/person", data=sent, headers={"Origin": "http://testserver"}).text
        assert "One rollout waits for somebody" in text and text.count("Rolled back") == 2
        assert "Let callers of the other half reach the HTTP port only" in text


def test_an_address_that_is_taken_or_none_is_bad_input(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match="cannot listen"):
            demo_server.serve(f"127.0.0.1:{port}", tmp_path / "shop")
    with pytest.raises(BadInput, match="HOST:PORT"):
        demo_server.serve("nonsense", None)
    assert not (tmp_path / "shop").exists()
