"""What every HTTP client here does alike: a body of so many bytes, Retry-After, no credentials but those given."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

CHUNK = 65536


class TooLarge(ValueError):
    """A body is longer than it may be."""


def body(answer: Any, most: int) -> bytes:
    """The bytes of a streamed answer of requests, not decoded. Raises TooLarge beyond `most` of them."""
    found = bytearray()
    for part in answer.raw.stream(CHUNK, decode_content=False):
        found += part
        if len(found) > most:
            raise TooLarge(f"its answer is larger than {most >> 20} MiB")
    return bytes(found)


def retry_after(text: str, now: datetime) -> float | None:
    """What the header Retry-After says, in seconds: a number or a date; None where it says neither."""
    if text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())


def as_it_is(request: Any) -> Any:
    """The `auth` of requests that adds nothing: ~/.netrc must not replace the header that was given."""
    return request
