"""When a source's repository is looked at next: after an interval, at once when asked, later after errors.

Pure; the engine keeps one `Look` a source.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.rollout.resources.resource import Source

REQUESTED_AT = "netpol-canary.dev/requested-at"
JITTER = 0.1  # of an interval, either way, so that sources of one host spread out
MOST_DOUBLINGS = 16
MOST_REQUEST = 64  # characters; ours are times


@dataclass(frozen=True)
class Look:
    """The last one: when, what the source said then, and how many errors came in a row."""

    time: datetime
    said: tuple[int, str]
    errors: int = 0


def said(source: Source) -> tuple[int, str]:
    """The source's generation, its request, and the revision that it holds, which a person may release.

    Another value than last time asks for a poll at once. The request is compared and not read as a time: clocks of other
    machines may be wrong.
    """
    meta = source.manifest["metadata"]
    asked, held = request(meta), source.status.blocked_revision
    return int(meta.get("generation", 0)), f"{asked} {held}" if held else asked


def request(meta: Mapping[str, Any]) -> str:
    """What an object's metadata ask for; empty where that is no request, see `unreadable`."""
    text = str((meta.get("annotations") or {}).get(REQUESTED_AT, ""))
    return text if len(text) <= MOST_REQUEST and text.isprintable() else ""


def unreadable(source: Source) -> str:
    """What stands where a request for a look would, and is none: it is ignored, and that is said; empty where there is none."""
    meta = source.manifest["metadata"]
    text = str((meta.get("annotations") or {}).get(REQUESTED_AT, ""))
    if not text or request(meta):
        return ""
    return f"the annotation {REQUESTED_AT} is ignored ({text[:60]!r}): one line of {MOST_REQUEST} characters at most, such as a time"


def due(last: Look | None, source: Source, now: datetime, seconds: float, most: float) -> bool:
    """`seconds` is the interval without errors; each error in a row doubles it, up to `most`."""
    if last is None or last.said != said(source) or now < last.time:  # the clock was set back since
        return True
    wait = seconds * (1 << min(last.errors, MOST_DOUBLINGS)) if last.errors else seconds
    wait = min(wait, max(seconds, most)) * (1 + JITTER * _share(source.uid, last.time))
    return now - last.time >= timedelta(seconds=wait)


def _share(uid: str, time: datetime) -> float:
    """-1 to 1: as good as random between sources and looks, and the same when asked again."""
    mark = hashlib.sha256(f"{uid}/{time.timestamp()}".encode()).digest()
    return int.from_bytes(mark[:4], "big") / 0x7FFFFFFF - 1
