"""Put every touched namespace back to `before` and read it back; needs the API server and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from orchestrator.analysis.cause import why
from orchestrator.context import FINALIZER, Context, change, namespace_uid
from orchestrator.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NetpolCanaryError,
    NotFound,
    Refused,
    RetryLater,
    Waiting,
)
from orchestrator.rollout.next import CONFIRMED, Action, State
from orchestrator.rollout.order.write_turns import back, by_place, ends, stood, unreached
from orchestrator.rollout.outbox import unsent
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.conditions import put
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.resource import NamespaceRollout, load
from orchestrator.sources.lookup import latest
from orchestrator.steps.apply import manifests
from orchestrator.steps.transitions import handle
from orchestrator.wording import many
from orchestrator.writing.converge import Held, converge
from orchestrator.writing.frozen_walk import Record
from orchestrator.writing.late_creations import undone
from orchestrator.writing.pod_labels import remove

MOST_WAIT = 5.0  # seconds, so that whoever waits keeps its place
ENDS = ("Restored", "Deleted")
MOST_WALKS = 5  # of a namespace in a row, until it reads back as it should


def begin(ctx: Context, state: State, action: Action, epoch: int | None = None) -> None:
    """Decide for the way back; the latency counts from here. `epoch` is that of who takes over in the same swap."""
    if state.rollout.status.phase in TERMINAL and (no := _overtaken(ctx, state)):
        handle(ctx, state, replace(action, reason="Ignored", message=no))
        return
    state = _held(ctx, state)
    said = action.message or action.reason
    if action.reason == "Regression" and (found := why(state, action.wave)) is not None:
        said = found.text
        action = replace(action, message=said)
    kept = [c for c in state.rollout.status.conditions if c.type not in ("RollbackVerified", CONFIRMED)]
    now = ctx.clock.now()
    change(
        ctx,
        state,
        action,
        phase="RollingBack",
        epoch=state.rollout.status.epoch if epoch is None else epoch,
        paused_for="",
        reason=said,
        detected_at=now,
        conditions=kept,
    )


def _overtaken(ctx: Context, state: State) -> str:
    """Why a rollout that has ended cannot be taken back any more: whoever asked may not have looked, or not in time."""
    try:
        latest(ctx, state.rollout)
    except Refused as no:
        return str(no)
    except (NotFound, BadInput):  # without a source nothing newer begins
        return ""
    return ""


def _held(ctx: Context, state: State) -> State:
    """With the finalizer on it again, where the rollout had succeeded and was let go of."""
    manifest = state.rollout.manifest
    kept = list(manifest["metadata"].get("finalizers") or [])
    if FINALIZER in kept or state.rollout.deleting:
        return state
    again = dict.fromkeys([*kept, FINALIZER, *unsent(state.rollout.spec)])
    metadata = {**manifest["metadata"], "finalizers": list(again)}
    return replace(state, rollout=load(ctx.cluster.replace({**manifest, "metadata": metadata})))


def run(ctx: Context, state: State, action: Action) -> None:
    """The waves in reverse order, the namespaces of one wave together; one that is stuck holds up no other.

    A place that changed in several waves goes back through them, one after the other.
    """
    rollout = state.rollout
    if rollout.spec.strategy.engine == "argo" and ctx.tenure.doubted is None:  # its pods may write yet
        ctx.tenure.doubt(ctx.clock)
    stuck: list[NetpolCanaryError] = []
    waiting: set[str] = set()  # whose later waves are not rolled back yet
    for turn in back(state):
        left = [i for i in turn if i.spec.namespace not in waiting and i.status.phase not in ENDS]
        found = ctx.each(lambda item: _tried(ctx, state, item), left, rollout.spec.strategy.max_parallel)
        for item, error in zip(left, found, strict=True):
            if error is not None:
                stuck.append(error)
                waiting.add(item.spec.namespace)
        if stuck:
            ctx.fence()  # where the Lease has to be renewed, that comes first
    if stuck:
        raise next((error for error in stuck if isinstance(error, Held)), stuck[0])
    remove(ctx, rollout.spec.waves[: rollout.status.waves_started])
    known, now = rollout.status.conditions, ctx.clock.now()
    if ctx.tenure.left(ctx.clock) and not any(c.type == CONFIRMED for c in known):
        found = put(known, CONFIRMED, "False", "WritesPending", "not every write was answered", now)
        change(ctx, state, Action("restore"), conditions=found)


def confirm(ctx: Context, state: State, action: Action) -> None:
    """Read every namespace back once more, when nothing of the pods that wrote can land any more; RetryLater before.

    What landed late goes back, and counts as restored now.
    """
    if ctx.tenure.doubted is None:  # pods wrote, or a worker that was replaced before this one came
        ctx.tenure.doubt(ctx.clock)
    if left := ctx.tenure.left(ctx.clock):
        raise Waiting("what was asked for before may be written yet", min(left, MOST_WAIT))
    now = ctx.clock.now()
    again = [_as_one(items) for items in by_place(state) if items[0].status.phase == "Restored"]
    ctx.each(lambda item: _once_more(ctx, state, item), again, state.rollout.spec.strategy.max_parallel)
    known = state.rollout.status.conditions
    found = put(known, CONFIRMED, "True", "ReadBack", f"{many(len(again), 'namespace')} read back twice", now)
    change(ctx, state, Action("confirm"), conditions=found)


def _as_one(items: Sequence[NamespaceRollout]) -> NamespaceRollout:
    """The records of a place, from what was there before any of them to whatever one of them may have written."""
    first, *more = items
    if not more:
        return first
    written: dict[objects.Key, Manifest] = {}
    for before, after in map(ends, items):
        written |= before | after
    whole = {"before": [o for o in stood(items).values() if o], "after": list(written.values())}
    spec = first.spec.model_copy(update={end: [*map(objects.canonical, some)] for end, some in whole.items()})
    return replace(first, spec=spec, status=first.status.model_copy(update={"writes": []}))


def _once_more(ctx: Context, state: State, item: NamespaceRollout) -> None:
    spec, record = item.spec, Record(ctx, item)
    with undone(ctx, record):
        late = namespace_uid(ctx, spec.namespace) == spec.namespace_uid and _back(ctx, record, True)
    if late:
        structlog.get_logger().warning("a late write was undone", namespace=spec.namespace)
        _one(ctx, state, record.item)


def _back(ctx: Context, record: Record, last: bool = False) -> int:
    """Until it reads back as `before`; the number of states that were walked. `last`: nothing can land any more."""
    item, walked = record.item, 0
    name, rollout = item.spec.namespace, item.spec.rollout
    before, after = manifests(item.spec.before), manifests(item.spec.after)
    try:
        for _ in range(MOST_WALKS):
            late = ctx.tenure.open(item.spec.place) and not last
            steps = converge(
                ctx, name, before, after, rollout, forward=False, frozen=record.frozen(), late=late
            )
            if late:
                ctx.tenure.fenced(item.spec.place)
            if not steps:
                return walked
            walked += steps
    except (Conflict, NotFound, Forbidden) as error:
        raise RetryLater(f"{name}: {error}", 0.2) from None
    raise RetryLater(f"{name}: somebody else writes the same policies again and again", 1.0)


def _tried(ctx: Context, state: State, item: NamespaceRollout) -> NetpolCanaryError | None:
    try:
        _one(ctx, state, item)
    except NetpolCanaryError as error:
        return error
    return None


def _one(ctx: Context, state: State, item: NamespaceRollout) -> None:
    record = Record(ctx, item)
    with undone(ctx, record):
        _restored(ctx, state, record)


def _restored(ctx: Context, state: State, record: Record) -> None:
    spec = record.item.spec
    phase, message = "Restored", "read back equal to what was there before"
    if namespace_uid(ctx, spec.namespace) != spec.namespace_uid:
        phase, message = "Deleted", "the namespace was deleted"
    elif not unreached(state, record.item):
        _back(ctx, record)
    item = record.item
    structlog.get_logger().info(phase, namespace=spec.namespace)
    now = ctx.clock.now()
    since = state.rollout.status.detected_at
    status = item.status.model_copy(
        update={
            "phase": phase,
            "message": message,
            "restored_at": now,
            "restored_seconds": (now - since).total_seconds() if since else None,
        }
    )
    ctx.cluster.replace_status(item.with_status(status))
