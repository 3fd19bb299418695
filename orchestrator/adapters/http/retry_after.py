"""When a server wants to be asked again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_WAIT = 86400.0  # seconds: whoever asks for more is not believed
_LONGEST = 64  # characters of a number or a date


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """What Retry-After says (RFC 9110, 10.2.3), in seconds, a day at most; None where it is no number and no date."""
    text = headers.get("Retry-After", "").strip()[:_LONGEST]
    seconds = number(text)
    if seconds is None:
        try:
            when = parsedate_to_datetime(text)
            seconds = (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
    return bounded(seconds)


def number(text: str) -> float | None:
    """A whole number of ASCII digits; None for anything else, such as a superscript ² that counts as a digit, too."""
    return float(text[:_LONGEST]) if text.isascii() and text.isdigit() else None


def bounded(seconds: float) -> float:
    """Neither in the past nor beyond what is believed."""
    return min(max(0.0, seconds), MOST_WAIT)
