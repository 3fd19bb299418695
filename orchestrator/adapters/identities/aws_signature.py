"""Requests signed for Amazon Managed Service for Prometheus (AWS Signature Version 4), by botocore."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.adapters.http.proof import Outgoing
from orchestrator.adapters.identities.renewed_token import AGAIN, sendable
from orchestrator.adapters.identities.vendor_call import within
from orchestrator.errors import BadInput, IdentityError
from orchestrator.ports import Clock

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

SERVICE = "aps"
SESSION = "sessiontoken"  # which keys that last do not have
KEYS = ("accesskey", "secretkey", SESSION)
REFUSED = (401, 403)  # an end of credentials is a 403 there
SIGNED = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
_REGION = re.compile(r"\baps-workspaces(?:-fips)?\.([a-z]{2,}(?:-[a-z]+)+-[0-9]+)\.")
WHOSE = "AWS"


def region_of(url: str, given: str, where: str) -> str:
    """The region that a signature names: the one given, or that of the host. Raises BadInput."""
    found = _REGION.search(url)
    if not given and not found:
        raise BadInput("its identity aws needs a region", where, "set identity.region, such as eu-west-1")
    return given or (found[1] if found else "")


class OwnKeys:
    """The keys of this process, wherever botocore finds them: a role of its ServiceAccount, a Pod Identity, the environment.

    botocore renews those that end, ten minutes or more before.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._found: Any = None
        self._access = ""
        self._refused: float | None = None

    def keys(self) -> ReadOnlyCredentials:
        with self._lock:
            if self._found is None:
                self._found = within(WHOSE, _own)
            keys: ReadOnlyCredentials = within(WHOSE, self._found.get_frozen_credentials)
            self._access = keys.access_key
        return keys

    def refused(self, authorization: str) -> bool:
        """Whether others are worth a try: looked for anew, once a minute at most."""
        with self._lock:
            if f"Credential={self._access}/" not in authorization:
                return True  # somebody else has found them
            now = self._clock.monotonic()
            if self._refused is not None and now - self._refused < AGAIN:
                return False
            self._refused, self._found = now, None
        return True


class GivenKeys:
    """The keys of a Secret."""

    def __init__(self, secret: Mapping[str, bytes], where: str) -> None:
        from botocore.credentials import ReadOnlyCredentials

        text = {key: secret.get(key, b"").decode(errors="replace").strip() for key in KEYS}
        for key, value in text.items():
            if not sendable(value) and (value or key != SESSION):
                hint = f"give it the key `{key}`"
                raise BadInput(f"the Secret holds no {key} for its identity aws", where, hint)
        self._keys = ReadOnlyCredentials(*(text[key] or None for key in KEYS))

    def keys(self) -> ReadOnlyCredentials:
        return self._keys

    def refused(self, authorization: str) -> bool:
        return False


class AwsSignature:
    """Implements `Identity`: what is signed is the method, the address, the body and the time."""

    def __init__(self, keys: OwnKeys | GivenKeys, region: str) -> None:
        self._keys, self._region = keys, region
        self._lately: deque[str] = deque(maxlen=96)  # three for each request

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        keys = self._keys.keys()
        kind = {"Content-Type": request.content_type} if request.content_type else {}
        asked = AWSRequest(request.method, request.url, kind, request.body)
        SigV4Auth(keys, SERVICE, self._region).add_auth(asked)
        found = {name: str(asked.headers[name]) for name in SIGNED if name in asked.headers}
        self._lately.extend(filter(None, (found["Authorization"], keys.secret_key, keys.token)))
        return found

    def renewed(self, status: int, used: Mapping[str, str]) -> bool:
        return status in REFUSED and self._keys.refused(used["Authorization"])

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(self._lately)


def _own() -> Any:
    from botocore.config import Config
    from botocore.session import Session

    session = Session()
    limits = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    session.set_default_client_config(limits)
    found = session.get_credentials()
    if found is None:
        raise IdentityError(
            "this process has no AWS identity: give its ServiceAccount a role or a Pod Identity association"
        )
    return found
