"""One provider: where to send somebody, and what comes of the code that they bring back."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import parse_qsl

from orchestrator.adapters.openid.discovery import Discovery, Endpoints
from orchestrator.adapters.openid.idtoken import IdToken, checked
from orchestrator.adapters.openid.provider_exchange import exchange
from orchestrator.errors import BadInput, IdentityError, Refused
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
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        given, where = self.client, self.discovery.endpoints().authorization
        asked = {
            "redirect_uri": given.redirect,
            "scope": " ".join(given.scopes),
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": create_s256_code_challenge(journey.verifier),
            "code_challenge_method": "S256",
        }
        return str(prepare_grant_uri(where, given.id, "code", **asked))

    def redeem(self, code: str, secret: str, journey: AuthRequest) -> IdToken:
        """The checked id_token for a code."""
        if not 0 < len(code) <= MOST_CODE:
            raise Refused("the provider sent no usable code")
        ends, given = self.discovery.endpoints(), self.client
        form, headers = self._request(code, secret, journey, ends)
        secrets = (secret, code, journey.verifier)
        status, answer = exchange(
            ends.token, given.seconds, given.ca_file, form, credentials=headers, secrets=secrets
        )
        if status >= 500:
            raise IdentityError(f"{ends.token} answered {status}")
        if "error" in answer:
            said = "".join(c for c in str(answer["error"]) if c.isalnum() or c in "_-.")[:60]
            raise Refused(f"the provider did not take the code: {said}")
        raw, keys = answer.get("id_token"), self.discovery.keys
        return checked(raw, keys, given.issuer, given.id, journey.nonce, self.clock.now())

    def _request(
        self, code: str, secret: str, journey: AuthRequest, ends: Endpoints
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Form and headers for the token endpoint (RFC 6749, 4.1.3), with the client's secret in one of them."""
        from authlib.oauth2.auth import ClientAuth
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        given = self.client
        posts = "client_secret_post" in ends.methods and "client_secret_basic" not in ends.methods
        way = ("client_secret_post" if posts else "client_secret_basic") if secret else "none"
        body = prepare_token_request(
            "authorization_code", redirect_uri=given.redirect, code=code, code_verifier=journey.verifier
        )
        try:
            _, headers, body = ClientAuth(given.id, secret, way).prepare("POST", ends.token, {}, body)
        except UnicodeEncodeError:
            raise IdentityError("the client's secret has a character that no header can carry") from None
        return dict(parse_qsl(body)), headers
