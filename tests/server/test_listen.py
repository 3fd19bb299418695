"""Requests are answered on an address, in-flight ones to their end; clients that drip hold nothing for long."""

import asyncio
import socket
import threading
import urllib.error
import urllib.request

import pytest
from fastapi import FastAPI
from patience import ENOUGH

from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.server import header_timeout, listen
from orchestrator.server.listen import address, listening


@pytest.fixture
def app():
    found = FastAPI()
    found.state.begun, found.state.go = threading.Event(), threading.Event()

    @found.get("/slow")
    async def slow():
        found.state.begun.set()
        await asyncio.to_thread(found.state.go.wait, 5)
        return "done"

    @found.get("/healthz")
    async def healthz():
        return "alive"

    @found.get("/never")
    async def never():
        found.state.begun.set()
        await asyncio.Event().wait()

    return found


def get(port, path="/slow"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=ENOUGH) as answer:
        return answer.read()


@pytest.mark.parametrize("text", [":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:0"])
def test_an_address_is_host_and_port(text):
    host, port = address(text)
    assert "[" not in host and port in (0, 8080)


@pytest.mark.parametrize("text", ["", "8080", ":", ":8080/x", ":70000", ":²"])
def test_anything_else_is_refused(text):
    with pytest.raises(BadInput, match="is not HOST:PORT"):
        address(text)


def test_a_taken_address_and_an_unknown_host_are_said(app):
    with (
        listening(app, ("127.0.0.1", 0), 10) as port,
        pytest.raises(BadInput, match=f"cannot listen on 127.0.0.1:{port}: Address already in use$"),
        listening(app, ("127.0.0.1", port), 10),
    ):
        pass
    with (
        pytest.raises(BadInput, match=r"cannot listen on nowhere\.invalid"),
        listening(app, ("nowhere.invalid", 1), 10),
    ):
        pass


def test_a_request_in_flight_is_answered_while_it_stops(app):
    answers, stopped = [], []
    with listening(app, ("127.0.0.1", 0), 10, lambda: stopped.append(1)) as port:
        client = threading.Thread(target=lambda: answers.append(get(port)))
        client.start()
        assert app.state.begun.wait(ENOUGH)
        threading.Timer(0.1, app.state.go.set).start()
    client.join(ENOUGH)
    assert answers == [b'"done"'] and stopped == [1]
    with pytest.raises(urllib.error.URLError):
        get(port)


def test_a_request_that_never_ends_holds_up_nothing_for_long(app, monkeypatch):
    monkeypatch.setattr(listen, "GRACE_SECONDS", 0)

    def ask(port):
        with pytest.raises(OSError):
            get(port, "/never")

    with listening(app, ("127.0.0.1", 0), 10) as port:
        client = threading.Thread(target=ask, args=[port])
        client.start()
        assert app.state.begun.wait(ENOUGH)
    client.join(ENOUGH)
    assert not client.is_alive()


def test_a_server_that_ends_by_itself_is_an_error(app, monkeypatch):
    ended = threading.Event()

    async def broken(self):
        raise ValueError("broken")

    monkeypatch.setattr(listen._Server, "main_loop", broken)

    def serve():
        with listening(app, ("127.0.0.1", 0), 10, ended.set):
            assert ended.wait(ENOUGH)

    with pytest.raises(NetpolCanaryError, match=r"nothing answers|ended by itself"):
        serve()


def rest(connection):
    connection.settimeout(5)
    try:
        return connection.recv(4096)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"GET /slow HT", b"GET /slow HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_headers_that_drip_are_given_up(app, monkeypatch, sent):
    monkeypatch.setattr(header_timeout, "HEAD_SECONDS", 0.05)
    with (
        listening(app, ("127.0.0.1", 0), 10) as port,
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        connection.sendall(sent)
        assert rest(connection) == b""


def test_a_second_request_that_drips_is_given_up_too(app, monkeypatch):
    monkeypatch.setattr(header_timeout, "HEAD_SECONDS", 0.2)
    app.state.go.set()
    with (
        listening(app, ("127.0.0.1", 0), 10) as port,
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in rest(connection)
        connection.sendall(b"GET /slow HT")
        while found := rest(connection):
            assert b"done" in found


def test_so_many_connections_are_served(app):
    with (
        listening(app, ("127.0.0.1", 0), 1) as port,
        socket.create_connection(("127.0.0.1", port)),
        pytest.raises(urllib.error.HTTPError, match="503"),
    ):
        get(port)


def test_that_it_lives_is_said_however_many_connections_there_are(app):
    with listening(app, ("127.0.0.1", 0), 1) as port, socket.create_connection(("127.0.0.1", port)) as other:
        assert get(port, "/healthz") == b'"alive"'
        other.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"503" in rest(other)
