"""Programs that name themselves with each request: the Kubernetes token that people paste, as a bearer token."""

import hashlib
import threading
from collections import OrderedDict

from starlette.requests import Request

from orchestrator.server.parts import Viewer
from orchestrator.server.signin.authentication import Admission, Denied
from orchestrator.server.signin.session import Session
from orchestrator.server.signin.signin_context import SignInContext

MOST = 200  # tokens that are known; whoever comes with another one is asked for once more
SCHEME = "bearer "


def bearer_token(request: Request) -> str:
    """The token of the Authorization header; empty without one (RFC 6750, section 2.1)."""
    given = request.headers.get("authorization", "")
    return given[len(SCHEME) :].strip() if given[: len(SCHEME)].lower() == SCHEME else ""


class Bearers:
    """The API server says once who a token is, and with every call whether it still accepts it."""

    def __init__(self, desk: SignInContext) -> None:
        self._desk = desk
        self._known: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: Request) -> Viewer:
        """Who calls; may wait for the API server. Raises Denied."""
        if not self._desk.settings.token:
            raise Denied("tokens are not taken here")
        token = bearer_token(request)
        key, now = _key(token), self._desk.parts.ctx.clock.now()
        with self._lock:
            known = self._known.get(key)
            if known is not None and known.expires > now:
                self._known.move_to_end(key)
        if known is None or known.expires <= now:
            known = self._begun(request, token, key)
        found = self._desk.viewers.of(known)
        if found is None:
            raise Denied("the cluster does not accept this token")
        return found

    def forget(self, request: Request) -> None:
        """The API server does not accept it any more."""
        with self._lock:
            known = self._known.pop(_key(bearer_token(request)), None)
        if known is not None:
            self._desk.viewers.forget(known)

    def _begun(self, request: Request, token: str, key: bytes) -> Session:
        if not self._desk.attempts.allowed(self._desk.address(request), self._desk.parts.ctx.clock.now()):
            raise Denied("too many attempts; wait a minute and try again", 429)
        made = Admission(self._desk).by_token(token)
        with self._lock:
            self._known[key] = made
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return made


def _key(token: str) -> bytes:
    """What is kept of a token to know it again."""
    return hashlib.sha256(token.encode()).digest()
