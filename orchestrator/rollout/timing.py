"""When a wave is due for what: settled, looked at, or too long without progress. Pure, and the same when asked again."""

from datetime import UTC, datetime, timedelta

from orchestrator.rollout.resources.model import Strategy
from orchestrator.rollout.state import State


def applied_at(state: State, wave: int) -> datetime:
    """When the last namespace of a wave was written."""
    since = state.analyses[wave].spec.since
    return max((n.status.applied_at for n in state.in_wave(wave) if n.status.applied_at), default=since)


def settling(state: State, start: datetime) -> timedelta:
    """How long a wave settles that was written at `start`: less from an emergency on that skips it.

    What remains has the first look see nothing of before the change. A wave whose looks had begun keeps their grid,
    also where its emergency runs out and another one is declared.
    """
    strategy, emergency = state.rollout.spec.strategy, state.rollout.status.emergency
    whole = timedelta(seconds=strategy.settle_seconds)
    if emergency is None or "waits" not in emergency.skips:
        return whole
    known = [each for each in (*emergency.earlier, emergency) if start < each.until]
    return min([whole, *(max(needed(strategy), each.at - start) for each in known)])


def needed(strategy: Strategy) -> timedelta:
    """What of the settling time the analysis needs: until no look's window reaches back before the change."""
    plan = strategy.analysis
    seconds = max(plan.window_seconds - plan.interval_seconds, 0) if plan.metrics else 0
    return timedelta(seconds=min(strategy.settle_seconds, seconds))


def began_at(state: State, wave: int) -> datetime:
    """When a wave began to settle: as it was written, or later, where a person started it over or its readers came late."""
    analysis = state.analyses[wave]
    return max(applied_at(state, wave), analysis.status.started_at or analysis.spec.since)


def settled_at(state: State, wave: int) -> datetime:
    """When a wave counts as settled, and the grid of its looks begins."""
    start = began_at(state, wave)
    return start + settling(state, start)


def begun_later(state: State, wave: int, later: timedelta) -> datetime:
    """When a wave would have to begin to settle for its looks to come so much later.

    They come later still where an emergency that cut its settling short has run out by then: the rest is made up for.
    """
    start, strategy = began_at(state, wave), state.rollout.spec.strategy
    settles = settling(state, start)
    hurried = settles < timedelta(seconds=strategy.settle_seconds)
    return start + settles - (needed(strategy) if hurried else settles) + later


def look_time(state: State, wave: int) -> datetime:
    """When the next look at a wave is due: on a grid since it was settled, so that it can be recomputed."""
    plan, analysis = state.rollout.spec.strategy.analysis, state.analyses[wave]
    asked = bool(plan.metrics or analysis.spec.probes)
    step = plan.interval_seconds * (analysis.status.checks + 1) if asked else 0
    return settled_at(state, wave) + timedelta(seconds=step)


def progressed_at(state: State, wave: int) -> datetime:
    """When something last happened in an open wave; what it waits for by its plan counts once it is due."""
    analysis = state.analyses.get(wave)
    times = [t.time for t in state.rollout.status.transitions[-1:]]
    times += [n.status.applied_at for n in state.in_wave(wave) if n.status.applied_at]
    if analysis is not None:
        times += [t for t in (analysis.spec.since, analysis.status.progressed_at) if t]
        if analysis.status.phase == "Running":
            times.append(look_time(state, wave))
    return max(times, default=datetime.max.replace(tzinfo=UTC))


def planned_seconds(state: State, wave: int, now: datetime) -> float:
    """How long an open wave waits by its plan, however wrong the clock is that shows `now` or the one that wrote."""
    analysis, plan = state.analyses.get(wave), state.rollout.spec.strategy
    if analysis is None or analysis.status.phase != "Running":
        return 0.0
    most = plan.settle_seconds + plan.analysis.interval_seconds
    return min(max((look_time(state, wave) - now).total_seconds(), 0.0), float(most))
