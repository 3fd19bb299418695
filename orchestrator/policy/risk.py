"""How much a change of the network could hurt: what it opens, what it cuts, and how many of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.policy.connection_diff import Change
from orchestrator.policy.connections import Range

Level = Literal["none", "low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("none", "low", "medium", "high")
MANY = 20


@dataclass(frozen=True)
class Risk:
    """`reasons` say what makes it so."""

    level: Level
    reasons: tuple[str, ...]


def risk(changes: Sequence[Change]) -> Risk:
    """High: open to the outside, or many connections; medium: anything else opened or cut; low: new workloads."""
    known = [c for c in changes if not c.note]
    outside = sum(isinstance(c.src, Range) and bool(c.after & ~c.before) for c in changes)
    opened = sum(bool(c.after & ~c.before) for c in known)
    cut = sum(bool(c.before & ~c.after) for c in known)
    reasons = []
    if outside:
        reasons.append(f"{_many(outside, 'workload')} newly open to the outside")
    if opened:
        reasons.append(f"{_many(opened, 'connection')} opened")
    if cut:
        reasons.append(f"{_many(cut, 'connection')} cut")
    if len(changes) > len(known):
        reasons.append(f"{_many(len(changes) - len(known), 'connection')} of workloads that come or go")
    if outside or opened + cut > MANY:
        return Risk("high", tuple(reasons))
    if opened or cut:
        return Risk("medium", tuple(reasons))
    return Risk("low" if changes else "none", tuple(reasons) or ("no connection changes",))


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
