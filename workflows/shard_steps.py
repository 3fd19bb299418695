"""A wave's forward steps as several workers do them: each does what is its own, and says when to ask again.

Each part takes the state, what comes next in it, and the number of its shard. It gives the time at which there is
something to do again, or None where nothing is left. It may be repeated, and may die anywhere.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.analysis.queries.providers import knows_past
from orchestrator.context import ANALYSIS, Context
from orchestrator.errors import Conflict, RetryLater
from orchestrator.ports import Manifest
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.order.shards import part, readers, writers
from orchestrator.rollout.resources.resource import NamespaceRollout, WaveAnalysis, load
from orchestrator.rollout.timing import begun_later, look_time, settling
from orchestrator.steps import apply, baseline
from orchestrator.steps.analyze import decide
from workflows.shard_readings import gathered, measure, noted, read_by_all

Part = Callable[[Context, State, Action, int], datetime | None]
ASK_AGAIN = timedelta(seconds=1)
LATE = timedelta(seconds=5)  # after a look was due, when nobody has measured at it yet
TRIES = 20  # of a compare-and-swap that other readers stood in the way of


def take_baseline(ctx: Context, state: State, action: Action, shard: int) -> datetime | None:
    """What is watched, and what its probes answer, before anything is written."""
    if action.verb != "baseline":
        return None
    baseline.run(ctx, state, action)
    return ctx.clock.now()


def write(ctx: Context, state: State, action: Action, shard: int) -> datetime | None:
    """The namespaces of the shard, from `before` to `after`."""
    mine = _mine(state, action, shard)
    if all(item.status.phase != "Pending" for item in mine):
        return None
    if action.verb != "apply":
        raise RetryLater("the wave has no baseline yet")
    apply.write(ctx, state, action, [item.spec.place for item in mine])
    return ctx.clock.now()


def settle(ctx: Context, state: State, action: Action, shard: int) -> datetime | None:
    """Until the CNI has had its time with every namespace of the shard."""
    mine = _mine(state, action, shard)
    if any(item.status.phase == "Pending" for item in mine):
        raise RetryLater("not everything is written yet")
    written = [i.status.applied_at for i in mine if i.status.applied_at]
    until = max((at + settling(state, at) for at in written), default=None)
    return until if until is not None and ctx.clock.now() < until else None


def measure_shard(ctx: Context, state: State, action: Action, shard: int) -> datetime | None:
    """The shard's metrics at each look, until the wave is decided."""
    wave = action.wave
    analysis = state.analyses[wave]
    if analysis.status.phase not in ("Pending", "Running"):
        return None
    check, now = analysis.status.checks + 1, ctx.clock.now()
    if any(r.shard == shard and r.check == check for r in analysis.status.shards):
        return now + ASK_AGAIN
    due = look_time(state, wave)
    if now < due:
        return due
    if now - due > LATE and _may_move(state, analysis):
        analysis, due = load(ctx.cluster.replace_status(_moved(state, analysis, now - due))), now
    grid = analysis.status.started_at
    reading = measure(ctx, state, analysis, due, shard, readers(state.rollout, wave))
    for _ in range(TRIES):
        try:
            ctx.cluster.replace_status(analysis.with_status(noted(analysis, reading)))
            return ctx.clock.now()
        except Conflict:
            analysis = load(ctx.cluster.get(ANALYSIS, analysis.name, ctx.namespace))
            found = analysis.status
            if (found.phase, found.checks + 1, found.started_at) != ("Running", check, grid):
                return ctx.clock.now()
    raise RetryLater("other readers write at the same time")


def _may_move(state: State, analysis: WaveAnalysis) -> bool:
    """Whether the looks may wait for readers who began late, as pods do.

    Nobody has measured yet, neither at this look nor, where all metrics are answered for the past too, at any before it.
    """
    check = analysis.status.checks + 1
    if any(r.check == check for r in analysis.status.shards):
        return False
    return check == 1 or not knows_past(state.rollout.spec.strategy.analysis)


def _moved(state: State, analysis: WaveAnalysis, later: timedelta) -> Manifest:
    """The analysis with its grid of looks so much later."""
    start = begun_later(state, analysis.spec.wave, later)
    return analysis.with_status(analysis.status.model_copy(update={"started_at": start}))


def judge(ctx: Context, state: State, action: Action, shard: int) -> datetime | None:
    """The wave's verdict at each check, once all readers have measured, until there is one that stays."""
    wave = action.wave
    analysis, now = state.analyses[wave], ctx.clock.now()
    if analysis.status.phase not in ("Pending", "Running"):
        return None
    due = look_time(state, wave)
    if now < due:
        return due
    if not read_by_all(analysis, readers(state.rollout, wave)):
        return now + ASK_AGAIN
    decide(ctx, state, wave, gathered(state, analysis, due))
    return ctx.clock.now()


PARTS: dict[str, Part] = {
    "baseline": take_baseline,
    "apply": write,
    "settle": settle,
    "analyze": measure_shard,
    "verdict": judge,
}
WATCHING = frozenset({"analyze", "verdict"})  # parts that go on until the wave is decided


def _mine(state: State, action: Action, shard: int) -> list[NamespaceRollout]:
    names = part(state.wave_places(action.wave), shard, writers(state.rollout, action.wave))
    return state.known(names)
