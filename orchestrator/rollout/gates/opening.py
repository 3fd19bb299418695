"""What keeps a wave from opening once its gate is open: a canary deployment, a window or a freeze, then other rollouts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.rollout.following import CanaryDeployment, waits_for
from orchestrator.rollout.gates.emergency import offered, sizes, skips
from orchestrator.rollout.gates.windows import Opening, opening
from orchestrator.rollout.resources.model import Strategy, Window
from orchestrator.rollout.resources.resource import Freeze, Rollout


@dataclass(frozen=True)
class Turn:
    """`waits_for` is empty where the wave may open; `until` is when a window or freeze ends, where that is known.

    `skipped` is the window or freeze for which it would wait without an emergency.
    """

    waits_for: Literal["", "window", "limit", "workload"]
    message: str = ""
    until: datetime | None = None
    skipped: str = ""


def before_wave(rollout: Rollout) -> bool:
    """Whether opening a wave is what comes next, so that all of this is asked."""
    status = rollout.status
    ahead = status.wave < len(rollout.spec.waves) and not status.wave_is_open
    return ahead and status.phase in ("Progressing", "Paused")


def turn(
    rollout: Rollout,
    freezes: Sequence[Freeze],
    lacking: str,
    now: datetime,
    canary: CanaryDeployment | None = None,
) -> Turn:
    """`lacking` says what there is no capacity for; empty where there is. `canary` is the deployment that it goes with."""
    wave, spec = rollout.status.wave, rollout.spec
    if keeps := waits_for(rollout, canary):
        return Turn("workload", keeps)
    skipped = [what for what in spec.strategy.emergency.skip if skips(rollout, what, now)]
    way = _without(skipped, spec.strategy.windows, freezes, spec.source, now)
    if not way.open:
        return Turn("window", f"wave {wave}: {way.message}", way.until)
    if lacking:
        return Turn("limit", f"wave {wave} waits for capacity: {lacking}")
    usual = closure(spec.strategy.windows, freezes, spec.source, now) if skipped else way
    return Turn("", skipped="" if usual.open else usual.message)


def _without(
    skipped: Collection[str], windows: Sequence[Window], freezes: Sequence[Freeze], source: str, now: datetime
) -> Opening:
    """Whether the way is open where an emergency skips windows or freezes; a freeze of every source always holds."""
    held = [f for f in freezes if "freezes" not in skipped or not f.spec.sources]
    return closure([] if "windows" in skipped else windows, held, source, now)


def would_skip(
    strategy: Strategy,
    source: str,
    names: Sequence[int],
    first: int,
    freezes: Sequence[Freeze],
    now: datetime,
) -> list[str]:
    """What an emergency declared now would skip from wave `first` on, in words; `names` counts each wave's namespaces."""
    usual = closure(strategy.windows, freezes, source, now)
    hurried = _without(strategy.emergency.skip, strategy.windows, freezes, source, now)
    closed = usual.message if hurried.open and not usual.open else ""
    return list(offered(strategy, names, first, closed))


def left_to_skip(rollout: Rollout, freezes: Sequence[Freeze], now: datetime) -> list[str]:
    """What one declared now would skip of the waves of a rollout that are still to open."""
    spec, first = rollout.spec, rollout.status.waves_started
    return would_skip(spec.strategy, spec.source, sizes(rollout), first, freezes, now)


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
