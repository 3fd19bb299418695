"""What people ask for on the command line: pause, resume, abort, retry, rollback, approve, reject, emergency, poll."""

import threading

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.dry_run import rehearsed, remark
from orchestrator.cli.process import interruptible, worked_on
from orchestrator.cli.rollouts import sources
from orchestrator.cli.rollouts.gates import told
from orchestrator.cli.rollouts.run import drive
from orchestrator.context import SOURCE, Context, read
from orchestrator.engine.lease import called
from orchestrator.errors import BadInput, Forbidden
from orchestrator.operations import approve, requests
from orchestrator.operations.approve import Decision as Decision
from orchestrator.operations.declare_emergency import declare
from orchestrator.operations.poll import look
from orchestrator.operations.requests import find_rollout
from orchestrator.operations.start import start
from orchestrator.rollout.resources.resource import Source, load

WORDS = {"approve": "approved", "reject": "rejected"}


def ask(target: Target, verb: str, name: str, here: bool, dry_run: str = "") -> int:
    """Leave a request on a rollout; the worker that holds it carries it out, or this process with `here`."""
    with interruptible() as stop:
        ctx = rehearsed(wiring.connected(target, stop), dry_run, here)
        rollout = find_rollout(ctx, name)
        user = requests.ask(ctx, rollout, verb)
        return carried_out(ctx, rollout.name, f"{verb} asked for by {user}", here, stop)


def decide(target: Target, name: str, what: Decision, here: bool, dry_run: str = "") -> int:
    """Raises Refused where it would not count, Forbidden where the API server does not take it from this user."""
    with interruptible() as stop:
        ctx = rehearsed(wiring.connected(target, stop), dry_run, here)
        rollout = find_rollout(ctx, name).name
        done = approve.decide(ctx, read(ctx, rollout), what)
        said = f"wave {done.wave} {WORDS[what.decision]} by {done.user}"
        said += " with a broken glass" if what.break_glass else ""
        if done.again:
            said = f"wave {done.wave} has the approval of {done.user} already"
        code = carried_out(ctx, rollout, said, here, stop)
        if not here and what.decision == "approve":
            for gate in done.gates:
                print("\n".join(text for text in told(gate)))
        return code


def hurry(target: Target, name: str, why: str, here: bool, dry_run: str = "") -> int:
    """Ask for an emergency. Raises Refused where it would skip nothing, Forbidden where this user has no right to it."""
    with interruptible() as stop:
        ctx = rehearsed(wiring.connected(target, stop), dry_run, here)
        state = read(ctx, find_rollout(ctx, name).name)
        return carried_out(ctx, state.rollout.name, declare(ctx, state, why).text, here, stop)


def carried_out(ctx: Context, name: str, what: str, here: bool, stop: threading.Event) -> int:
    """Carry out with `here`, or say what was asked for and whether anybody will do it."""
    if here:
        return drive(ctx, name, "", stop)
    print(f"{name}: {what}{remark(ctx)}")
    if not remark(ctx) and not worked_on(ctx, called(name), "controller"):
        print(
            "nobody works on it at the moment: start the controller, or add --here to do it in this process"
        )
    return 0


def retry(target: Target, name: str, here: bool, dry_run: str = "") -> int:
    """Release the revision that a source holds, so that it may be rolled out again."""
    with interruptible() as stop:
        ctx = rehearsed(wiring.connected(target, stop), dry_run, here)
        source, held = requests.release(ctx, *_held_by(ctx, name))
        print(f"{source.name}: {held[:10]} may be rolled out again{remark(ctx)}")
        if not here:
            return 0
        started = start(ctx, source, held)
        return drive(ctx, started.rollout, "", stop) if started.rollout else 0


def _held_by(ctx: Context, name: str) -> tuple[Source, str]:
    """The source, and the revision where a rollout is named."""
    try:
        return sources.find(ctx, name), ""
    except BadInput:
        spec = find_rollout(ctx, name).spec
        return load(ctx.cluster.get(SOURCE, spec.source, ctx.namespace)), spec.revision


def poll(target: Target, name: str, dry_run: str = "") -> int:
    """Have a source's repository looked at now. Raises Forbidden where this user may not ask for it."""
    ctx = rehearsed(wiring.connected(target), dry_run)
    look_now(ctx, sources.standing(ctx, name).name)
    return 0


def look_now(ctx: Context, source: str) -> None:
    """Ask the controller, and say whether one is there. Raises Forbidden where this user may not ask for it."""
    try:
        look(ctx, source)
    except Forbidden as error:
        text = f"{error}; whoever may update policysources can ask for a poll, and a webhook can"
        raise Forbidden(text, error.status) from None
    if worked_on(ctx, "controller"):
        print(f"{source}: the controller polls its repository within seconds{remark(ctx)}")
    elif remark(ctx):
        print(f"{source}: asked for{remark(ctx)}")
    else:
        print(f"{source}: asked for; no controller runs at the moment, the next one polls when it starts")
