"""The timeline of a rollout in the terminal: a line and a mark for each moment."""

from __future__ import annotations

from datetime import datetime

from orchestrator.cli.machine_output import tame
from orchestrator.record.view import Moment
from orchestrator.rollout.outbox import REGRESSIONS

MARKS = {
    "Planned": ("○", "cyan"),
    "Opened": ("▶", "blue"),
    "Applied": ("✎", "blue"),
    "Looked": ("◉", "white"),
    "Decided": ("☑", "cyan"),
    "Promoted": ("✔", "green"),
    "Succeeded": ("✔", "bold green"),
    "Restored": ("↺", "yellow"),
    "RolledBack": ("↺", "bold yellow"),
    "Failed": ("✘", "bold red"),
    "Inconclusive": ("?", "yellow"),
    "Undecided": ("✘", "bold red"),
    "BreakGlass": ("‼", "bold red"),
    "Unvouched": ("‼", "bold red"),
    **dict.fromkeys(REGRESSIONS, ("✘", "bold red")),
}


def line(moment: Moment, start: datetime) -> str:
    """One line of rich markup."""
    from rich.markup import escape

    mark, style = MARKS.get(moment.kind, ("·", "white"))
    seconds = max((moment.time - start).total_seconds(), 0)
    clock = f"{int(seconds // 60):02d}:{int(seconds % 60):02d}"
    label = f"{moment.kind:<12}"
    first, *more = tame(moment.text).splitlines() or [""]
    lines = [f"  [dim]{clock}[/dim] [{style}]{mark} {label}[/{style}] {escape(first)}"]
    return "\n".join([*lines, *(f"{'':<23}{escape(text)}" for text in more)])
