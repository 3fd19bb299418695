"""Times as people type them: 30m, 1d12h, 4w, 2026-12-27T09:00+01:00."""

import re
from datetime import UTC, datetime, timedelta

from orchestrator.errors import BadInput

_SPAN = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)


def length(text: str) -> timedelta | None:
    """As 30m or 1d12h; None where it is no length of time, or none at all."""
    found = _SPAN.fullmatch(text)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes) or None


def moment(text: str, where: str) -> datetime:
    """An ISO 8601 time; the machine's time zone where it names none. Raises BadInput."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise BadInput(f"{text!r} is no time", where, "write it as 2026-12-27T09:00+01:00") from None


def ago(text: str, now: datetime) -> datetime:
    """So long before now, or a date, or a time (UTC where no zone stands there). Raises BadInput."""
    back = length(text)
    try:
        if back is not None:
            return now - back
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadInput(f"--since {text} is no time", hint="write 12h, 7d, 4w or 2026-01-31") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
