"""Proofs that a delivery comes from who shares a secret, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac


def signed(body: bytes, given: str, secret: bytes) -> bool:
    """Whether `given` is the hexadecimal HMAC-SHA256 of the body."""
    wanted = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), given.strip().lower().encode())


def equal(given: str, secret: bytes) -> bool:
    """Whether a token is the secret; digests are compared, so that its length shows no more than its text."""
    both = [hashlib.sha256(b).digest() for b in (given.encode(errors="surrogatepass"), secret)]
    return hmac.compare_digest(*both)
