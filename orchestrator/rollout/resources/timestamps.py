"""Times as the API server writes them (RFC 3339)."""

from datetime import UTC, datetime


def stamp(text: object) -> datetime | None:
    """In UTC; None where there is none, or where what stands there is no time."""
    if isinstance(text, datetime):
        return text
    try:
        found = datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
