"""The pages at an address of this machine, for one person's browsers: whoever opens it first by its key acts as that person.

A page elsewhere on the web can send a browser here, so requests by another name than the address, without the cookie that the
key gives, or from another origin are refused. The pages' own session never reaches a browser.
"""

import hmac
import http.client
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from orchestrator.cli.ui.signed_in import SAFE, SignedIn
from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.server.listen import reason

LOOPBACK = "127.0.0.1"
KEY = "key"
MOST_BODY = 1 << 20  # bytes; the pages themselves take less
CHUNK = 65536
SECONDS = 60.0  # that a browser may be silent in the middle of a request
PASSED = frozenset(
    (
        *("accept", "accept-language", "content-type", "user-agent", "if-none-match", "last-event-id"),
        *(
            "sec-fetch-site",
            "x-csrf-token",
            "hx-request",
            "hx-target",
            "hx-trigger",
            "hx-current-url",
            "hx-boosted",
        ),
    )
)
# Of one connection, or of the pages' own address.
KEPT_BACK = frozenset(
    (
        *("connection", "keep-alive", "transfer-encoding", "set-cookie", "strict-transport-security"),
        *("server", "date"),
    )
)


class LocalPages(ThreadingHTTPServer):
    """Listens on the loopback address; `port` 0 is one that is free. Raises BadInput where it is taken."""

    daemon_threads = True

    def __init__(self, pages: SignedIn, port: int) -> None:
        self.pages, self.secret = pages, secrets.token_urlsafe(24)
        self._keys: set[str] = set()
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise BadInput(f"cannot listen on {LOOPBACK}:{port}: {reason(error)}", "--port") from None

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def new_url(self) -> str:
        """What to open: it opens once, for others of the machine may read the arguments of the browser's process."""
        key = secrets.token_urlsafe(24)
        self._keys.add(key)
        return f"{self.origin}/?{KEY}={key}"

    def takes(self, key: str) -> bool:
        """Whether it is a key of an address that was not opened before; from now on it is none."""
        try:
            self._keys.remove(key)
        except KeyError:
            return False
        return True

    @property
    def cookie(self) -> str:
        """Cookies know no ports: each server has its own."""
        return f"netpol-canary-ui-{self.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """In a thread, until the end."""
        Thread(target=self.serve_forever, args=(0.1,), name="pages", daemon=True).start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: LocalPages
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def version_string(self) -> str:
        return "netpol-canary"

    def _serve(self) -> None:
        self.close_connection = True
        given = parse_qs(urlsplit(self.path).query).get(KEY, [""])[0]
        if self.headers.get("Host", "").lower() != urlsplit(self.server.origin).netloc:
            self._say(421, f"ask for {self.server.origin}")
        elif self.command == "GET" and self.server.takes(given):
            self._welcome()
        elif not self._has_cookie():
            self._say(403, "an address that it printed opens once; begin `netpol-canary ui` anew for another")
        elif (
            self.command not in SAFE and self.headers.get("Origin", self.server.origin) != self.server.origin
        ):
            self._say(403, "the form was sent by another page")
        else:
            self._pass_on()

    def _has_cookie(self) -> bool:
        """Whatever stands beside it: other servers of this machine set cookies too, of any form."""
        given = (part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";"))
        secret = self.server.secret.encode()
        return any(
            name == self.server.cookie and hmac.compare_digest(value.encode(), secret)
            for name, _, value in given
        )

    def _welcome(self) -> None:
        self.send_response(303)
        self.send_header("Location", "/")
        self.send_header(
            "Set-Cookie", f"{self.server.cookie}={self.server.secret}; Path=/; HttpOnly; SameSite=Strict"
        )
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _pass_on(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if (
            not length.isdecimal()
            or len(length) > 7
            or int(length) > MOST_BODY
            or "Transfer-Encoding" in self.headers
        ):
            self._say(413, "the request is too large")
            return
        body = self.rfile.read(int(length))
        headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED}
        try:
            answer = self.server.pages.ask(self.command, self.path, headers, body)
        except NetpolCanaryError as error:
            self._say(502, str(error))
            return
        with answer:
            self._answer(answer)

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in KEPT_BACK:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(OSError, http.client.HTTPException):
            while self.command != "HEAD" and (part := answer.read1(CHUNK)):
                self.wfile.write(part)
                self.wfile.flush()

    def _say(self, status: int, text: str) -> None:
        body = f"netpol-canary ui: {text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
