"""Whether an unsafe request comes from a page of ours: where from, and with the session's own token."""

import asyncio
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
HEADER, FIELD = "x-csrf-token", "csrf"
MOST_BODY, MOST_FIELDS, BODY_SECONDS = 64 * 1024, 50, 10.0
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Elsewhere(Exception):
    """The request is not from a page of ours, and is refused with these words."""


class Unusable(Exception):
    """The body is too large, too slow or not a form; `status` is the HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def same_origin(headers: Mapping[str, str], external_url: str) -> None:
    """Raises Elsewhere where a browser says that another site sent this.

    Neither header is there where no browser calls; the token is asked for in any case.
    """
    site = headers.get("sec-fetch-site", "")
    if site not in ("", "same-origin", "none"):
        raise Elsewhere(f"the form was sent by another page ({site[:20]})")
    origin = headers.get("origin")
    if origin is None:
        return
    host = urlsplit(external_url).netloc if external_url else headers.get("host", "")
    try:
        found = urlsplit(origin)
    except ValueError:
        raise Elsewhere("the form was sent by another page") from None
    same_scheme = not external_url or found.scheme == urlsplit(external_url).scheme
    if not host or found.netloc.lower() != host.lower() or not same_scheme:
        raise Elsewhere(f"the form was sent by another page; people reach this one at {host}")


def same_token(expected: str, given: str) -> None:
    """Raises Elsewhere where the token is not the session's; takes as long for any."""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Elsewhere("the form is not of this session; load the page again and send it once more")


async def body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, bounded in size and time. Raises Unusable."""
    length = Request(scope).headers.get("content-length", "0")
    too_large = Unusable(413, f"the form is larger than {MOST_BODY >> 10} KiB")
    if not length.isascii() or not length.isdigit():
        raise Unusable(400, "the length is no number")
    if len(length) > 10 or int(length) > MOST_BODY:
        raise too_large
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Unusable(400, "the form did not come to its end")
                found += message.get("body", b"")
                if len(found) > MOST_BODY:
                    raise too_large
                if not message.get("more_body", False):
                    return bytes(found)
    except TimeoutError:
        raise Unusable(408, f"the form took longer than {BODY_SECONDS:g} s") from None


async def token(scope: Scope, whole: bytes) -> str:
    """The token that a request carries in its header or in its form; empty without one. Raises Unusable."""
    request = Request(scope, replayed(whole, None))
    given = request.headers.get(HEADER)
    if given is not None:
        return given
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in FORMS:
        return ""
    try:
        async with request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=MOST_BODY) as form:
            return str(form.get(FIELD, ""))
    except (HTTPException, ValueError):
        raise Unusable(400, "that is no form") from None


def replayed(whole: bytes, receive: Receive | None) -> Receive:
    """What gives the body once more, and then whatever comes after it."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": whole, "more_body": False}
        return await receive() if receive is not None else {"type": "http.disconnect"}

    return again
