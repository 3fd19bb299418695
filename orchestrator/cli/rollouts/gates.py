"""A gate in a few lines: how many of whom, who gave it, who does not count and why, until when."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.rollout.gates.approvals import GateState, Voice, gates
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.wording import many

MOST_SHOWN = 20


def ahead(state: State, now: datetime) -> dict[int, list[str]]:
    """The lines of every gate of a wave that was not opened yet, by wave."""
    status = state.rollout.status
    waves = range(status.waves_started, len(state.rollout.spec.waves)) if status.phase not in TERMINAL else ()
    return {
        wave: [text for gate in gates(state.rollout, wave, state.approvals, now) for text in told(gate)]
        for wave in waves
    }


def told(gate: GateState) -> Iterator[str]:
    """The first line is the gate, the others, indented, are its people."""
    title = f"gate {gate.name}" if gate.name else "gate"
    anybody = "" if gate.groups else " from anybody who may create approvals"
    yield f"{title}: {gate.text}{anybody}; {_standing(gate)}"
    if gate.broken is not None:
        yield f"    {gate.broken.user} BROKE THE GLASS at {_time(gate.broken.at)}: {gate.broken.comment}"
    if gate.rejection is not None:
        yield f"    {gate.rejection.user} rejected it at {_time(gate.rejection.at)}: {gate.rejection.comment}"
    yield from (f"    {_gave(voice)}" for voice in gate.given[:MOST_SHOWN])
    yield from (f"    {v.user} does not count: {v.user} {v.why}" for v in gate.ignored[-MOST_SHOWN:])
    if gate.barred and not gate.open:
        yield f"    wrote the change, and so may not: {', '.join(gate.barred[:MOST_SHOWN])}"
    if gate.unmapped:
        people = "one of its authors is" if gate.unmapped == 1 else f"{gate.unmapped} of its authors are"
        yield f"    {people} no known user of the cluster, so one more approval is asked for"


def _standing(gate: GateState) -> str:
    if gate.rejection is not None:
        return "rejected"
    until = f" until {_time(gate.expires)}" if gate.expires is not None else ""
    if gate.open:
        return f"open{until}"
    lasts = _length(gate.expires_after_seconds)
    lost = f"; the first is lost at {_time(gate.expires)}" if gate.expires is not None else ""
    return f"{gate.missing} missing, each good for {lasts}{lost}"


def _length(seconds: int) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds and seconds % size == 0:
            return many(seconds // size, unit)
    return f"{seconds} s"


def _gave(voice: Voice) -> str:
    groups = f" ({', '.join(voice.groups[:4])})" if voice.groups else ""
    said = f": {voice.comment}" if voice.comment.strip() else ", no reason given"
    return f"{voice.user}{groups} at {_time(voice.at)}, good until {_time(voice.expires)}{said}"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "an unknown time"
