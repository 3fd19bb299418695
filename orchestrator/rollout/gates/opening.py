"""What keeps a wave from opening once its gate is open: a window or a freeze, then other rollouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.rollout.gates.freezes import closure
from orchestrator.rollout.resources.resource import Freeze, Rollout


@dataclass(frozen=True)
class Turn:
    """`waits_for` is empty where the wave may open; `until` is when a window or freeze ends, where that is known."""

    waits_for: Literal["", "window", "limit"]
    message: str = ""
    until: datetime | None = None


def before_wave(rollout: Rollout) -> bool:
    """Whether opening a wave is what comes next, so that all of this is asked."""
    status = rollout.status
    ahead = status.opened <= status.wave < len(rollout.spec.waves)
    return ahead and status.phase in ("Progressing", "Paused")


def turn(rollout: Rollout, freezes: Sequence[Freeze], lacking: str, now: datetime) -> Turn:
    """`lacking` says what there is no capacity for; empty where there is."""
    wave, spec = rollout.status.wave, rollout.spec
    way = closure(spec.strategy.windows, freezes, spec.source, now)
    if not way.open:
        return Turn("window", f"wave {wave}: {way.message}", way.until)
    if lacking:
        return Turn("limit", f"wave {wave} waits for room: {lacking}")
    return Turn("")
