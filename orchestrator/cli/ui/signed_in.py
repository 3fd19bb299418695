"""Requests to the pages as somebody who is signed in: the session's cookies stay in this process."""

import html
import http.client
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from orchestrator.errors import Refused, Unreachable

HOST = "netpol-canary"  # what the pages are asked by; nobody resolves it
SIGN_IN, BY_TOKEN, SIGN_OUT = "/signin", "/signin/token", "/signout"
STREAM_SECONDS = 330.0  # between two parts of an answer; streams of the pages end after five minutes
MOST_PAGE = 1 << 20
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
_CSRF = re.compile(r'name="csrf" value="([^"]*)"')
_ALERT = re.compile(r'role="alert">(.*?)</p>', re.S)


@dataclass
class SignedIn:
    """`open` opens a connection to the pages, whose answers begin within `seconds`; `token` gives the caller's own, or nothing."""

    open: Callable[[], socket.socket]
    token: Callable[[], str]
    seconds: float
    _cookies: dict[str, str] = field(default_factory=dict, repr=False)
    _left: bool = False
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
        if path == SIGN_OUT and answer.status < 400:
            self._left = True
        return answer

    def sign_in(self, before: int = 0) -> bool:
        """Whether there was a token to do it with; once for all who met the end of the same session, number `before`.

        Raises Refused with the pages' own words where they do not take it.
        """
        token = self.token()
        if not token:
            return False
        with self._lock:
            if self._sessions > before:
                return True
            self._cookies.clear()
            form = self._page("GET", SIGN_IN, {"Accept": "text/html"})[1]
            if BY_TOKEN not in form:
                raise Refused("the installation lets nobody sign in with a token (signin.token)")
            found = _CSRF.search(form)
            fields = {"csrf": html.unescape(found[1]) if found else "", "token": token, "next": "/"}
            status, said = self._page("POST", BY_TOKEN, _FORM, urlencode(fields).encode())
            if status == 303:
                self._sessions += 1
                return True
        alert = _ALERT.search(said)
        why = html.unescape(" ".join(alert[1].split())) if alert else f"HTTP {status}"
        raise Refused(f"the pages do not take the kubeconfig's token: {why}")

    def _page(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, str]:
        answer = self._once(method, path, headers, body)
        try:
            return answer.status, answer.read(MOST_PAGE).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the pages gave no whole answer: {error or type(error).__name__}") from None
        finally:
            answer.close()

    def _once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> http.client.HTTPResponse:
        end = self.open()
        end.settimeout(self.seconds)
        connection = http.client.HTTPConnection(HOST)
        connection.sock = end
        kept = [f"{name}={value}" for name, value in list(self._cookies.items())]  # other threads change them
        cookies = {"Cookie": "; ".join(kept)} if kept else {}
        try:
            connection.request(method, path, body or None, {**headers, **cookies, "Connection": "close"})
            answer = connection.getresponse()
        except TimeoutError:
            end.close()
            raise Unreachable(f"the pages gave no answer within {self.seconds:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            end.close()
            raise Unreachable(f"the pages gave no answer: {error or type(error).__name__}") from None
        end.settimeout(STREAM_SECONDS)
        self._keep(answer)
        return answer

    def _keep(self, answer: http.client.HTTPResponse) -> None:
        for line in answer.msg.get_all("Set-Cookie") or []:
            try:
                found = SimpleCookie(line)
            except CookieError:
                continue
            for name, morsel in found.items():
                if morsel.value and morsel["max-age"] != "0":
                    self._cookies[name] = morsel.value
                else:
                    self._cookies.pop(name, None)
