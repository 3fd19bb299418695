"""The tables of a report: the same rows for Markdown, HTML and the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from orchestrator.record.curve_bounds import usable
from orchestrator.record.drawings.axes import seconds_text, value_text
from orchestrator.record.view import Attempt, Curve, Link, Moment, RolloutView, WaveView
from orchestrator.wording import few

MOST_ROWS = 200
ROLES = {
    "declared": "declared",
    "edge": "changes",
    "mustPass": "control, must pass",
    "mustNotPass": "control, must not pass",
    "sample": "stays",
    "observer": "observer",
}


@dataclass(frozen=True)
class Table:
    """`more` rows were left out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


def facts(view: RolloutView, brief: bool = False) -> list[tuple[str, str]]:
    """What stands above everything else, a line each; what is not known is left out, with `brief` also the reason."""
    paused = f" ({view.paused_for})" if view.paused_for else ""
    written = any(cell.phase != "Pending" for wave in view.waves for cell in wave.cells)
    took = view.restored_seconds if written else None
    given = [
        ("Source", view.source),
        ("Revision", view.revision),
        ("Previous revision", view.previous_revision),
        ("Cause", view.cause),
        ("Authors", ", ".join(view.authors) or "-"),
        ("Commits", "; ".join(view.commits)),
        ("Risk", "; ".join((view.risk, *view.risk_reasons))),
        ("Phase", f"{view.phase}{paused}"),
        ("EMERGENCY", view.emergency),
        ("Waits for", view.waits_for),
        ("Engine", view.engine),
        ("Reason", "" if brief or view.reason == view.waits_for != "" else view.reason or "-"),
        ("Began", moment_text(view.started_at)),
        ("Detected", moment_text(view.detected_at)),
        ("Rolled back", moment_text(view.restored_at) if written else ""),
        ("Restored in", seconds_text(took) if took is not None else ""),
        ("Rollback verified", f"{view.verified}: {view.verified_message}" if view.verified else ""),
        ("Ended", moment_text(view.ended_at)),
        ("Plan", view.plan_digest),
        ("Ignored", "\n".join(view.ignored)),
        ("Truncated", "; ".join(view.truncated)),
    ]
    return [(title, text) for title, text in given if text]


def moment_text(moment: datetime | None) -> str:
    """To the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def timeline(moments: Sequence[Moment]) -> Table:
    """Every transition and look, with who and the first line of why; the other lines stand above all of it.

    Of more than MOST_ROWS the oldest looks are left out first. A day is named where there are several.
    """
    ranked = sorted(range(len(moments)), key=lambda n: (moments[n].kind == "Measured", -n))
    shown = [moments[n] for n in sorted(ranked[:MOST_ROWS])]
    several = len({m.time.astimezone(UTC).date() for m in shown}) > 1
    form = "%Y-%m-%d %H:%M:%S" if several else "%H:%M:%S"
    rows = [
        (m.time.astimezone(UTC).strftime(form), m.kind, _wave(m.wave), m.text.partition("\n")[0], m.actor)
        for m in shown
    ]
    found = _bounded("Timeline", ("Time (UTC)", "What", "Wave", "Said", "By"), rows)
    return replace(found, more=len(moments) - len(shown))


def _wave(number: int | None) -> str:
    return "" if number is None else str(number)


def namespaces(view: RolloutView) -> Table:
    """Every namespace of every wave."""
    rows = [
        (
            str(wave.number),
            wave.state,
            cell.title,
            cell.phase,
            few([f"{d.action} {d.object}" for d in cell.objects], 4),
            f"{cell.applied_at.astimezone(UTC):%H:%M:%S}" if cell.applied_at else "",
            seconds_text(cell.restored_seconds) if cell.restored_seconds is not None else "",
        )
        for wave in view.waves
        for cell in wave.cells
    ]
    columns = ("Wave", "State", "Namespace", "Phase", "Changes", "Written", "Restored in")
    return _bounded("Waves", columns, rows)


def metrics(wave: WaveView) -> Table:
    """The last value of each metric in each namespace; the plots show the way there."""
    rows = [row for curve in wave.curves for row in _metric(curve)]
    columns = ("Metric", "Namespace", "Before", "Last", "Control group", "Limit", "Verdict", "Checks")
    return _bounded("Metrics", columns, rows)


def _metric(curve: Curve) -> Iterator[tuple[str, ...]]:
    if not curve.points:
        return
    last = curve.points[-1]
    decides = "" if curve.decides else " (does not decide)"
    yield (
        curve.metric + decides,
        curve.namespace,
        *(_value(v, curve.kind) for v in (last.baseline, last.value, last.control)),
        "; ".join(limits(curve)),
        last.phase,
        str(len(curve.points)),
    )


def _value(value: float | None, kind: str) -> str:
    known = usable(value)
    return "-" if known is None else value_text(known, kind)


def limits(curve: Curve) -> Iterator[str]:
    """What it was held against, in words."""
    if curve.minimum is not None:
        yield f"at least {value_text(curve.minimum, curve.kind)}"
    if curve.maximum is not None:
        yield f"at most {value_text(curve.maximum, curve.kind)}"
    if curve.max_increase is not None:
        yield f"up by {value_text(curve.max_increase, curve.kind)} at most"
    if curve.min_ratio is not None:
        yield f"{curve.min_ratio * 100:g} % of before at least"


def probes(wave: WaveView) -> Table:
    """Those that are not as expected first, then declared ones and controls, then the others."""
    ranked = sorted(wave.attempts, key=lambda a: (a.good is not False, a.good is True, _rank(a)))
    rows = [_probe(attempt) for attempt in ranked]
    columns = ("Connection", "Why", "Before", "After", "Expected", "Kept open", "Good", "Said")
    return _bounded("Probes", columns, rows)


def _rank(attempt: Attempt) -> int:
    return list(ROLES).index(attempt.role) if attempt.role in ROLES else len(ROLES)


def _probe(attempt: Attempt) -> tuple[str, ...]:
    spoken = "" if attempt.check == "connect" else f" ({attempt.check})"
    ends = f"{attempt.source} to {attempt.destination}:{attempt.port}/{attempt.protocol}{spoken}"
    good = {True: "yes", False: "no", None: "unclear"}[attempt.good]
    told = attempt.message if attempt.good is not True else ""
    role = ROLES.get(attempt.role, attempt.role)
    return ends, role, attempt.before, attempt.after, attempt.expected, attempt.long_lived or "", good, told


def connections(wave: WaveView) -> Table:
    """Predicted, probed, seen, and which rules do it."""
    rows = [_link(link) for link in wave.links]
    columns = ("From", "To", "Change", "Before", "After", "Probed", "Seen", "Because")
    return _bounded("Connections", columns, rows)


def _link(link: Link) -> tuple[str, ...]:
    change = f"{link.change}; {link.alarm}" if link.alarm else link.change
    because = "; ".join(b.replace(" (the cluster:1)", "") for b in link.because)
    return link.source, link.destination, change, link.before, link.after, link.probed, link.seen, because


def _bounded(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    """Columns in which nothing stands are left out, and rows beyond the bound."""
    found = list(rows)
    kept = [n for n in range(len(columns)) if any(row[n] for row in found)]
    shown = tuple(tuple(row[n] for n in kept) for row in found[:MOST_ROWS])
    return Table(title, tuple(columns[n] for n in kept), shown, max(len(found) - MOST_ROWS, 0))
