"""The timeline of a rollout in the terminal: a line and a mark for each moment, as soon as the cluster tells it."""

from datetime import datetime
from typing import Any

from orchestrator.cli import edge
from orchestrator.record.timeline import moments
from orchestrator.record.view import Moment
from orchestrator.rollout.next import Action, State, decide_by
from orchestrator.rollout.outbox import REGRESSIONS
from orchestrator.rollout.resources.model import BY_ITSELF

MARKS = {
    "Planned": ("○", "cyan"),
    "WaveStarted": ("▶", "blue"),
    "Applied": ("✎", "blue"),
    "Measured": ("◉", "white"),
    "Decided": ("☑", "cyan"),
    "Promoted": ("✔", "green"),
    "Succeeded": ("✔", "bold green"),
    "Restored": ("↺", "yellow"),
    "RolledBack": ("↺", "bold yellow"),
    "Failed": ("✘", "bold red"),
    "Inconclusive": ("?", "yellow"),
    "Undecided": ("✘", "bold red"),
    "BreakGlass": ("‼", "bold red"),
    "Emergency": ("‼", "bold red"),
    "ApprovalsUnproven": ("‼", "bold red"),
    **dict.fromkeys(REGRESSIONS, ("✘", "bold red")),
}


def line(moment: Moment, start: datetime) -> str:
    """One line of rich markup."""
    from rich.markup import escape

    mark, style = MARKS.get(moment.kind, ("·", "white"))
    label = f"{moment.kind:<12}"
    first, *more = moment.text.rstrip("\n").split("\n")
    lines = [f"  [dim]{clock(moment.time, start)}[/dim] [{style}]{mark} {label}[/{style}] {escape(first)}"]
    return "\n".join([*lines, *(f"{'':<23}{escape(text)}" for text in more)])


def clock(time: datetime, start: datetime) -> str:
    """Minutes and seconds since the start."""
    seconds = max(int((time - start).total_seconds()), 0)
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def answers(state: State) -> tuple[str, ...]:
    """The commands that answer what a rollout waits for, or are next after it went back; the first lets it go on."""
    status, name = state.rollout.status, state.rollout.name
    if status.phase in ("RolledBack", "Failed"):
        retry = (f"retry {state.rollout.spec.source}",) if status.phase == "RolledBack" else ()
        return (*retry, f"explain {name}")
    if status.phase != "Paused":
        return ()
    if status.paused_for == "approval":
        return (f"approve {name} -m WHY", f"reject {name} -m WHY")
    return (*(() if status.paused_for in BY_ITSELF else (f"resume {name}",)), f"abort {name}")


class Progress:
    """Called with every state; prints what was not there before."""

    def __init__(self, quiet: bool = False) -> None:
        self._console: Any = edge.console(quiet)
        self._seen: set[Moment] = set()
        self._start: datetime | None = None
        self._waiting = ""

    def __call__(self, state: State, action: Action | None = None) -> None:
        for moment in moments(state):
            if moment in self._seen:
                continue
            self._seen.add(moment)
            self._start = self._start or moment.time
            self._console.print(line(moment, self._start))
        if action is not None and action.verb == "wait" and action.until is not None:
            said = f"{action.reason} wave {action.wave} until {action.until:%H:%M:%S}"
            if said != self._waiting:
                self._waiting = said
                self._console.print(f"  [dim]      {said}[/dim]")

    def end(self, state: State) -> None:
        """What was not there before, and the last line."""
        self(state)
        self.last(state)

    def last(self, state: State) -> None:
        """How it ended and what to do."""
        status, name = state.rollout.status, state.rollout.name
        goes_on = "".join(f"`netpol-canary {command}` goes on" for command in answers(state)[:1])
        if status.paused_for in BY_ITSELF:
            goes_on = f"{status.reason}; a controller, or `netpol-canary run`, goes on then"
        if (end := decide_by(state)) is not None:
            goes_on = f"a controller goes on watching it, and rolls it back at {end:%H:%M:%S} UTC; {goes_on}"
        hints = {
            "Paused": f"{goes_on}, `netpol-canary abort {name}` rolls everything back",
            "Failed": "a person is needed: the cluster differs from what stood there before",
            "RolledBack": f"the revision is blocked; `netpol-canary retry {state.rollout.spec.source}` releases it",
        }
        self._console.print(f"{name}: [bold]{status.phase}[/bold]", end="")
        self._console.print(f" ({status.paused_for})" if status.paused_for else "", end="")
        hint = hints.get(status.phase, "")
        self._console.print(f"; {hint}" if hint else "", markup=False)
