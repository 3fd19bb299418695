"""The way to an OpenID provider and back, of which the browser keeps a sealed note."""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta

import structlog
from starlette.responses import RedirectResponse, Response

from orchestrator.adapters.kube.secrets import Secrets
from orchestrator.adapters.openid.provider import AuthRequest, Client, Provider
from orchestrator.errors import IdentityError, NetpolCanaryError, PortError, Refused
from orchestrator.server.signin.authentication import Admission, Denied
from orchestrator.server.signin.browser.destination import destination
from orchestrator.server.signin.session import Session
from orchestrator.server.signin.signin_context import SignInContext, fresh_token
from orchestrator.server.signin.signin_settings import Oidc

CALLBACK = "/signin/oidc/callback"
LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class OidcFlow:
    """Both ends of the code flow. Raises Denied."""

    desk: SignInContext
    oidc: Oidc
    admission: Admission
    provider: Provider = field(init=False)

    def __post_init__(self) -> None:
        given, settings = self.oidc, self.desk.settings
        client = Client(
            given.issuer,
            given.client_id,
            settings.external_url.rstrip("/") + CALLBACK,
            tuple(given.scopes),
            given.ca_file,
            given.timeout_seconds,
        )
        object.__setattr__(self, "provider", Provider(client, self.desk.parts.ctx.clock))

    def out(self, wanted: str) -> Response:
        """Off to the provider."""
        note = AuthRequest(fresh_token(), fresh_token(), fresh_token())
        try:
            response = RedirectResponse(self.provider.address(note), 303)
        except PortError as error:
            raise self._failed(error) from None
        self.desk.keep(self.desk.journeys, response, {**asdict(note), "next": destination(wanted)}, LIFE)
        return response

    def back(self, query: Mapping[str, str], cookies: Mapping[str, str]) -> tuple[Session, str]:
        """Who has come back, and where to."""
        kept = self.desk.kept(self.desk.journeys, cookies)
        if not kept or not hmac.compare_digest(kept["state"].encode(), query.get("state", "").encode()):
            raise Denied("this way in was not begun in this browser, or took too long; begin again", 400)
        # RFC 9207: an answer of another provider.
        if query.get("iss", self.oidc.issuer) != self.oidc.issuer:
            raise Denied("the answer is another provider's; begin again", 400)
        if "error" in query:
            said = "".join(c for c in query["error"] if c.isalnum() or c in "_-.")[:60]
            raise Denied(f"the provider did not let you in: {said}", 403)
        note = AuthRequest(kept["state"], kept["nonce"], kept["verifier"])
        try:
            found = self.provider.redeem(query.get("code", ""), self._secret(), note)
        except Refused as error:
            structlog.get_logger().warning("an OpenID sign-in is refused", error=str(error))
            raise Denied("the provider's answer does not hold; begin again", 403) from None
        except NetpolCanaryError as error:
            raise self._failed(error) from None
        return self.admission.by_openid(self.oidc, found), destination(kept["next"])

    def _secret(self) -> str:
        if not self.oidc.client_secret_ref:
            return self.oidc.client_secret.get_secret_value()
        parts = self.desk.parts
        stored = Secrets(parts.ctx.cluster, parts.ctx.namespace, parts.secrets).read(
            self.oidc.client_secret_ref, "signin.oidc.client_secret_ref"
        )
        try:
            return stored["clientSecret"].decode().strip()
        except (KeyError, ValueError):
            raise IdentityError(f"the Secret {self.oidc.client_secret_ref} has no key clientSecret") from None

    def _failed(self, error: NetpolCanaryError) -> Denied:
        structlog.get_logger().warning("an OpenID sign-in fails", error=str(error))
        return Denied("the provider gave no usable answer; try again, or sign in another way", 502)
