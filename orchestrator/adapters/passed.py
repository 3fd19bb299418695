"""Say once what was passed over among the files of a source or a folder."""

from __future__ import annotations

from threading import Lock

import structlog

_MOST = 10_000
_said: set[tuple[str, str]] = set()
_lock = Lock()


def passed_over(where: str, text: str) -> None:
    """Log it, unless this process has said the same of the same place before; nothing where the text is empty."""
    with _lock:
        if not text or (where, text) in _said:
            return
        if len(_said) >= _MOST:
            _said.clear()
        _said.add((where, text))
    structlog.get_logger().warning("passed over", where=where, what=text)
