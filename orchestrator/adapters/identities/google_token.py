"""Tokens for Google Cloud Managed Service for Prometheus, by google-auth."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from orchestrator.adapters.identities.renewed_token import RenewedToken, Token
from orchestrator.adapters.identities.vendor_call import SECONDS, within
from orchestrator.errors import BadInput
from orchestrator.ports import Clock

SCOPE = "https://www.googleapis.com/auth/monitoring.read"
TOKENS = "https://oauth2.googleapis.com/token"  # whatever a Secret says: a key is not used elsewhere
KEY = "serviceaccount"
TAKEN = ("client_email", "private_key", "private_key_id", "project_id")
EACH = SECONDS / 2
WHOSE = "Google"


def own(clock: Clock) -> RenewedToken:
    """Of this process: its ServiceAccount (workload identity), or what GOOGLE_APPLICATION_CREDENTIALS names."""

    def find(request: Any) -> Any:
        import google.auth

        credentials, _ = google.auth.default(scopes=[SCOPE], request=request)
        return credentials

    return _renewed(find, clock)


def of_secret(secret: Mapping[str, bytes], where: str, clock: Clock) -> RenewedToken:
    """Of a service account by its key. Raises BadInput, without a word of the key."""
    from google.oauth2.service_account import Credentials

    try:
        given = json.loads(secret.get(KEY, b""))
        if given["type"] != "service_account":
            raise ValueError
        info = {k: given[k] for k in TAKEN if k in given}
        credentials = Credentials.from_service_account_info({**info, "token_uri": TOKENS}, scopes=[SCOPE])
    except (ValueError, TypeError, KeyError, RecursionError):
        hint = f"give it the key `{KEY}`: the JSON file of a service account's key"
        raise BadInput("the Secret holds no service account for its identity google", where, hint) from None
    return _renewed(lambda request: credentials, clock)


def _renewed(find: Callable[[Any], Any], clock: Clock) -> RenewedToken:
    """Looked for anew for each token, so that a file that was replaced is read."""

    def asked() -> tuple[str, datetime | None]:
        from google.auth.transport.requests import Request

        request = partial(Request(), timeout=EACH)
        credentials = find(request)
        credentials.refresh(request)
        return str(credentials.token), credentials.expiry

    def make() -> Token:
        text, ends = within(WHOSE, asked)
        seconds = (ends.replace(tzinfo=UTC) - clock.now()).total_seconds() if ends else 0.0
        return Token(text, seconds)

    return RenewedToken(make, clock)
