"""`run`: one rollout from its start, or from where another process stopped, to its end in this process."""

import sys
import threading

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.printing import formatted, printed
from orchestrator.cli.process import INTERRUPTED, holder, interruptible, worked_on
from orchestrator.cli.rollouts import sources
from orchestrator.cli.rollouts.notifying import deliver
from orchestrator.cli.rollouts.progress import Progress
from orchestrator.cli.rollouts.rollout_end import report
from orchestrator.context import Context, read
from orchestrator.engine.worker import Embedded, phase_code
from orchestrator.errors import BadInput, Forbidden, Refused, RetryLater
from orchestrator.operations.declare_emergency import declare, reasoned
from orchestrator.operations.start import start
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Source
from orchestrator.rollout.state import open_request
from orchestrator.sources.lookup import active

BEGIN_TRIES = 25


def run(
    target: Target, reference: str, revision: str, output: str, emergency: bool = False, why: str = ""
) -> int:
    """The exit code that the rollout's end stands for; `why` goes with an emergency."""
    formatted(output)
    if emergency:
        reasoned(why)
    elif why:
        raise BadInput("a reason goes with an emergency", "-m", "add --emergency, or leave it out")
    with interruptible() as stop:
        ctx = wiring.connected(target, stop)
        source = sources.find(ctx, reference)
        if emergency and not source.spec.strategy.emergency.skip and active(ctx, source) is None:
            hint = "its strategy.emergency.skip names none"
            raise Refused(f"the source {source.name} allows nothing to be skipped: {hint}; nothing was begun")
        name = _begin(ctx, source, reference, revision)
        if not name:
            if output:
                printed({"rollouts": []}, output)
            else:
                print(f"{source.name}: nothing to do, the cluster holds what the revision asks for")
            return 0
        if emergency:
            print(f"{name}: {_declared(ctx, name, why)}", file=sys.stderr)
        return drive(ctx, name, output, stop, target)


def _declared(ctx: Context, name: str, why: str) -> str:
    """What it skips, in words. Whoever may not declare one is told of the rollout, which stands by then."""
    try:
        return declare(ctx, read(ctx, name), why).text
    except (Forbidden, Refused) as error:
        hint = f"{name} stands without one: `netpol-canary abort {name}` ends it, `netpol-canary run` carries it out"
        raise Refused(f"{error}; {hint}") from None


def _begin(ctx: Context, source: Source, reference: str, revision: str) -> str:
    running = active(ctx, source)
    if running is not None and running.status.phase in TERMINAL:
        Embedded(ctx, holder()).drive(running.name)  # ended, but its last worker could not let go of it
        source, running = sources.find(ctx, reference), None
    if running is not None and not revision and open_request(running) is not None:
        return running.name
    try:
        return _started(ctx, source, reference, revision)
    except Refused as refused:
        if running is not None:
            hint = "`netpol-canary watch` follows it, `netpol-canary abort` ends it"
            raise Refused(f"{refused}; {hint}") from None
        raise


def _started(ctx: Context, source: Source, reference: str, revision: str) -> str:
    """Tried again while somebody else changes the source, or begins a rollout of it and may have died over that."""
    keep = (lambda s: sources.written(ctx, s)) if sources.is_file(reference) else (lambda s: s)
    for _ in range(BEGIN_TRIES):
        try:
            return start(ctx, source, revision, keep).rollout
        except RetryLater as later:
            ctx.clock.sleep(later.delay)
            source = sources.find(ctx, reference)
    return start(ctx, source, revision, keep).rollout


def drive(ctx: Context, name: str, output: str, stop: threading.Event, target: Target | None = None) -> int:
    """Work a rollout off, with its moments on the terminal."""
    progress = Progress(quiet=bool(output))
    state = Embedded(ctx, holder(), stop=stop.is_set, watch=progress).drive(name)
    if output:
        printed({"rollouts": [report("", state)]}, output)
    if stop.is_set() and phase_code(state) == 3 and state.rollout.status.phase != "Paused":
        if not output:
            print(f"{name}: stopped; the next `netpol-canary run` or controller goes on from here")
        return INTERRUPTED
    progress.end(state)
    _unwatched(ctx, state)
    deliver(ctx, target or Target(ctx.namespace), state.rollout.spec.source, stop)
    return phase_code(state)


def _unwatched(ctx: Context, state: State) -> None:
    """Said where what was written stands inconclusive, and no controller is there to watch it."""
    status = state.rollout.status
    if status.paused_for == "inconclusive" and status.wave_is_open and not worked_on(ctx, "controller"):
        text = "no controller runs, so nobody watches it; `onInconclusive: rollback` waits for nobody"
        print(f"{state.rollout.name}: {text}", file=sys.stderr)
