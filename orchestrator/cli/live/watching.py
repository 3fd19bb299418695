"""`watch`: a rollout followed, as one live view on a terminal and as lines one after the other elsewhere."""

import sys
import threading
from datetime import datetime

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.live import live_screen
from orchestrator.cli.live.fitted_rows import Row
from orchestrator.cli.live.live_view import rows
from orchestrator.cli.process import INTERRUPTED, not_waited_for, stopping, ticks
from orchestrator.cli.rollouts import interventions, sources
from orchestrator.cli.rollouts.progress import Progress
from orchestrator.context import SOURCE, Context, read
from orchestrator.engine.worker import phase_code
from orchestrator.errors import Busy, NotFound, Unreachable
from orchestrator.operations.requests import NotBegun, find_rollout, of_source
from orchestrator.rollout.next import State, next_action
from orchestrator.rollout.resources.conditions import readiness
from orchestrator.rollout.resources.model import BY_ITSELF, TERMINAL
from orchestrator.rollout.resources.resource import Source, load
from orchestrator.rollout.state import open_request

ASKED_SECONDS = 30.0  # that a paused rollout is followed after a person said how it goes on


def watch(target: Target, name: str, timeout: float) -> int:
    """The exit code says how it ended, or that it waits. A source that has no rollout yet is waited for."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        try:
            rollout = find_rollout(ctx, name).name
        except NotBegun:
            return _next_of(ctx, target, name, "", timeout, stop)
        return _followed(ctx, target, rollout, timeout, stop)


def polled(target: Target, name: str, timeout: float) -> int:
    """Have a source's repository polled, and follow the rollout that is under way, or the next one to begin."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        source = sources.standing(ctx, name).name
        before = of_source(ctx, source)
        interventions.look_now(ctx, source)
        over = before[-1].uid if before and before[-1].status.phase in TERMINAL else ""
        return _next_of(ctx, target, source, over, timeout, stop)


def _next_of(
    ctx: Context, target: Target, source: str, ended: str, timeout: float, stop: threading.Event
) -> int:
    """The source's latest rollout, once that is another than `ended`, which is a uid; what the source says until then."""
    said, trouble = "", _Trouble()
    for _ in ticks(ctx.clock, timeout, stop):
        with trouble:
            latest = of_source(ctx, source)
            standing: Source = load(ctx.cluster.get(SOURCE, source, ctx.namespace))
        if trouble.said:
            continue
        if latest and latest[-1].uid != ended:
            return _followed(ctx, target, latest[-1].name, timeout, stop)
        if said != (now := readiness(standing.status.conditions, standing.status.details)):
            print(f"{source}: waits for {'the next' if ended else 'its first'} rollout; {now}", flush=True)
            said = now
    if stop.is_set():
        return INTERRUPTED
    print(f"{source}: no rollout began in {timeout:g} s")
    return 3


def _followed(ctx: Context, target: Target, name: str, timeout: float, stop: threading.Event) -> int:
    """Lines of -v have their place in a log alone."""
    if live_screen.possible() and not target.verbose:
        return _live(ctx, name, timeout, stop)
    return _log(ctx, name, timeout, stop)


def _live(ctx: Context, name: str, timeout: float, stop: threading.Event) -> int:
    """Until it ends: a person who looks on sees what it waits for, and what comes of the answer."""
    screen, state, shown = live_screen.LiveScreen(), read(ctx, name), list[Row]()
    gone = False
    with screen.open():
        for _ in ticks(ctx.clock, timeout, stop):
            trouble = ""
            try:
                state = read(ctx, name)
            except NotFound:
                gone = True
                break
            except (Unreachable, Busy) as error:
                trouble = str(error)
            shown = [*_late(trouble), *rows(state, ctx.clock.now(), screen.width)]
            screen.draw(shown)
            if state.rollout.status.phase in TERMINAL:
                break
    screen.leave_behind(shown)
    if gone:
        print(f"{name}: gone")
        return 1
    if state.rollout.status.phase in TERMINAL:
        Progress().last(state)
        return phase_code(state)
    return not_waited_for(name, timeout, stop)


class _Trouble:
    """An API server that does not answer, or is busy: said once, and asked again until the time is over."""

    said = ""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        late = isinstance(error, (Unreachable, Busy))
        if late and str(error) != self.said:
            print(f"asked again: {error}", file=sys.stderr, flush=True)
        self.said = str(error) if late else ""
        return late


def _late(trouble: str) -> list[Row]:
    return [Row.of(0, (f"as of before; {trouble}", "bold red"))] if trouble else []


def _log(ctx: Context, name: str, timeout: float, stop: threading.Event) -> int:
    """Until it ends or waits for a person."""
    progress, patience, trouble = Progress(), ASKED_SECONDS, _Trouble()
    for _ in ticks(ctx.clock, timeout, stop):
        with trouble:
            state = _read(ctx, name)
        if trouble.said:
            continue
        if state is None:
            print(f"{name}: gone")
            return 1
        progress(state)
        status = state.rollout.status
        asked = patience > 0 and goes_on(state, ctx.clock.now())
        waits = status.phase == "Paused" and status.paused_for not in BY_ITSELF
        if status.phase in TERMINAL or (waits and not asked):
            progress.end(state)
            return phase_code(state)
        patience = patience - 1.0 if waits else ASKED_SECONDS
    return not_waited_for(name, timeout, stop)


def goes_on(state: State, now: datetime) -> bool:
    """Whether a person has said already how a paused rollout goes on, and nobody has taken it up yet."""
    if open_request(state.rollout) is not None:
        return True
    return state.rollout.status.paused_for == "approval" and next_action(state, now).verb in (
        "vouch",
        "continue",
    )


def _read(ctx: Context, name: str) -> State | None:
    try:
        return read(ctx, name)
    except NotFound:
        return None
