"""What a session is: who, by which way, until when. It lives in its cookie alone."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Way = Literal["token", "oidc", "impersonated", "person"]


@dataclass(frozen=True)
class Session:
    """`token` is what calls are made with, empty where they are made in the person's name; `expires` in UTC.

    `id` and `csrf` are new with each session, so that none given before signing in is worth anything after it.
    """

    way: Way
    user: str
    groups: tuple[str, ...]
    expires: datetime
    token: str = ""
    id: str = ""
    csrf: str = ""

    def text(self) -> bytes:
        """For `read`."""
        return json.dumps({**asdict(self), "expires": int(self.expires.timestamp())}).encode()


def begin(
    way: Way, user: str, groups: tuple[str, ...], now: datetime, seconds: int, token: str = ""
) -> Session:
    """A new session, at most `seconds` long and no longer than its token is valid."""
    expires = now + timedelta(seconds=seconds)
    until = token_expiry(token)
    if until is not None:
        expires = min(expires, until)
    return Session(way, user, groups, expires, token, secrets.token_urlsafe(16), secrets.token_urlsafe(32))


def read(text: bytes | None, now: datetime) -> Session | None:
    """The session that was written, while it lasts."""
    if text is None:
        return None
    try:
        found = json.loads(text)
        expires = datetime.fromtimestamp(found.pop("expires"), UTC)
        groups = tuple(found.pop("groups"))
        session = Session(groups=groups, expires=expires, **found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # of another version of this program
    return session if now < session.expires and session.id and session.csrf else None


def token_expiry(token: str) -> datetime | None:
    """When a JWT ends by its own word; None for another kind of token. Whether it is genuine others judge."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        return None
