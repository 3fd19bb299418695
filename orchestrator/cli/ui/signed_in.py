"""Requests to the pages as somebody who is signed in: the session's cookies stay in this process."""

import html
import http.client
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from orchestrator.errors import Refused, Unreachable

HOST = "netpol-canary"  # what the pages are asked by; nobody resolves it
SIGN_IN, BY_TOKEN, SIGN_OUT = "/signin", "/signin/token", "/signout"
STREAM_SECONDS = 330.0  # between two parts of an answer; streams of the pages end after five minutes
MOST_PAGE = 1 << 20
SAFE = ("GET", "HEAD")
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
_CSRF = re.compile(r'name="csrf" value="([^"]*)"')
_ALERT = re.compile(r'role="alert">(.*?)</p>', re.S)


@dataclass
class SignedIn:
    """`open` opens a connection to the pages, whose answers begin within `seconds`; `token` gives the caller's own, or nothing.

    Whoever pastes another token into the sign-in page stays that person when the session ends, and whoever signs out is not signed
    in again without being asked. `lost` is told of a connection that gave no answer, and says by how many ways `open` may try.
    """

    open: Callable[[], socket.socket]
    token: Callable[[], str]
    seconds: float
    lost: Callable[[socket.socket], int] = lambda end: 1
    _cookies: dict[str, str] = field(default_factory=dict, repr=False)
    _left: bool = False
    _pasted: str = field(default="", repr=False)
    _sessions: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> http.client.HTTPResponse:
        """The answer; where a session has ended, that of a new one. Raises PortError, Refused."""
        before = self._sessions
        answer = self._once(method, path, headers, body)
        ended = answer.status == 401 or (answer.getheader("Location") or "").startswith(SIGN_IN)
        if (
            method == "GET"
            and ended
            and not self._left
            and path.partition("?")[0] != SIGN_IN
            and self.sign_in(before)
        ):
            answer.close()
            answer = self._once(method, path, headers, body)
        if method == "POST" and answer.status < 400:
            self._heed(path, body)
        return answer

    def _heed(self, path: str, body: bytes) -> None:
        """Take note that the person signed out, or pasted a token that was taken."""
        with self._lock:
            if path == SIGN_OUT:
                self._left, self._pasted = True, ""
            elif path == BY_TOKEN:
                self._left, self._pasted = (
                    False,
                    parse_qs(body.decode(errors="replace")).get("token", [""])[0],
                )
                self._sessions += 1

    def sign_in(self, before: int = 0) -> bool:
        """Whether there was a token to do it with; once for all who met the end of the same session, number `before`.

        Raises Refused with the pages' own words where they do not take the caller's own; one that was pasted is asked for again.
        """
        pasted = self._pasted
        token = pasted or self.token()
        if not token:
            return False
        with self._lock:
            if self._sessions > before:
                return True
            cookies: dict[str, str] = {}  # not those of the old session: late answers to it change them
            form = self._page(cookies, "GET", SIGN_IN, {"Accept": "text/html"})[1]
            if BY_TOKEN not in form:
                raise Refused("the installation lets nobody sign in with a token (signin.token)")
            found = _CSRF.search(form)
            fields = {"csrf": html.unescape(found[1]) if found else "", "token": token, "next": "/"}
            status, said = self._page(cookies, "POST", BY_TOKEN, _FORM, urlencode(fields).encode())
            if status == 303:
                self._cookies = cookies
                self._sessions += 1
                return True
            if pasted:
                self._left, self._pasted = True, ""
                return False
        alert = _ALERT.search(said)
        why = html.unescape(" ".join(alert[1].split())) if alert else f"HTTP {status}"
        raise Refused(f"the pages do not take the kubeconfig's token: {why}")

    def _page(
        self, cookies: dict[str, str], method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, str]:
        answer = self._once(method, path, headers, body, cookies)
        try:
            return answer.status, answer.read(MOST_PAGE).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the pages gave no whole answer: {error or type(error).__name__}") from None
        finally:
            answer.close()

    def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        cookies: dict[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        """The answer, whose cookies go to those that it was asked with; a read is tried by every way there is."""
        kept = self._cookies if cookies is None else cookies
        tries = 0
        while True:
            end = self.open()
            try:
                answer = self._asked(end, method, path, headers, body, kept)
            except Unreachable:
                tries += 1
                if tries >= self.lost(end) or method not in SAFE:
                    raise
                continue
            _keep(answer, kept)
            return answer

    def _asked(
        self,
        end: socket.socket,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        cookies: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        end.settimeout(self.seconds)
        connection = http.client.HTTPConnection(HOST)
        connection.sock = end
        given = [f"{name}={value}" for name, value in list(cookies.items())]  # other threads change them
        cookie = {"Cookie": "; ".join(given)} if given else {}
        try:
            connection.request(method, path, body or None, {**headers, **cookie, "Connection": "close"})
            answer = connection.getresponse()
        except TimeoutError:
            end.close()
            raise Unreachable(f"the pages gave no answer within {self.seconds:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            end.close()
            raise Unreachable(f"the pages gave no answer: {error or type(error).__name__}") from None
        end.settimeout(STREAM_SECONDS)
        return answer


def _keep(answer: http.client.HTTPResponse, cookies: dict[str, str]) -> None:
    for line in answer.msg.get_all("Set-Cookie") or []:
        try:
            found = SimpleCookie(line)
        except CookieError:
            continue
        for name, morsel in found.items():
            if morsel.value and morsel["max-age"] != "0":
                cookies[name] = morsel.value
            else:
                cookies.pop(name, None)
