"""Put every touched namespace back to `before` and read it back; needs the API server and nothing else."""

from __future__ import annotations

from dataclasses import replace

import structlog

from orchestrator.analysis.why import why
from orchestrator.errors import BadInput, Conflict, Forbidden, NotFound, Refused, RetryLater
from orchestrator.rollout.conditions import put
from orchestrator.rollout.model import TERMINAL
from orchestrator.rollout.next import CONFIRMED, Action, State
from orchestrator.rollout.outbox import unsent
from orchestrator.rollout.resource import NamespaceRollout, load
from orchestrator.steps.apply import manifests
from orchestrator.steps.context import FINALIZER, Context, change, namespace_uid
from orchestrator.steps.gate import handle
from orchestrator.steps.requests import latest
from orchestrator.steps.write import converge

MOST_WAIT = 5.0  # seconds, so that whoever waits keeps its place


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
    kept = [c for c in state.rollout.status.conditions if c.type not in ("Verified", CONFIRMED)]
    now = ctx.clock.now()
    change(
        ctx,
        state,
        action,
        phase="RollingBack",
        epoch=state.rollout.status.epoch if epoch is None else epoch,
        paused_for="",
        reason=said[:4000],
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
    """The waves in reverse order, the namespaces of one wave together."""
    rollout = state.rollout
    for wave in reversed(range(rollout.status.opened)):
        left = [
            state.namespaces[n]
            for n in state.wave_names(wave)
            if n in state.namespaces and state.namespaces[n].status.phase not in ("Restored", "Gone")
        ]
        ctx.each(lambda item: _one(ctx, state, item), left, rollout.spec.strategy.max_parallel)


def confirm(ctx: Context, state: State, action: Action) -> None:
    """Read every namespace back once more, when nothing of the pods that wrote can land any more; RetryLater before.

    What landed late goes back, and counts as restored now.
    """
    now = ctx.clock.now()
    if action.until is not None and now < action.until:
        left = (action.until - now).total_seconds()
        raise RetryLater("pods that wrote may write yet", min(left, MOST_WAIT))
    items = [state.namespaces[n] for n in state.touched() if n in state.namespaces]
    again = [item for item in items if item.status.phase == "Restored"]
    ctx.each(lambda item: _once_more(ctx, state, item), again, state.rollout.spec.strategy.max_parallel)
    known = state.rollout.status.conditions
    found = put(known, CONFIRMED, "True", "ReadBack", f"{len(again)} namespaces read back twice", now)
    change(ctx, state, Action("confirm"), conditions=found)


def _once_more(ctx: Context, state: State, item: NamespaceRollout) -> None:
    spec = item.spec
    if namespace_uid(ctx, spec.namespace) == spec.namespace_uid and _back(ctx, item):
        structlog.get_logger().warning("a late write was put back", namespace=spec.namespace)
        _one(ctx, state, item)


def _back(ctx: Context, item: NamespaceRollout) -> int:
    """Until it reads back as `before`; the number of states that were walked."""
    spec, walked = item.spec, 0
    before, after = manifests(spec.before), manifests(spec.after)
    try:
        while steps := converge(ctx, spec.namespace, before, after, spec.rollout, forward=False):
            walked += steps
    except (Conflict, NotFound, Forbidden) as error:
        raise RetryLater(f"{spec.namespace}: {error}", 0.2) from None
    return walked


def _one(ctx: Context, state: State, item: NamespaceRollout) -> None:
    spec = item.spec
    phase, message = "Restored", "read back equal to what was there before"
    if namespace_uid(ctx, spec.namespace) != spec.namespace_uid:
        phase, message = "Gone", "the namespace was deleted"
    else:
        _back(ctx, item)
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
