"""Anything else, such as curl or Argo Events: a bearer token, or an HMAC-SHA256 in X-Signature-256.

The body is `{"url": ..., "branch": ...}`, with `ref` in place of `branch` for tags, or `{"sources": [NAME]}`.
"""

from orchestrator.server.webhooks.push import Delivery, Malformed, Message, equal, signed, text

MOST_SOURCES = 100


class Generic:
    """Implements `Host`."""

    def read(self, delivery: Delivery) -> Message:
        body = delivery.json()
        given = body.get("sources", [])
        if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
            raise Malformed("sources is a list of names")
        if len(given) > MOST_SOURCES:
            raise Malformed(f"at most {MOST_SOURCES} sources are taken at once")
        url, branch = text(body, "url"), text(body, "branch")
        if not url and not given:
            raise Malformed('the body is {"url": ..., "branch": ...} or {"sources": [...]}')
        ref = text(body, "ref") or (f"refs/heads/{branch}" if branch else "")
        return Message("push", (url,) if url else (), ref, tuple(given))

    def proves(self, delivery: Delivery, secret: bytes) -> bool:
        scheme, _, token = delivery.header("Authorization").partition(" ")
        bearer = equal(token.strip(), secret) and scheme.lower() == "bearer"
        given = delivery.header("X-Signature-256").removeprefix("sha256=")
        return signed(delivery.body, given, secret) or bearer
