"""What keeps a wave from opening: its gate, then a window or a freeze, then other rollouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.rollout.approvals import gateway
from orchestrator.rollout.freezes import closure
from orchestrator.rollout.model import PauseReason
from orchestrator.rollout.resource import Approval, Freeze, Rollout


@dataclass(frozen=True)
class Turn:
    """`waits_for` is empty where the wave may open; `until` is when a window or freeze ends, where that is known."""

    waits_for: PauseReason
    message: str
    until: datetime | None = None
    rejected_by: str = ""

    @property
    def reason(self) -> str:
        """The transition's reason."""
        if self.rejected_by:
            return "Rejected"
        return {"approval": "Approval", "window": "Closed", "limit": "Queued"}.get(self.waits_for, "Opened")


def before_wave(rollout: Rollout) -> bool:
    """Whether opening a wave is what comes next, so that all of this is asked."""
    status = rollout.status
    ahead = status.opened <= status.wave < len(rollout.spec.waves)
    return ahead and status.phase in ("Progressing", "Paused")


def turn(
    rollout: Rollout, approvals: Sequence[Approval], freezes: Sequence[Freeze], lacking: str, now: datetime
) -> Turn:
    """`lacking` says what there is no room for; empty where there is."""
    wave, spec = rollout.status.wave, rollout.spec
    gate = gateway(rollout, wave, approvals, now)
    if gate.rejected_by or not gate.open:
        return Turn("approval", gate.message, None, gate.rejected_by)
    way = closure(spec.strategy.windows, freezes, spec.source, now)
    if not way.open:
        return Turn("window", f"wave {wave}: {way.message}", way.until)
    if lacking:
        return Turn("limit", f"wave {wave} waits for room: {lacking}")
    return Turn("", gate.message)
