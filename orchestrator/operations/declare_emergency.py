"""A person asks for an emergency: what their source allows to be skipped is skipped of one rollout from here on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.context import Context, freezes
from orchestrator.errors import BadInput, Refused
from orchestrator.operations.approve import as_if, fitting, manifest, spoken
from orchestrator.rollout.gates.emergency import standing, voices
from orchestrator.rollout.gates.opening import left_to_skip
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Approval, Rollout, load
from orchestrator.rollout.state import State


@dataclass(frozen=True)
class Declared:
    """By whom, until when, and what it skips, in words; `again` where one stands already."""

    user: str
    until: datetime
    skips: tuple[str, ...]
    again: bool = False

    @property
    def text(self) -> str:
        """In one line."""
        until = f"until {self.until:%Y-%m-%d %H:%M} UTC"
        if self.again:
            return f"an emergency stands already, declared by {self.user}, {until}"
        return f"EMERGENCY declared by {self.user} {until}; it skips {'; '.join(self.skips) or 'nothing that is left'}"


def reasoned(why: str) -> None:
    """Raises BadInput where an emergency would have no reason, or too long a one."""
    if not why.strip():
        raise BadInput("an emergency takes a reason", hint="say why")
    fitting(why)


def pointless(rollout: Rollout) -> str:
    """Why an emergency could skip nothing of a rollout; empty where it could."""
    phase = rollout.status.phase
    if phase in TERMINAL or phase == "RollingBack":
        return f"{rollout.name} is {phase}; there is nothing to hurry"
    if not rollout.spec.strategy.emergency.skip:
        hint = "its strategy.emergency.skip named none when it was planned"
        return f"the source {rollout.spec.source} allows nothing of {rollout.name} to be skipped: {hint}"
    return ""


def declare(ctx: Context, state: State, why: str) -> Declared:
    """Record it in the name of whoever calls. BadInput for what cannot be recorded, Refused for what would not count."""
    reasoned(why)
    rollout, status, now = state.rollout, state.rollout.status, ctx.clock.now()
    if why_none := pointless(rollout):
        raise Refused(why_none)
    allowed = rollout.spec.strategy.emergency
    if status.emergency is not None and standing(rollout, now):
        return Declared(status.emergency.user, status.emergency.until, (), again=True)
    spec = spoken(ctx, state, status.wave, frozenset(allowed.groups), "emergency", why)
    obj, user = manifest(ctx, state, spec), spec.user
    for voice in voices(rollout, (as_if(obj, state, now),), now):
        if voice.why:
            raise Refused(f"an emergency declared by {user} does not count: {user} {voice.why}")
    made: Approval = load(ctx.cluster.create(obj))
    found = voices(rollout, (made,), now)
    until = next(
        (v.expires for v in found if v.expires), now + timedelta(seconds=allowed.expires_after_seconds)
    )
    return Declared(user, until, tuple(left_to_skip(rollout, freezes(ctx), now)))
