"""Requests on the command line: pause, resume, abort, retry, rollback."""

from __future__ import annotations

import threading

from orchestrator.cli import wiring
from orchestrator.cli.process import interruptible, worked_on
from orchestrator.cli.rollouts import sources
from orchestrator.cli.rollouts.run import drive
from orchestrator.cli.wiring import Target
from orchestrator.context import SOURCE, Context
from orchestrator.engine.lease import called
from orchestrator.errors import BadInput
from orchestrator.operations import requests
from orchestrator.operations.requests import find_rollout as find_rollout
from orchestrator.operations.start import start
from orchestrator.rollout.resources.resource import Source, load


def ask(target: Target, verb: str, name: str, here: bool) -> int:
    """Leave a request on a rollout; the worker that holds it carries it out, or this process with `here`."""
    with interruptible() as stop:
        ctx = wiring.connected(target, stop)
        rollout = find_rollout(ctx, name)
        user = requests.ask(ctx, rollout, verb)
        return carried_out(ctx, rollout.name, f"{verb} asked for by {user}", here, stop)


def carried_out(ctx: Context, name: str, what: str, here: bool, stop: threading.Event) -> int:
    """Carry out with `here`, or say what was asked for and whether anybody will do it."""
    if here:
        return drive(ctx, name, "", stop)
    print(f"{name}: {what}")
    if not worked_on(ctx, called(name), "controller"):
        print(
            "nobody works on it at the moment: start the controller, or add --here to do it in this process"
        )
    return 0


def retry(target: Target, name: str, here: bool) -> int:
    """Release the revision that a source holds, so that it may be rolled out again."""
    with interruptible() as stop:
        ctx = wiring.connected(target, stop)
        source, held = requests.release(ctx, *_held_by(ctx, name))
        print(f"{source.name}: {held[:10]} may be rolled out again")
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
