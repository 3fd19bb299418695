"""One provider: where to send somebody, and what comes of the code that they bring back."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from orchestrator.adapters.openid.discovery import Discovery
from orchestrator.adapters.openid.idtoken import IdToken, checked
from orchestrator.adapters.openid.web import prepared, translated
from orchestrator.errors import BadInput, Refused
from orchestrator.ports import Clock

MOST_CODE = 4096


@dataclass(frozen=True)
class Client:
    """Who this program is to the provider; `seconds` holds for each exchange."""

    issuer: str
    id: str
    redirect: str
    scopes: tuple[str, ...]
    ca_file: str = ""
    seconds: float = 5.0


@dataclass(frozen=True)
class AuthRequest:
    """One attempt: what the browser keeps while it is at the provider's."""

    state: str
    nonce: str
    verifier: str


@dataclass
class Provider:
    """Raises IdentityError where the provider does not answer well, Refused where its word does not hold."""

    client: Client
    clock: Clock
    discovery: Discovery = field(init=False)

    def __post_init__(self) -> None:
        if not all(find_spec(name) for name in ("authlib", "joserfc")):
            raise BadInput("OpenID needs more libraries", "signin.oidc", "install netpol-canary[oidc]")
        given = self.client
        self.discovery = Discovery(given.issuer, given.ca_file, given.seconds, self.clock)

    def address(self, journey: AuthRequest) -> str:
        """Where to send the browser: RFC 6749 with PKCE (RFC 7636, S256), state and nonce."""
        where = self.discovery.endpoints().authorization
        session = self._session("", ())
        url, _ = session.create_authorization_url(
            where, state=journey.state, code_verifier=journey.verifier, nonce=journey.nonce
        )
        return str(url)

    def redeem(self, code: str, secret: str, journey: AuthRequest) -> IdToken:
        """The checked id_token for a code."""
        from authlib.common.errors import AuthlibBaseError

        if not 0 < len(code) <= MOST_CODE:
            raise Refused("the provider sent no usable code")
        ends, given = self.discovery.endpoints(), self.client

        def work() -> Any:
            with prepared(self._session(secret, ends.methods), given.seconds, given.ca_file) as session:
                try:
                    return session.fetch_token(
                        ends.token,
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=journey.verifier,
                        timeout=given.seconds,
                        allow_redirects=False,
                        stream=True,
                    )
                except AuthlibBaseError as error:
                    said = "".join(c for c in str(error.error) if c.isalnum() or c in "_-.")[:60]
                    raise Refused(f"the provider did not take the code: {said}") from None

        answer = translated(ends.token, work)
        raw = answer.get("id_token") if isinstance(answer, dict) else None
        keys = self.discovery.keys
        return checked(raw, keys, given.issuer, given.id, journey.nonce, self.clock.now())

    def _session(self, secret: str, methods: tuple[str, ...]) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        given = self.client
        posts = "client_secret_post" in methods and "client_secret_basic" not in methods
        way = ("client_secret_post" if posts else "client_secret_basic") if secret else "none"
        return OAuth2Session(
            given.id,
            secret or None,
            token_endpoint_auth_method=way,
            scope=" ".join(given.scopes),
            redirect_uri=given.redirect,
            code_challenge_method="S256",
        )
