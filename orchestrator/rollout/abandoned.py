"""What a rollout was left as, on which nobody works any more: half done, or between two steps that hurt nobody."""

from typing import Literal

from orchestrator.rollout.next import State

LOST = "EngineLost"

Left = Literal["", "between", "half"]


def left(state: State) -> Left:
    """`half`: a wave may be written and is not promoted, or the way back has begun. `between`: everything that was
    written is promoted, or nothing was written yet.

    Empty where nobody has to work on it: it has ended, or it is paused. A pause releases the Lease by design and waits
    for a person, a window or capacity, inside a wave, too: what is to become of it was asked for, and is not the guard's.
    """
    phase = state.rollout.status.phase
    if phase == "RollingBack":
        return "half"
    if phase not in ("Pending", "Progressing"):
        return ""
    return "half" if _written(state) else "between"


def _written(state: State) -> bool:
    """Whether the open wave may have been written to: nothing is before its baseline was taken.

    A namespace that is still Pending counts, since whoever wrote it may have died before saying so.
    """
    wave = state.rollout.status.wave
    analysis = state.analyses.get(wave)
    if not state.rollout.status.wave_is_open or analysis is None or analysis.status.phase == "Pending":
        return False
    return any(n.status.phase in ("Pending", "Applied") for n in state.in_wave(wave))
