"""Templates to HTML: everything is escaped, times and durations read as people say them."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestrator.harmless import visible
from orchestrator.record.curve_bounds import usable
from orchestrator.record.drawings.axes import value_text
from orchestrator.rollout.notifications.connection_words import rules
from orchestrator.rollout.resources.places import space, worded
from orchestrator.server.pages.page_bounds import by_metric, foremost, numbers, planned, wrong_first
from orchestrator.server.pages.page_drawings import graph, latency, outcomes, svg

TEMPLATES = Path(__file__).parent / "templates"
MINUTE, HOUR, DAY = 60, 3600, 86400

STATE_WORDS = {
    "ahead": "ahead",
    "waiting": "waits",
    "running": "running",
    "good": "good",
    "bad": "went wrong",
    "undone": "rolled back",
}
PHASE_STATES = {
    "Pending": "ahead",
    "Progressing": "running",
    "Paused": "waiting",
    "RollingBack": "undone",
    "Succeeded": "good",
    "RolledBack": "undone",
    "Failed": "bad",
    "Superseded": "undone",
}


def duration(seconds: float | None) -> str:
    """`0.04 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 days`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < 2 * DAY:
        minutes = f" {seconds % HOUR // MINUTE:.0f} min" if seconds % HOUR >= MINUTE else ""
        return f"{seconds // HOUR:.0f} h{minutes}"
    return f"{seconds // DAY:.0f} days"


def figure(value: float | None) -> str:
    """Three digits that matter; `–` where there is no value."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def amount(value: float | None, kind: str) -> str:
    """As the axis of a metric of that kind has it; `–` where there is no value."""
    known = usable(value)
    return "–" if known is None else value_text(known, kind)


def ago(time: datetime, now: datetime) -> str:
    """`just now`, `4 min ago`; a day and longer back the date itself says more."""
    passed = (now - time).total_seconds()
    if passed < 5:
        return "just now"
    if passed > 2 * DAY:
        return f"{time:%d %b %H:%M}" if time.year == now.year else f"{time:%d %b %Y}"
    return f"{duration(passed)} ago"


def person(text: str) -> str:
    """A cluster user, or the name of `Name <mail>`."""
    return text.removeprefix("user:")


def lines(diff: str) -> list[tuple[str, str]]:
    """A unified diff's lines with their kinds."""
    kinds = {"+": "add", "-": "del", "@": "at"}
    found = [line for line in diff.splitlines() if not line.startswith(("--- ", "+++ "))]
    return [(kinds.get(line[:1], "ctx"), line) for line in found]


def moment(time: datetime, now: datetime) -> str:
    """The time of day, with the day where it is another one."""
    return f"{time:%H:%M:%S}" if time.date() == now.date() else f"{time:%d %b %H:%M:%S}"


def stamp(time: datetime) -> str:
    """For machines: `datetime` attributes."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters.update(
        duration=duration,
        ago=ago,
        person=person,
        difflines=lines,
        stamp=stamp,
        moment=moment,
        figure=figure,
        amount=amount,
        short=lambda r: str(r)[:10],
        place=worded,
    )
    made.filters.update(foremost=foremost, by_metric=by_metric, numbers=numbers, wrong_first=wrong_first)
    made.filters.update(planned=planned, deciding=rules)
    made.tests.update(a_namespace=lambda name: space(name) is not None)
    made.globals.update(STATE_WORDS=STATE_WORDS, PHASE_STATES=PHASE_STATES)
    made.globals.update(graph=graph, svg=svg)
    made.globals.update(outcomes_svg=outcomes, latency_svg=latency)
    return made


ENVIRONMENT = _environment()


def render(request: Request, template: str, now: datetime | None, **values: Any) -> HTMLResponse:
    """A page. `now` is what times are told from."""
    viewer = getattr(request.state, "viewer", None)
    text = ENVIRONMENT.get_template(template).render(
        viewer=viewer, path=request.url.path, query=request.url.query, now=now, **values
    )
    return HTMLResponse(visible(text))
