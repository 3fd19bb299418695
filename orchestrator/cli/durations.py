"""Lengths of time as people type them: 30m, 12h, 1d12h, 4w."""

from __future__ import annotations

import re
from datetime import timedelta

_SPAN = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)


def length(text: str) -> timedelta | None:
    """None where it is no length of time, or none at all."""
    found = _SPAN.fullmatch(text)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes) or None
