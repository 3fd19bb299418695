"""Where a provider is asked and which keys it signs with, kept for a while."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from orchestrator.adapters.http.allowed_addresses import problem
from orchestrator.adapters.openid.provider_exchange import exchange
from orchestrator.errors import IdentityError
from orchestrator.ports import Clock

DOCUMENT_LIFE, KEYS_LIFE, NEW_KEYS_AFTER = timedelta(hours=1), timedelta(hours=1), timedelta(seconds=30)
FAILED_LIFE = timedelta(seconds=5)
MOST_KEYS = 100


@dataclass(frozen=True)
class Endpoints:
    """Addresses of one provider; `methods` is how it lets a client say who it is at the token endpoint."""

    authorization: str
    token: str
    keys: str
    methods: tuple[str, ...]


class Discovery:
    """What the provider says of itself. All methods raise IdentityError."""

    def __init__(self, issuer: str, ca_file: str, seconds: float, clock: Clock) -> None:
        self._issuer, self._ca_file, self._seconds, self._clock = issuer, ca_file, seconds, clock
        self._endpoints: tuple[Endpoints, datetime] | None = None
        self._keys: tuple[dict[str, Any], datetime] | None = None
        self._failed: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def endpoints(self) -> Endpoints:
        """OpenID Connect Discovery 1.0, section 4: the document names the very issuer that was asked."""
        with self._lock:
            if self._endpoints is None or self._clock.now() - self._endpoints[1] > DOCUMENT_LIFE:
                url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                found = self._checked(url, self._document(url))
                self._endpoints = (found, self._clock.now())
            return self._endpoints[0]

    def keys(self, fresh: bool = False) -> dict[str, Any]:
        """The key set; `fresh` where a token is signed with none of those known, at most every 30 seconds."""
        url = self.endpoints().keys
        with self._lock:
            known = self._keys
            limit = NEW_KEYS_AFTER if fresh else KEYS_LIFE
            if known is None or self._clock.now() - known[1] > limit:
                found = self._document(url)
                listed = found.get("keys")
                if not isinstance(listed, list) or len(listed) > MOST_KEYS:
                    raise IdentityError(f"{url} is no key set")
                known = self._keys = ({"keys": listed}, self._clock.now())
            return known[0]

    def _document(self, url: str) -> dict[str, Any]:
        """Asks once where many wait: a provider that hangs must not hold a thread for each of them in turn."""
        failed = self._failed.get(url)
        if failed is not None and self._clock.now() - failed[1] < FAILED_LIFE:
            raise IdentityError(failed[0])
        try:
            status, found = exchange(url, self._seconds, self._ca_file)
            if status != 200:
                raise IdentityError(f"{url} answered {status}")
            return found
        except IdentityError as error:
            self._failed = {url: (str(error), self._clock.now())}
            raise

    def _checked(self, url: str, found: dict[str, Any]) -> Endpoints:
        if found.get("issuer") != self._issuer:
            raise IdentityError(
                f"{url} is of the issuer {str(found.get('issuer'))[:200]!r}, not {self._issuer!r}"
            )
        where, token, keys = (
            self._address(url, name, found.get(name))
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        challenge = found.get("code_challenge_methods_supported")
        if isinstance(challenge, list) and "S256" not in challenge:
            raise IdentityError(f"{url} does not offer PKCE with S256")
        # RFC 8414, section 2: without a list it is client_secret_basic.
        methods = found.get("token_endpoint_auth_methods_supported")
        listed = methods if isinstance(methods, list) else ["client_secret_basic"]
        return Endpoints(where, token, keys, tuple(str(m) for m in listed))

    def _address(self, url: str, name: str, value: Any) -> str:
        """Never less protected than the issuer itself."""
        text = value if isinstance(value, str) else ""
        if problem(text, query=True) or urlsplit(text).scheme not in ("https", urlsplit(self._issuer).scheme):
            raise IdentityError(f"{url} gives no usable {name}")
        return text
