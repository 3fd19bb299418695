"""A rollout as people read it: what happened, when, derived from its objects alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.rollout.model import Transition
from orchestrator.rollout.next import State

MARKS = {
    "Planned": ("○", "cyan"),
    "Opened": ("▶", "blue"),
    "Applied": ("✎", "blue"),
    "Looked": ("◉", "white"),
    "Promoted": ("✔", "green"),
    "Succeeded": ("✔", "bold green"),
    "Regression": ("✘", "bold red"),
    "Restored": ("↺", "yellow"),
    "RolledBack": ("↺", "bold yellow"),
    "Failed": ("✘", "bold red"),
    "Inconclusive": ("?", "yellow"),
}

# What comes first among moments of the same time.
ORDER = (
    "Looked",
    "Regression",
    "Promoted",
    "Restored",
    "RolledBack",
    "Succeeded",
    "Planned",
    "Opened",
    "Applied",
)


@dataclass(frozen=True)
class Moment:
    """One line of the timeline; `kind` picks its mark."""

    time: datetime
    kind: str
    text: str


def moments(state: State) -> list[Moment]:
    """Everything that the objects tell, in order of time."""
    status = state.rollout.status
    found = [Moment(t.time, t.reason, _said(t)) for t in status.transitions]
    for number in range(len(state.rollout.spec.waves)):
        found += _wave(state, number)
    return sorted(found, key=lambda m: (m.time, ORDER.index(m.kind) if m.kind in ORDER else 0))


def _said(moved: Transition) -> str:
    """What was said; a rollback's end need not repeat its reason, which stands a few lines above."""
    return moved.message.split(": ", 1)[0] if moved.reason == "RolledBack" else moved.message


def _wave(state: State, number: int) -> list[Moment]:
    items = [state.namespaces[n] for n in state.wave_names(number) if n in state.namespaces]
    found = []
    applied = [i for i in items if i.status.applied_at]
    if applied:
        what = ", ".join(f"{i.spec.namespace} ({_changes(i.spec.changes)})" for i in applied[:6])
        more = f" and {len(applied) - 6} more" if len(applied) > 6 else ""
        last = max(i.status.applied_at for i in applied if i.status.applied_at)
        found.append(Moment(last, "Applied", f"wave {number} written: {what}{more}"))
    for item in items:
        if item.status.restored_at:
            text = f"{item.spec.namespace}: {item.status.message}"
            found.append(Moment(item.status.restored_at, "Restored", text))
    analysis = state.analyses.get(number)
    if analysis is not None:
        times = sorted({m.time for m in analysis.status.measurements})
        for time in times:
            phases = [m.phase for m in analysis.status.measurements if m.time == time]
            good, bad = phases.count("Successful"), len(phases) - phases.count("Successful")
            text = f"wave {number} watched: {good} measurements good"
            found.append(Moment(time, "Looked", f"{text}, {bad} not" if bad else text))
    return found


def _changes(changes: list) -> str:  # type: ignore[type-arg]
    counts = {a: sum(c.action == a for c in changes) for a in ("create", "update", "delete")}
    return " ".join(f"{sign}{counts[a]}" for a, sign in zip(counts, "+~-", strict=True) if counts[a])


def line(moment: Moment, start: datetime) -> str:
    """One line of rich markup."""
    from rich.markup import escape

    mark, style = MARKS.get(moment.kind, ("·", "white"))
    seconds = max((moment.time - start).total_seconds(), 0)
    clock = f"{int(seconds // 60):02d}:{int(seconds % 60):02d}"
    label = f"{moment.kind:<12}"
    first, *more = moment.text.splitlines() or [""]
    lines = [f"  [dim]{clock}[/dim] [{style}]{mark} {label}[/{style}] {escape(first)}"]
    return "\n".join([*lines, *(f"{'':<23}{escape(text)}" for text in more)])
