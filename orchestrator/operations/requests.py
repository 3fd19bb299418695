"""What people ask of a rollout, whichever way they ask: pause, resume, abort, rollback, and to release a revision."""

import uuid

from orchestrator.context import ROLLOUT, SOURCE, Context
from orchestrator.errors import BadInput, Forbidden, NotFound, Refused
from orchestrator.operations.attempts import attempts
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resources.conditions import readiness
from orchestrator.rollout.resources.model import BY_ITSELF, TERMINAL
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.sources.known_names import meant
from orchestrator.sources.lookup import active, latest


class NotBegun(BadInput):
    """A source is named that has no rollout yet."""


def find_rollout(ctx: Context, name: str) -> Rollout:
    """A rollout by its own name, or the latest of a source. Raises BadInput, NotBegun among it."""
    try:
        return load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
    except NotFound:
        latest = of_source(ctx, name)
    if latest:
        return latest[-1]
    try:
        source: Source = load(ctx.cluster.get(SOURCE, name, ctx.namespace))
    except (NotFound, Forbidden):
        text = f"there is no rollout, and no source with one, called {name}"
        hint = meant(ctx, name, "`netpol-canary get` lists the rollouts", ROLLOUT, SOURCE)
        raise BadInput(text, hint=hint) from None
    said = readiness(source.status.conditions, source.status.details)
    raise NotBegun(
        f"the source {name} has no rollout yet: {said}", hint=f"`netpol-canary watch {name}` waits for it"
    )


def of_source(ctx: Context, source: str) -> list[Rollout]:
    """A source's rollouts, oldest first."""
    found: list[Rollout] = [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]
    return sorted((r for r in found if r.spec.source == source), key=lambda r: r.age)


def ask(ctx: Context, rollout: Rollout, verb: str) -> str:
    """Leave a request on a rollout, in the name of whoever calls; gives that name. Raises Refused."""
    sensible(rollout, verb)
    if verb == "rollback":
        latest(ctx, rollout)
    user, _ = ctx.cluster.user()
    request = f"{verb}/{uuid.uuid4().hex[:12]}/{user}"
    for attempt in attempts(ctx.clock):
        with attempt:
            fresh = ctx.cluster.get(ROLLOUT, rollout.name, ctx.namespace)
            annotations = {**(fresh["metadata"].get("annotations") or {}), REQUEST: request}
            ctx.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "annotations": annotations}})
    return user


def sensible(rollout: Rollout, verb: str) -> None:
    """Raises Refused where a rollout in this phase cannot be asked for that."""
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


def release(ctx: Context, source: Source, wanted: str = "") -> tuple[Source, str]:
    """Let go of the revision that a source holds; gives the source as it is then, and the revision.

    Raises Refused, also where `wanted` is given and another revision is blocked.
    """
    running = active(ctx, source)
    if running is not None and running.status.phase not in TERMINAL:
        raise Refused(f"{running.name} is {running.status.phase}; `netpol-canary abort` ends it first")
    return attempts(ctx.clock)(_released, ctx, source.name, wanted or source.status.blocked_revision)


def _released(ctx: Context, name: str, wanted: str) -> tuple[Source, str]:
    """Whatever else the controller has written into the source meanwhile stays. Raises Conflict, Refused."""
    source: Source = load(ctx.cluster.get(SOURCE, name, ctx.namespace))
    held = source.status.blocked_revision
    if not held:
        raise Refused(f"the source {name} holds no revision")
    if wanted and wanted != held:
        raise Refused(f"the source {name} holds {held[:10]}, not {wanted[:10]}")
    released = source.status.model_copy(update={"blocked_revision": "", "blocked_reason": ""})
    return load(ctx.cluster.replace_status(source.with_status(released))), held
