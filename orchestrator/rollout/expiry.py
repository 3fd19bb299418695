"""Whether a deadline has passed, though anybody may set a wall clock. Pure.

The times in a status were written by the wall clocks of whoever worked on the rollout. They count where this worker's
own clock was not set and the times written agree with each other and with the API server's; else only what the worker
has watched itself, on a clock that nobody sets.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.rollout.resources.timestamps import stamp
from orchestrator.rollout.state import State

APART = timedelta(seconds=5)  # between two clocks that are both right


def passed(state: State, since: datetime, limit: float, now: datetime, watched: float) -> bool:
    """Whether `limit` seconds have passed since a time that stands in a status, of which `watched` were seen."""
    if watched >= limit:
        return True
    return now >= since and now - since >= timedelta(seconds=limit) and believed(state)


def believed(state: State) -> bool:
    """Whether the times in the statuses say how much time has passed; they do for who only looks at a state."""
    return state.watched is None or (state.watched.steady and _in_order(state))


def _in_order(state: State) -> bool:
    """No time is before another one that was written earlier."""
    rollout = state.rollout
    created = stamp(rollout.manifest["metadata"].get("creationTimestamp"))
    moved = rollout.status.transitions
    times = [*([created] if created else []), *(t.time for t in moved)]
    if any(later < earlier - APART for earlier, later in pairwise(times)):
        return False
    opened = next((t.time for t in reversed(moved) if t.reason == "WaveStarted"), None)
    return opened is None or all(t >= opened - APART for t in _of_the_wave(state))


def _of_the_wave(state: State) -> list[datetime]:
    wave = state.rollout.status.wave
    found = [n.status.applied_at for n in state.in_wave(wave)]
    analysis = state.analyses.get(wave)
    found += [analysis.status.progressed_at] if analysis is not None else []
    return [t for t in found if t is not None]
