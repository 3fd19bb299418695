"""What keeps a wave from opening once its gate is open: a window or a freeze, then other rollouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.rollout.gates.windows import Opening, opening
from orchestrator.rollout.resources.model import Window
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
    ahead = status.wave < len(rollout.spec.waves) and not status.wave_is_open
    return ahead and status.phase in ("Progressing", "Paused")


def turn(rollout: Rollout, freezes: Sequence[Freeze], lacking: str, now: datetime) -> Turn:
    """`lacking` says what there is no capacity for; empty where there is."""
    wave, spec = rollout.status.wave, rollout.spec
    way = closure(spec.strategy.windows, freezes, spec.source, now)
    if not way.open:
        return Turn("window", f"wave {wave}: {way.message}", way.until)
    if lacking:
        return Turn("limit", f"wave {wave} waits for capacity: {lacking}")
    return Turn("")


def in_force(freeze: Freeze, source: str, now: datetime) -> bool:
    """Whether it freezes this source now."""
    spec = freeze.spec
    begun = spec.begin is None or spec.begin <= now
    ended = spec.until is not None and spec.until <= now
    return begun and not ended and (not spec.sources or source in spec.sources)


def closure(windows: Sequence[Window], freezes: Sequence[Freeze], source: str, now: datetime) -> Opening:
    """A freeze comes before the windows, and the one that lasts longest before the others."""
    mine = [f for f in freezes if in_force(f, source, now)]
    if not mine:
        return opening(windows, now)
    endless = [f for f in mine if f.spec.until is None]
    freeze = min(endless, key=_name) if endless else max(mine, key=lambda f: (f.spec.until, f.name))
    return Opening(False, freeze.spec.until, _told(freeze))


def _name(freeze: Freeze) -> str:
    return freeze.name


def _told(freeze: Freeze) -> str:
    by = f" by {freeze.spec.user}" if freeze.spec.user else ""
    ends = "" if freeze.spec.until else f"; `netpol-canary unfreeze {freeze.name}` ends it"
    return f"frozen{by} (RolloutFreeze {freeze.name}): {freeze.spec.reason}{ends}"
