"""Sockets on loopback that answer, refuse, reset or keep silent, for the probe agent to try."""

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler

from loopback import Quiet, serving
from patience import ENOUGH

from orchestrator.probe import agent
from orchestrator.probe.agent import Target

HOST = "127.0.0.1"
SHORT = 0.4


def served(kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind((HOST, 0))
    if kind == socket.SOCK_STREAM:
        sock.listen(16)
    return sock


@contextlib.contextmanager
def answering(handle, kind=socket.SOCK_STREAM):
    """A port where `handle(client)` runs for each connection, or `handle(sock, data, sender)` for each datagram."""
    sock, kept = served(kind), []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                if kind == socket.SOCK_DGRAM:
                    data, sender = sock.recvfrom(2048)
                    if sender is None:  # it was shut down
                        return
                    handle(sock, data, sender)
                    continue
                client, _ = sock.accept()
                kept.append(client)
                with contextlib.suppress(OSError):
                    handle(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield sock.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        for client in kept:
            client.close()


def closed_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def full_port():
    """A port whose queue is full: the kernel answers no further SYN, as behind a firewall that drops."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen(0)
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(sock.getsockname())
            yield sock.getsockname()[1]


def asked(port, protocol="TCP", check="connect", **more):
    return agent.attempt(Target(HOST, port, protocol, check, **more), SHORT)


def silent(client):
    """Accepts, and says nothing."""


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.recv(1)
    client.close()


class Page(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextlib.contextmanager
def page(handler=Page):
    with serving(handler) as server:
        yield server.server_address[1]


@contextlib.contextmanager
def listener():
    port, stop = closed_port(), threading.Event()
    thread = threading.Thread(target=agent.listen, args=(port, 30, stop))
    thread.start()
    try:
        for _ in range(1000):
            if asked(port)[0] == "connected" or stop.wait(0.01):
                break
        else:
            raise AssertionError(f"nobody listens on {port}")
        yield port
    finally:
        stop.set()
        thread.join(ENOUGH)
