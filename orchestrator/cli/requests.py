"""Requests on the command line: pause, resume, abort, retry, rollback."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

from orchestrator.cli import sources, wiring
from orchestrator.cli.wiring import Target
from orchestrator.engine.lease import LEASE, called
from orchestrator.errors import BadInput, Forbidden, NotFound
from orchestrator.rollout.resource import Source, load
from orchestrator.steps import requests
from orchestrator.steps.context import SOURCE, Context
from orchestrator.steps.requests import find_rollout as find_rollout


def ask(target: Target, verb: str, name: str, here: bool) -> int:
    """Leave a request on a rollout; the worker that holds it carries it out, or this process with `here`."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        rollout = find_rollout(ctx, name)
        user = requests.ask(ctx, rollout, verb)
        return carried_out(ctx, rollout.name, f"{verb} asked for by {user}", here, stop)


def stopping() -> AbstractContextManager[threading.Event]:
    """An event that SIGTERM and SIGINT set, in a command that logs errors alone."""
    from orchestrator.cli import logs, run

    logs.configure(level="error")
    return run.stopping()


def carried_out(ctx: Context, name: str, what: str, here: bool, stop: threading.Event) -> int:
    """Carry out with `here`, or say what was asked for and whether anybody will do it."""
    if here:
        from orchestrator.cli.run import drive

        return drive(ctx, name, "", stop)
    print(f"{name}: {what}")
    if not worked_on(ctx, called(name), "controller"):
        print(
            "nobody works on it at the moment: start the controller, or add --here to do it in this process"
        )
    return 0


def worked_on(ctx: Context, *leases: str) -> bool:
    """Whether somebody holds one of these Leases; taken for granted where the caller may not read them."""
    held = []
    for lease in leases:
        try:
            held.append(ctx.cluster.get(LEASE, lease, ctx.namespace)["spec"].get("holderIdentity"))
        except NotFound:
            continue
        except Forbidden:
            return True
    return any(held)


def retry(target: Target, name: str, here: bool) -> int:
    """Release the revision that a source holds, so that it may be rolled out again."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        source, held = requests.release(ctx, *_held_by(ctx, name))
        print(f"{source.name}: {held[:10]} may be rolled out again")
        if not here:
            return 0
        from orchestrator.cli.run import drive
        from orchestrator.steps.start import start

        started = start(ctx, source, held)
        return drive(ctx, started.rollout, "", stop) if started.rollout else 0


def _held_by(ctx: Context, name: str) -> tuple[Source, str]:
    """The source, and the revision where a rollout is named."""
    try:
        return sources.find(ctx, name), ""
    except BadInput:
        spec = find_rollout(ctx, name).spec
        return load(ctx.cluster.get(SOURCE, spec.source, ctx.namespace)), spec.revision
