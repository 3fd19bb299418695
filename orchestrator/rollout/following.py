"""A canary deployment that a change goes with: what its new version needs is opened first, what the old one needed closed once it is promoted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.rollout.resources.model import Wave
from orchestrator.rollout.resources.resource import Rollout

Phase = Literal["promoted", "running", "failed", "unknown"]


@dataclass(frozen=True)
class CanaryDeployment:
    """As it stands: `promoted` is the version that all traffic goes to, `version` the newest; `said` is its state for people."""

    name: str
    phase: Phase
    promoted: str = ""
    version: str = ""
    said: str = ""


def contracts(waves: Sequence[Wave]) -> int | None:
    """The first wave that closes what only the old version needed; None where the plan has no such phase."""
    expanding = [n for n, wave in enumerate(waves) if any(place.both for place in wave.namespaces)]
    return max(expanding) + 1 if expanding else None


def waits_for(rollout: Rollout, seen: CanaryDeployment | None) -> str:
    """Why the next wave must not open yet, for people; empty where nothing of this keeps it."""
    wave = rollout.status.wave
    if seen is None or wave != contracts(rollout.spec.waves):
        return ""
    if seen.phase == "promoted" and seen.promoted != rollout.spec.followed.promoted:
        return ""
    state = f"it is {seen.said}" if seen.said else "it has promoted nothing new"
    return f"wave {wave} waits for {seen.name} to promote its new version: {state}"


def gave_up(rollout: Rollout, seen: CanaryDeployment | None) -> str:
    """Said where the new version was given up for which the change was made, before what the old one needs is closed."""
    first = contracts(rollout.spec.waves)
    if seen is None or first is None or rollout.status.waves_started > first:
        return ""
    if seen.phase != "failed" or seen.version == rollout.spec.followed.failed:
        return ""
    return f"{seen.name} gave up its new version: {seen.said}"
