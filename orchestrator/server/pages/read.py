"""What pages read, each with the rights of whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import Forbidden, NotFound
from orchestrator.ports import Kind, Manifest
from orchestrator.record.build import view
from orchestrator.record.view import RolloutView
from orchestrator.rollout.model import API_VERSION, TERMINAL, Watch
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import Rollout, Source, load
from orchestrator.rollout.vouching import condition
from orchestrator.steps.context import ROLLOUT, SOURCE, Context, read

MOST_SHOWN = 30
FREEZE = Kind(API_VERSION, "RolloutFreeze")


@dataclass(frozen=True)
class Freeze:
    """No wave of these sources opens, or of any where none is named; None is no bound."""

    name: str
    sources: tuple[str, ...]
    reason: str
    user: str
    begin: datetime | None
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it has begun."""
        return self.begin is None or self.begin <= now


@dataclass(frozen=True)
class Seen:
    """A rollout as read, and as people read it."""

    state: State
    view: RolloutView

    @property
    def waits_for_approval(self) -> bool:
        return self.view.phase == "Paused" and self.view.paused_for == "approval"

    @property
    def doubt(self) -> str:
        """Why approvals are not believed in this cluster; empty where they are, or nobody asked yet."""
        found = condition(self.state.rollout)
        return found.message if found is not None and found.status == "False" else ""

    def watch(self, wave: int) -> Watch | None:
        """What was seen of a promoted wave while the next one waited; None where nobody looked."""
        analysis = self.state.analyses.get(wave)
        return analysis.status.watch if analysis is not None and analysis.status.watch.looks else None

    @property
    def live(self) -> bool:
        return self.view.phase not in TERMINAL


def one(ctx: Context, name: str) -> Seen:
    """Raises NotFound, Forbidden."""
    state = read(ctx, name)
    return Seen(state, view(state, ctx.clock.now()))


def rollouts(ctx: Context) -> list[Rollout]:
    """All of them, newest first."""
    found: list[Rollout] = [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]
    return sorted(found, key=lambda r: (_created(r), r.name), reverse=True)


def _created(rollout: Rollout) -> str:
    return str(rollout.manifest["metadata"].get("creationTimestamp", ""))


def running(ctx: Context, found: Sequence[Rollout]) -> list[Seen]:
    """Those that have not ended, those that wait for a person first; so many at most."""
    names = [r.name for r in found if r.status.phase not in TERMINAL][:MOST_SHOWN]
    seen = [one(ctx, name) for name in names]
    return sorted(seen, key=lambda s: (s.view.phase != "Paused", s.view.name))


def freezes(ctx: Context, now: datetime) -> list[Freeze]:
    """Those that hold now or are still to come; none where the cluster knows no freezes, or does not show them."""
    try:
        found = ctx.cluster.list(FREEZE, ctx.namespace)
    except (NotFound, Forbidden):
        return []
    read = [_freeze(obj) for obj in found]
    return [f for f in read if f.until is None or f.until > now]


def _freeze(obj: Manifest) -> Freeze:
    spec = obj["spec"]
    begin, until = (datetime.fromisoformat(spec[k]) if spec.get(k) else None for k in ("from", "until"))
    reason, user = str(spec.get("reason", "")), str(spec.get("user", ""))
    return Freeze(obj["metadata"]["name"], tuple(spec.get("sources") or ()), reason, user, begin, until)


def sources(ctx: Context) -> list[Source]:
    """By name."""
    return [load(o) for o in ctx.cluster.list(SOURCE, ctx.namespace)]
