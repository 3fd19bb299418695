"""What people ask of a rollout: pause, resume, abort, retry, rollback."""

from __future__ import annotations

import threading
import uuid
from contextlib import AbstractContextManager

from orchestrator.cli import sources, wiring
from orchestrator.cli.wiring import Target
from orchestrator.engine.lease import LEASE
from orchestrator.errors import BadInput, Conflict, NotFound, Refused
from orchestrator.rollout.model import BY_ITSELF, TERMINAL
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resource import Rollout, Source, load
from orchestrator.steps.context import ROLLOUT, SOURCE, Context
from orchestrator.steps.start import active

ATTEMPTS = 5


def find_rollout(ctx: Context, name: str) -> Rollout:
    """A rollout by its own name, or the latest of a source. Raises BadInput."""
    try:
        found: Rollout = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
        return found
    except NotFound:
        latest = of_source(ctx, name)
    if not latest:
        text = f"there is no rollout, and no source with one, called {name}"
        raise BadInput(text, hint="`netpol-canary get` lists the rollouts")
    return latest[-1]


def of_source(ctx: Context, source: str) -> list[Rollout]:
    """A source's rollouts, oldest first."""
    found: list[Rollout] = [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]
    mine = [r for r in found if r.spec.source == source]
    return sorted(mine, key=lambda r: (_started(r), r.name))


def _started(rollout: Rollout) -> str:
    return str(rollout.manifest["metadata"].get("creationTimestamp", ""))


def ask(target: Target, verb: str, name: str, here: bool) -> int:
    """Leave a request on a rollout; the worker that holds it carries it out, or this process with `here`."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        rollout = find_rollout(ctx, name)
        _sensible(rollout, verb)
        if verb == "rollback":
            _latest(ctx, rollout)
        user, _ = ctx.cluster.user()
        request = f"{verb}/{uuid.uuid4().hex[:12]}/{user}"
        for attempt in range(ATTEMPTS):
            try:
                fresh = ctx.cluster.get(ROLLOUT, rollout.name, ctx.namespace)
                annotations = {**(fresh["metadata"].get("annotations") or {}), REQUEST: request}
                ctx.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": annotations}})
                break
            except Conflict:
                if attempt + 1 == ATTEMPTS:
                    raise
        return carried_out(ctx, rollout.name, f"{verb} asked for by {user}", here, stop)


def stopping() -> AbstractContextManager[threading.Event]:
    """An event that SIGTERM and SIGINT set, in a command that logs errors alone."""
    from orchestrator.cli import logs, run

    logs.configure(level="error")
    return run.stopping()


def _sensible(rollout: Rollout, verb: str) -> None:
    phase, paused = rollout.status.phase, rollout.status.paused_for
    if verb == "rollback":
        if phase not in ("Succeeded", "Failed"):
            raise Refused(
                f"{rollout.name} is {phase}; only a Succeeded or Failed rollout is rolled back, abort a running one"
            )
    elif phase in TERMINAL or phase == "RollingBack":
        raise Refused(f"{rollout.name} is {phase}; there is nothing to {verb}")
    elif verb == "resume" and phase != "Paused":
        raise Refused(f"{rollout.name} is {phase}, not Paused")
    elif verb == "resume" and paused == "approval":
        raise Refused(f"{rollout.name} waits for approval; `netpol-canary approve {rollout.name}` gives it")
    elif verb == "resume" and paused in BY_ITSELF:
        raise Refused(f"{rollout.name} goes on by itself; it waits: {rollout.status.reason}")


def _latest(ctx: Context, rollout: Rollout) -> None:
    """Only the source's last verified rollout can be taken back, while no other one runs."""
    source: Source = load(ctx.cluster.get(SOURCE, rollout.spec.source, ctx.namespace))
    running = active(ctx, source)
    if running is not None and running.name != rollout.name:
        raise Refused(f"{running.name} is {running.status.phase}; abort it first")
    if rollout.status.phase == "Succeeded" and source.status.verified_rollout != rollout.name:
        raise Refused(f"{rollout.name} is not the source's latest; older states are a Git revert")


def carried_out(ctx: Context, name: str, what: str, here: bool, stop: threading.Event) -> int:
    """Carry out with `here`, or say what was asked for and whether anybody will do it."""
    if here:
        from orchestrator.cli.run import drive

        return drive(ctx, name, "", stop)
    print(f"{name}: {what}")
    if not _worked_on(ctx, name):
        print(
            "nobody works on it at the moment: start the controller, or add --here to do it in this process"
        )
    return 0


def _worked_on(ctx: Context, name: str) -> bool:
    held = []
    for lease in (f"rollout-{name}"[:253], "controller"):
        try:
            held.append(ctx.cluster.get(LEASE, lease, ctx.namespace)["spec"].get("holderIdentity"))
        except NotFound:
            continue
    return any(held)


def retry(target: Target, name: str, here: bool) -> int:
    """Release the revision that a source holds, so that it may be rolled out again."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        source = _source_of(ctx, name)
        running = active(ctx, source)
        if running is not None and running.status.phase not in TERMINAL:
            raise Refused(f"{running.name} is {running.status.phase}; `netpol-canary abort` ends it first")
        held = source.status.held_revision
        if not held:
            raise Refused(f"the source {source.name} holds no revision")
        released = source.status.model_copy(update={"held_revision": "", "held_reason": ""})
        source = load(ctx.cluster.replace_status(source.with_status(released)))
        print(f"{source.name}: {held[:10]} may be rolled out again")
        if not here:
            return 0
        from orchestrator.cli.run import drive
        from orchestrator.steps.start import start

        started = start(ctx, source, held)
        return drive(ctx, started.rollout, "", stop) if started.rollout else 0


def _source_of(ctx: Context, name: str) -> Source:
    try:
        return sources.find(ctx, name)
    except BadInput:
        rollout = find_rollout(ctx, name)
        return load(ctx.cluster.get(SOURCE, rollout.spec.source, ctx.namespace))
