"""The workload of the node tests: a server that counts, and a client that calls where it is told to.

It speaks HTTP on TCP, and sends back what it gets on UDP, on the same port number.

Environment: PORT (8080); TARGETS, names and addresses as `beta=10.0.0.1:8080,gamma=10.0.0.2:8080`; RATE, requests
a second to each of them (8); TIMEOUT, seconds for each request (1). Every request is a new connection.
GET /metrics answers in Prometheus' text format, /ask/PROTOCOL/HOST/PORT/SECONDS says what a connection from here
meets (`open`, `refused`, `timeout`, or the error's text), anything else answers `ok` and is counted, /ready excepted.
"""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORKERS = 8
counts, lock = {}, threading.Lock()


def count(name, value=1, **labels):
    key = name, tuple(sorted(labels.items()))
    with lock:
        counts[key] = counts.get(key, 0) + value


def exposition():
    """The counters, one a line."""
    with lock:
        found = sorted(counts.items())
    lines = []
    for (name, labels), value in found:
        inside = ",".join(f'{label}="{text}"' for label, text in labels)
        lines.append(f"{name}{{{inside}}} {value}\n")
    return "".join(lines)


class Handler(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", 30  # a client may keep its connection

    def do_GET(self):
        body = b"ok\n"
        if self.path == "/metrics":
            body = exposition().encode()
            self.close_connection = True  # or a policy would not cut off a scraper that is connected already
        elif self.path.startswith("/ask/"):
            protocol, host, port, seconds = self.path.split("/")[2:]
            body = met(protocol, host, int(port), float(seconds)).encode()
        elif self.path != "/ready":  # asked by the kubelet, which is no client
            count("http_server_requests_total", outcome="ok")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silence."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def ask(host, port, seconds):
    """Whether GET / is answered with 200 in time."""
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def met(protocol, host, port, seconds):
    """What a connection, or a datagram that wants an answer, comes to; in one word where there is one."""
    kind = socket.SOCK_DGRAM if protocol == "UDP" else socket.SOCK_STREAM
    try:
        with socket.socket(socket.AF_INET, kind) as link:
            link.settimeout(seconds)
            link.connect((host, port))
            if protocol == "UDP":
                link.send(b"ask")
                link.recv(64)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return str(error)
    return "open"


def echo(port):
    """Send every datagram back to where it came from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("", port))
        while True:
            body, sender = link.recvfrom(2048)
            link.sendto(body, sender)


def call(name, host, port, rate, seconds):
    """Ask for ever, `rate` times a second where answers come quickly enough."""
    due = time.monotonic()
    while True:
        outcome = "ok" if ask(host, port, seconds) else "error"
        count("http_client_requests_total", outcome=outcome, target=name)
        due = max(due + 1 / rate, time.monotonic() - 1)  # a slow stretch is not caught up with
        time.sleep(max(0.0, due - time.monotonic()))


def targets(text):
    """(name, host, port) of each in TARGETS."""
    for part in filter(None, text.split(",")):
        name, _, address = part.partition("=")
        host, _, port = address.rpartition(":")
        yield name, host, int(port)


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for outcome in ("ok", "error"):
        count("http_server_requests_total", 0, outcome=outcome)
    rate, seconds = float(os.environ.get("RATE", "8")), float(os.environ.get("TIMEOUT", "1"))
    for name, host, port in targets(os.environ.get("TARGETS", "")):
        for outcome in ("ok", "error"):
            count("http_client_requests_total", 0, outcome=outcome, target=name)
        for _ in range(WORKERS):
            args = (name, host, port, rate / WORKERS, seconds)
            threading.Thread(target=call, args=args, daemon=True).start()
    port = int(os.environ.get("PORT", "8080"))
    threading.Thread(target=echo, args=(port,), daemon=True).start()
    Server(("", port), Handler).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
