"""/metrics, /healthz and /readyz over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from orchestrator.errors import BadInput

TIMEOUT = 10


def address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `:PORT`. Raises BadInput."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise BadInput(f"{text} is not HOST:PORT", "--listen")
    return host.strip("[]"), int(port)


@contextmanager
def served(
    listen: tuple[str, int], registry: CollectorRegistry, alive: Callable[[], bool], ready: Callable[[], bool]
) -> Iterator[int]:
    """Serve until the end of the block; gives the port. Raises BadInput where it cannot be bound."""

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
            elif self.path in ("/healthz", "/readyz"):
                good = alive() if self.path == "/healthz" else ready()
                self._answer(200 if good else 503, b"ok\n" if good else b"not yet\n", "text/plain")
            else:
                self._answer(404, b"/metrics, /healthz or /readyz\n", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes are not worth a line."""

    try:
        server = ThreadingHTTPServer(listen, Handler)
    except OSError as error:
        raise BadInput(f"cannot listen on {listen[0]}:{listen[1]}: {error.strerror}", "--listen") from None
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(TIMEOUT)
