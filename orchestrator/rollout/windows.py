"""Whether promotion may happen now, and when that changes next: windows, as Argo CD's sync windows have them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.rollout.cron import moments
from orchestrator.rollout.model import Window

DAY = timedelta(days=1)
HORIZON_DAYS = 400  # how far ahead a change is looked for: a window of once a year is found
MOST_STEPS = (
    5000  # and in how many steps, 0.1 s at most; more than that is "not known", and asked again later
)


@dataclass(frozen=True)
class Opening:
    """`until` is when that changes, None where no change is in sight; `because` names the window that decides."""

    open: bool
    until: datetime | None
    because: str = ""

    @property
    def message(self) -> str:
        """For people: why it is closed, and until when."""
        if self.open:
            return "no window forbids it"
        return self.because + (f"; until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "")


def opening(windows: Sequence[Window], now: datetime) -> Opening:
    """An active deny closes; where there are allow windows, one of them must be active. No windows: always open."""
    because = _closed(windows, now)
    at = now
    for _ in range(MOST_STEPS):
        changes = [found for w in windows if (found := _change(w, at)) is not None]
        if not changes:
            return Opening(not because, None, because)
        at = min(changes)
        if bool(_closed(windows, at)) != bool(because):
            return Opening(not because, at, because)
        if at - now > timedelta(days=HORIZON_DAYS):
            break
    return Opening(not because, None, because)


def _closed(windows: Sequence[Window], at: datetime) -> str:
    """Why nothing may be promoted then; empty where it may."""
    for window in windows:
        if window.kind == "deny" and _end(window, at) is not None:
            return f"the window {_called(window)} denies it"
    allowed = [w for w in windows if w.kind == "allow"]
    if allowed and all(_end(w, at) is None for w in allowed):
        return f"outside the window {', '.join(_called(w) for w in allowed[:3])}"
    return ""


def _called(window: Window) -> str:
    return f"{window.schedule!r} ({window.time_zone}, {timedelta(seconds=window.duration_seconds)})"


def _change(window: Window, at: datetime) -> datetime | None:
    """When a window that is active ends, or one that is not begins."""
    end = _end(window, at)
    return end if end is not None else _next(window, at)


def _end(window: Window, at: datetime) -> datetime | None:
    """When the window that is active at this time ends; None where it is not."""
    begun = _latest(window, at)
    return begun + timedelta(seconds=window.duration_seconds) if begun is not None else None


def _latest(window: Window, at: datetime) -> datetime | None:
    """The latest start at or before this time that has not run out."""
    length = timedelta(seconds=window.duration_seconds)
    day, last = _local(window, at) + DAY, _local(window, at - length) - DAY
    while day >= last:
        starts = moments(window.schedule, window.time_zone, day)
        before = bisect_right(starts, at)
        if before:
            return starts[before - 1] if at < starts[before - 1] + length else None
        day -= DAY
    return None


def _next(window: Window, at: datetime) -> datetime | None:
    """The first start after this time."""
    day = _local(window, at) - DAY
    for _ in range(HORIZON_DAYS):
        starts = moments(window.schedule, window.time_zone, day)
        before = bisect_right(starts, at)
        if before < len(starts):
            return starts[before]
        day += DAY
    return None


def _local(window: Window, at: datetime) -> date:
    return at.astimezone(UTC).astimezone(ZoneInfo(window.time_zone)).date()
