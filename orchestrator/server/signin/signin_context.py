"""What signing in keeps at hand: settings, seals, cookies, and who is known."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.adapters.kube.secrets import Secrets
from orchestrator.server.parts import Parts, Viewer
from orchestrator.server.signin.anonymous import anybody
from orchestrator.server.signin.browser import seal
from orchestrator.server.signin.browser.cookies import SealedCookie
from orchestrator.server.signin.rate_limits import Attempts, caller
from orchestrator.server.signin.session import Session, read
from orchestrator.server.signin.signin_settings import SignIn
from orchestrator.server.signin.viewers import Viewers

FORM_LIFE = timedelta(minutes=30)


@dataclass(frozen=True)
class SignInContext:
    """One an application."""

    parts: Parts
    settings: SignIn
    keys: seal.Keys
    seal: seal.Seal
    viewers: Viewers
    attempts: Attempts
    anybody: Viewer | None
    sessions: SealedCookie
    forms: SealedCookie
    journeys: SealedCookie
    secure: bool

    def stale(self) -> bool:
        """Whether the keys should be read again."""
        return isinstance(self.keys, seal.Stored) and self.keys.stale()

    def refresh(self) -> None:
        """Read the keys again; may wait for the API server."""
        if isinstance(self.keys, seal.Stored):
            self.keys.refresh()

    def address(self, request: Request) -> str:
        """Where a request comes from, beyond the proxies that are trusted."""
        nearest = request.client.host if request.client else ""
        return caller(nearest, request.headers.getlist("x-forwarded-for"), self.settings.trusted_proxies)

    def session(self, cookies: Mapping[str, str]) -> Session | None:
        """The session that a browser holds, while it lasts."""
        sealed = self.sessions.read(cookies)
        return read(self.seal.open("session", sealed), self.parts.ctx.clock.now()) if sealed else None

    def admit(self, response: Response, session: Session) -> None:
        """Hand out a session; what was needed on the way in is taken back. Raises Refused where it is too large."""
        left = session.expires - self.parts.ctx.clock.now()
        sealed = self.seal.close("session", session.text())
        self.sessions.write(response, sealed, int(left.total_seconds()))
        self.forms.clear(response)
        self.journeys.clear(response)

    def form_token(self, cookies: Mapping[str, str]) -> str:
        """The token that the sign-in form of this browser carries; empty without one."""
        return str(self.kept(self.forms, cookies).get("csrf", ""))

    def with_form(self, response: Response, token: str) -> None:
        """Give the browser the token of the sign-in form."""
        self.keep(self.forms, response, {"csrf": token}, FORM_LIFE)

    def keep(self, jar: SealedCookie, response: Response, what: Mapping[str, str], life: timedelta) -> None:
        """Leave something with a browser that only this program can read, for a while."""
        until = (self.parts.ctx.clock.now() + life).timestamp()
        sealed = self.seal.close(jar.name, json.dumps({**what, "until": until}).encode())
        jar.write(response, sealed, int(life.total_seconds()))

    def kept(self, jar: SealedCookie, cookies: Mapping[str, str]) -> dict[str, Any]:
        """What was left with a browser, while it holds."""
        text = self.seal.open(jar.name, jar.read(cookies))
        found: dict[str, Any] = json.loads(text) if text else {}
        return found if found.get("until", 0) > self.parts.ctx.clock.now().timestamp() else {}


def fresh_token() -> str:
    """256 bits that nobody guesses."""
    return secrets.token_urlsafe(32)


def open_desk(parts: Parts, settings: SignIn) -> SignInContext:
    """Raises BadInput for keys that are none."""
    secure = not settings.insecure
    keys = seal.keys(
        settings, Secrets(parts.ctx.cluster, parts.ctx.namespace, parts.secrets), parts.ctx.clock
    )
    return SignInContext(
        parts,
        settings,
        keys,
        seal.Seal(keys),
        Viewers(parts, settings),
        Attempts(settings.attempts_per_minute),
        anybody(parts.ctx.cluster) if settings.anonymous == "read" else None,
        SealedCookie("session", secure),
        SealedCookie("form", secure),
        SealedCookie("journey", secure),
        secure,
    )
