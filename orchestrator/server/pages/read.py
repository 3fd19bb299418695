"""What pages read, each with the rights of whoever looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.context import ROLLOUT, SOURCE, Context, read
from orchestrator.context import freezes as standing_freezes
from orchestrator.errors import BadInput, Forbidden, NotFound
from orchestrator.ports import Manifest
from orchestrator.record.build import view
from orchestrator.record.view import RolloutView
from orchestrator.rollout.gates.approval_proof import condition
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.model import TERMINAL, PolicySourceSpec, PolicySourceStatus, Watch
from orchestrator.rollout.resources.resource import Freeze, Rollout, Source, load

MOST_SHOWN = 30


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
        return analysis.status.watch if analysis is not None and analysis.status.watch.checks else None

    @property
    def live(self) -> bool:
        return self.view.phase not in TERMINAL


def one(ctx: Context, name: str, diffs: bool = True) -> Seen:
    """Raises NotFound, Forbidden."""
    state = read(ctx, name).own()
    return Seen(state, view(state, ctx.clock.now(), diffs))


def rollouts(ctx: Context) -> list[Rollout]:
    """All of them, newest first."""
    found: list[Rollout] = [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]
    return sorted(found, key=lambda r: r.age, reverse=True)


def running(ctx: Context, found: Sequence[Rollout]) -> list[Seen]:
    """Those that have not ended, those that wait for a person first; so many at most."""
    names = [r.name for r in found if r.status.phase not in TERMINAL][:MOST_SHOWN]
    seen = [one(ctx, name) for name in names]
    return sorted(seen, key=lambda s: (s.view.phase != "Paused", s.view.name))


def freezes(ctx: Context, now: datetime) -> list[Freeze]:
    """Those that hold now or are still to come; none where the viewer may not see them."""
    try:
        return [f for f in standing_freezes(ctx) if f.spec.until is None or f.spec.until > now]
    except Forbidden:
        return []


@dataclass(frozen=True)
class Standing:
    """A source's name and status; `problem` says why it cannot be read, and then the status is empty."""

    name: str
    status: PolicySourceStatus
    spec: PolicySourceSpec | None = None
    problem: str = ""

    @property
    def suspend(self) -> bool:
        return self.spec is not None and self.spec.suspend


def sources(ctx: Context) -> list[Standing]:
    """In the cluster's order. One that cannot be read takes nobody's view of the others."""
    return [standing_of(o) for o in ctx.cluster.list(SOURCE, ctx.namespace)]


def source(ctx: Context, name: str) -> Standing:
    """One of them. Raises NotFound, Forbidden."""
    return standing_of(ctx.cluster.get(SOURCE, name, ctx.namespace))


def status_of(ctx: Context, source: str) -> PolicySourceStatus:
    """How a source stands; an empty status where it is gone, cannot be read or may not be seen."""
    try:
        return standing_of(ctx.cluster.get(SOURCE, source, ctx.namespace)).status
    except NotFound:
        return PolicySourceStatus()
    except Forbidden as error:
        if error.status == 401:
            raise
        return PolicySourceStatus()


def standing_of(obj: Manifest) -> Standing:
    """As the API server has it."""
    try:
        found: Source = load(obj)
    except BadInput as error:
        return Standing(str(obj["metadata"]["name"]), PolicySourceStatus(), problem=str(error))
    return Standing(found.name, found.status, found.spec)
