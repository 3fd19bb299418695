"""`explain`: why a rollout was rolled back or stands still, and what was predicted, probed and seen."""

from typing import Any

from orchestrator.analysis.agreement import Row, agreement
from orchestrator.analysis.cause import TITLES, Why, why
from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.printing import formatted, printed, table
from orchestrator.context import read
from orchestrator.harmless import one_line
from orchestrator.operations.requests import find_rollout
from orchestrator.record.build import telling
from orchestrator.record.timeline import moments
from orchestrator.rollout.next import State
from orchestrator.rollout.notifications.connection_words import listed, of_wave
from orchestrator.rollout.resources.model import BY_ITSELF, TERMINAL
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.wording import many

MOST_ROWS = 40
MOST_AHEAD = 10
MOST_DECISIONS = 20
MOST_SAID = 200  # characters of what ended or holds it: as many as a reason has, whose end says until when
ENDED = {
    "Succeeded": "succeeded",
    "RolledBack": "was rolled back",
    "Failed": "failed",
    "Superseded": "was superseded",
}


def explain(target: Target, name: str, output: str) -> int:
    """Five lines, the alarms, and a row for each connection of the diff."""
    formatted(output)
    ctx = wiring.connected(target)
    return shown(read(ctx, find_rollout(ctx, name).name), output)


def shown(state: State, output: str = "") -> int:
    """Print a state's explanation."""
    state = state.own()
    number = telling(state)
    analysis = state.analyses[number] if number is not None else None
    found = why(state, analysis.spec.wave) if analysis is not None else None
    if output:
        printed(_data(state, analysis, found), output)
    elif analysis is None or found is None:
        print(f"{_standing(state)}: no wave was watched{_yet(state)}{_answer(state)}")
    else:
        _told(state, analysis, found)
    if not output:
        for text in _decisions(state):
            print(f"  {'decided:':<13} {one_line(text)}")
        _ahead(state)
    return 0


def _decisions(state: State) -> list[str]:
    """What people decided, and why, the latest last."""
    return [moment.text for moment in moments(state) if moment.kind == "Decided"][-MOST_DECISIONS:]


def _ahead(state: State) -> None:
    """The connections that the wave changes that is next, or waits for a person: by the plan, the worst first."""
    status = state.rollout.status
    edges, total = of_wave(state.rollout.spec, status.wave)
    if status.phase in TERMINAL or status.phase == "RollingBack" or status.wave_is_open or not total:
        return
    print(f"\nWave {status.wave} changes {many(total, 'connection')}, the worst first:")
    for text in listed(edges, total, MOST_AHEAD):
        print(f"  {text}")


def _told(state: State, analysis: WaveAnalysis, found: Why) -> None:
    status = state.rollout.status
    paused = f" for {status.paused_for}" if status.phase == "Paused" else ""
    print(f"{_standing(state)}{paused}; wave {analysis.spec.wave} {analysis.status.phase}{_answer(state)}")
    went_wrong = analysis.status.phase == "Failed"
    for title, text in (
        zip(TITLES, found.lines, strict=True) if went_wrong else [("measured", found.lines[0])]
    ):
        print(f"  {title + ':':<13} {text or '-'}")
    for alarm in analysis.status.alarms:
        print(f"  {'alarm:':<13} {alarm}")
    for note in analysis.spec.notes:
        print(f"  {'note:':<13} {note}")
    rows = agreement(analysis.spec, analysis.status)
    if rows:
        print()
        table(["FROM", "TO", "PREDICTED", "PROBED", "SEEN"], map(_cells, rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        print(f"and {len(rows) - MOST_ROWS} more; -o json has all")


def _standing(state: State) -> str:
    """What it is, in the past tense once it is over."""
    phase = state.rollout.status.phase
    return f"{state.rollout.name} {ENDED.get(phase) or f'is {phase}'}"


def _yet(state: State) -> str:
    return "" if state.rollout.status.phase in ENDED else " yet"


def _answer(state: State) -> str:
    """Who or what brought it there, as it was recorded; empty while it runs as it should."""
    status = state.rollout.status
    wanted = ("RollingBack", "RolledBack") if status.phase == "RolledBack" else (status.phase,)
    if status.phase not in ("RollingBack", "RolledBack", "Failed", "Superseded", "Paused"):
        return ""
    cause = None
    for one in reversed(status.transitions):
        if one.phase not in wanted:
            break
        cause = one
    if cause is None:
        return ""
    said = one_line(next(iter(cause.message.splitlines()), "") or cause.reason)
    short = said if len(said) <= MOST_SAID else said[: MOST_SAID - 1] + "…"
    # What it waits for names its person itself: that of a freeze, or those who have approved.
    waits = status.phase == "Paused" and status.paused_for in (*BY_ITSELF, "approval")
    by = f"by {one_line(cause.actor)}"
    return f" ({short})" if waits or by in short else f" ({short}; {by})"


def _cells(row: Row) -> list[str]:
    return [row.source, row.destination, f"{row.before} → {row.after}", row.probed or "-", row.seen or "-"]


def _data(state: State, analysis: WaveAnalysis | None, found: Why | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": state.rollout.name, "phase": state.rollout.status.phase}
    facts["decisions"] = _decisions(state)
    spec = state.rollout.spec
    facts["planned"] = [
        {
            "wave": number,
            "connections": of_wave(spec, number)[1],
            "worst": [
                {
                    "change": e.change,
                    "from": e.source,
                    "to": e.destination,
                    "before": e.before,
                    "after": e.after,
                    "because": list(e.because),
                }
                for e in of_wave(spec, number)[0]
            ],
        }
        for number in range(len(spec.waves))
    ]
    if analysis is None or found is None:
        return facts
    facts |= {"wave": analysis.spec.wave, "verdict": analysis.status.phase, "confidence": found.confidence}
    facts |= dict(zip(TITLES[:3], found.lines[:3], strict=True))
    facts |= {
        "alarms": analysis.status.alarms,
        "suspects": analysis.status.suspects,
        "notes": analysis.spec.notes,
    }
    facts["edges"] = [
        {
            "from": r.source,
            "to": r.destination,
            "before": r.before,
            "after": r.after,
            "probed": r.probed,
            "seen": r.seen,
            "because": list(e.because),
        }
        for e, r in zip(analysis.spec.edges, agreement(analysis.spec, analysis.status), strict=True)
    ]
    return facts
