"""Whether promotion may happen now, and when that changes next: windows, as Argo CD's sync windows have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.rollout.resources import cron
from orchestrator.rollout.resources.model import Window

HORIZON = timedelta(days=400)  # how far ahead a change is looked for: a window of once a year is found
MOST_STEPS = 2000  # and in how many steps; more than that is "not known", and asked again later


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
    courses = [_Course(window, now) for window in windows]
    because = _closed(courses)
    for _ in range(MOST_STEPS):
        at = min((change for c in courses if (change := c.change) is not None), default=None)
        if at is None:
            break
        for course in courses:
            course.move(at)
        if bool(_closed(courses)) != bool(because):
            return Opening(not because, at, because)
        if at - now > HORIZON:
            break
    return Opening(not because, None, because)


class _Course:
    """A window as time goes on."""

    def __init__(self, window: Window, at: datetime) -> None:
        self.kind, self.name = window.kind, _called(window)
        self._length = timedelta(seconds=window.duration_seconds)
        self._at, self._begun = at, cron.latest(window.schedule, window.time_zone, at)
        self._starts = cron.following(window.schedule, window.time_zone, at)
        self._next = next(self._starts, None)

    def move(self, at: datetime) -> None:
        """To a later time."""
        self._at = at
        while self._next is not None and self._next <= at:
            self._begun, self._next = self._next, next(self._starts, None)

    @property
    def active(self) -> bool:
        return self._begun is not None and self._at < self._begun + self._length

    @property
    def change(self) -> datetime | None:
        """When it ends where it is active, else when it begins."""
        return self._begun + self._length if self._begun is not None and self.active else self._next


def _closed(courses: Sequence[_Course]) -> str:
    """Why nothing may be promoted then; empty where it may."""
    for course in courses:
        if course.kind == "deny" and course.active:
            return f"the window {course.name} denies it"
    allowed = [course for course in courses if course.kind == "allow"]
    if allowed and not any(course.active for course in allowed):
        return f"outside the window {', '.join(course.name for course in allowed[:3])}"
    return ""


def _called(window: Window) -> str:
    return f"{window.schedule!r} ({window.time_zone}, {timedelta(seconds=window.duration_seconds)})"
