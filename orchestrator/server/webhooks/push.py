"""What a Git host sends, and what it means."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

MOST_URLS = 16


class Malformed(Exception):
    """The body is not what this host sends; the message is for whoever set it up."""


@dataclass(frozen=True)
class Delivery:
    """`headers` by lower-case name; `body` as it came, for signatures are over its bytes."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def json(self) -> dict[str, Any]:
        """The body. Raises Malformed."""
        return parsed(self.body)


@dataclass(frozen=True)
class Message:
    """A push to `ref` (in full, or empty for any) of the repository at `urls`, or of what `sources` names."""

    kind: Literal["push", "ping", "other"]
    urls: tuple[str, ...] = ()
    ref: str = ""
    sources: tuple[str, ...] = ()


class Host(Protocol):
    """One kind of Git host."""

    def read(self, delivery: Delivery) -> Message:
        """What the delivery says; nothing is proven yet. Raises Malformed."""

    def proves(self, delivery: Delivery, secret: bytes) -> bool:
        """Whether whoever sent it knows the secret."""


def parsed(text: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises Malformed."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("the body is not a JSON object")
    return found


def texts(owner: object, *names: str) -> tuple[str, ...]:
    """The strings among these members of an object; none where it is no object."""
    if not isinstance(owner, dict):
        return ()
    found = [owner.get(name) for name in names]
    return tuple(item for item in found if isinstance(item, str) and item)[:MOST_URLS]


def text(owner: object, name: str) -> str:
    """A member that is a string, or an empty one."""
    return next(iter(texts(owner, name)), "")


def signed(body: bytes, given: str, secret: bytes) -> bool:
    """Whether `given` is the hexadecimal HMAC-SHA256 of the body."""
    wanted = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), given.strip().lower().encode())


def equal(given: str, secret: bytes) -> bool:
    """Whether a token is the secret; digests are compared, so that its length shows no more than its text."""
    both = [hashlib.sha256(b).digest() for b in (given.encode(errors="surrogatepass"), secret)]
    return hmac.compare_digest(*both)
